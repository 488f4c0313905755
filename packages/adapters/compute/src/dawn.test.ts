import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { matmulProgram } from '@shardy/tensor'
import { describeExecutor, scatteredInput } from './conformance.ts'
import { findGpu, openDawn } from './dawn.ts'
import { ComputeError } from './executor.ts'
import { describeShaders } from './shaderConformance.ts'
import { createWebGpuExecutor } from './webgpu/executor.ts'
import { guardDevice } from './webgpu/guard.ts'
import { requiredLimits } from './webgpu/limits.ts'
import { openWebGpu } from './webgpu/open.ts'

// A bound on a hang: a software adapter takes seconds to compile one kernel.
setDefaultTimeout(60_000)

const gpu = await findGpu({ allowSoftware: true })

if ('refusal' in gpu) {
  console.warn(`WebGPU executor not tested: ${gpu.refusal.message}`)
  test.skip(`executor webgpu (${gpu.refusal.message})`, () => {})
} else {
  const software = (await gpu.requestAdapter())?.info.isFallbackAdapter === true
  const requestDevice = async (): Promise<GPUDevice> => {
    const adapter = await gpu.requestAdapter()
    if (adapter === null) throw new Error('the adapter has gone')
    return await adapter.requestDevice({ requiredLimits: requiredLimits(adapter.limits) })
  }

  describeExecutor('webgpu on Dawn', {
    async open() {
      const opened = await openWebGpu(gpu, { allowSoftware: true })
      if (!opened.ok) throw new Error(opened.refusal.message)
      return opened.executor
    },
    takesTurns: true,
    // Each shape may compile kernels of its own; `webgpu/operations.test.ts` draws more programs.
    propertyRuns: 8,
  })

  describeShaders('webgpu on Dawn', async () => {
    const opened = await openWebGpu(gpu, { allowSoftware: true })
    if (!opened.ok) throw new Error(opened.refusal.message)
    return opened.executor
  })

  describe('a failing device', () => {
    const program = matmulProgram({ m: 200, k: 100, n: 200 })

    test('that is lost before a call refuses it as lost', async () => {
      const device = await requestDevice()
      const executor = await createWebGpuExecutor(device, 'test')
      device.destroy()
      await device.lost
      expect(executor.execute(program, scatteredInput(program))).rejects.toMatchObject({ kind: 'deviceLost' })
      await executor.close()
    })

    test('that is lost during a call ends it as lost', async () => {
      const device = await requestDevice()
      const executor = await createWebGpuExecutor(device, 'test')
      const long = matmulProgram({ m: 1024, k: 1024, n: 1024 })
      const answer = executor.execute(long, scatteredInput(long), { onProgress: () => device.destroy() })
      expect(await answer.catch((thrown) => thrown)).toMatchObject({ kind: 'deviceLost' })
      await executor.close()
    })

    test('that refuses a call ends it with what the device said', async () => {
      const device = await requestDevice()
      const guard = guardDevice(device)
      const work = async () => device.createBuffer({ size: 16, usage: 0x1 | 0x2 }) // MAP_READ with MAP_WRITE
      const thrown = await guard.run('making a buffer', work).catch((error) => error)
      expect(thrown).toBeInstanceOf(ComputeError)
      expect(thrown).toMatchObject({ kind: 'validation' })
      expect(thrown.message).toStartWith('making a buffer: ')
      expect(await guard.run('going on', async () => 7)).toBe(7)
      device.destroy()
    })

    // A real GPU may well have this much; SwiftShader states a limit that it cannot serve.
    test.skipIf(!software)('that has no memory left ends the call as out of memory', async () => {
      const device = await requestDevice()
      const guard = guardDevice(device)
      const size = device.limits.maxBufferSize
      const work = async () => device.createBuffer({ size, usage: GPUBufferUsage.STORAGE })
      expect(await guard.run('allocating', work).catch((error) => error)).toMatchObject({
        kind: 'outOfMemory',
      })
      device.destroy()
    })

    test('whose shader does not compile is refused with the line', async () => {
      const device = await requestDevice()
      const guard = guardDevice(device)
      const work = async () => device.createShaderModule({ code: 'fn broken( {' })
      expect(await guard.run('compiling', work).catch((error) => error)).toMatchObject({ kind: 'validation' })
      device.destroy()
    })
  })

  test('openDawn gives the same executor to a program as to a test', async () => {
    const opened = await openDawn({ allowSoftware: true })
    if (!opened.ok) throw new Error(opened.refusal.message)
    const program = matmulProgram({ m: 1, k: 2, n: 1 })
    const { output } = await opened.executor.execute(program, Uint8Array.of(1, 2, 3, 4))
    expect(output).toEqual(Uint8Array.of(11, 0, 0, 0))
    await opened.executor.close()
  })
}

test('without leave for a software adapter, there is a GPU or a refusal in words', async () => {
  const opened = await openDawn({ allowSoftware: false })
  if (opened.ok) return await opened.executor.close()
  expect(opened.refusal.kind).toBeOneOf(['noWebGpu', 'noAdapter', 'softwareAdapter'])
  expect(opened.refusal.message).not.toBe('')
})
