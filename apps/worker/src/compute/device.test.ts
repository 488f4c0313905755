import { expect, test } from 'bun:test'
import { createCpuExecutor, createReferenceExecutor } from '@shardy/compute'
import { openDevice } from './device.ts'
import { isExact } from './selfCheck.ts'

test('a host without WebGPU gets the CPU and the reason', async () => {
  const { device, executor } = await openDevice(undefined, undefined)
  expect(device).toMatchObject({ executor: 'cpu', isSoftware: false, cpuReason: { kind: 'refused' } })
  expect(await isExact(executor)).toBe(true)
  await executor.close()
})

test('the GPU is not touched when there is a reason not to', async () => {
  const untouchable = {
    requestAdapter() {
      throw new Error('somebody asked')
    },
  } as unknown as GPU
  const { device, executor } = await openDevice(untouchable, { kind: 'asked' })
  expect(device.cpuReason).toEqual({ kind: 'asked' })
  await executor.close()
})

test('the self-check tells an exact executor from one that is wrong in a single bit', async () => {
  expect(await isExact(createReferenceExecutor())).toBe(true)
  const right = createCpuExecutor()
  const wrong = {
    ...right,
    async execute(...call: Parameters<typeof right.execute>) {
      const execution = await right.execute(...call)
      const { output } = execution
      output[output.length - 4] = (output.at(-4) ?? 0) ^ 1
      return execution
    },
  }
  expect(await isExact(wrong)).toBe(false)
})
