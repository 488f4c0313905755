import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { matmulProgram } from '@shardy/tensor'
import { scatteredInput } from './conformance.ts'
import { createCpuExecutor } from './cpu/executor.ts'
import { findGpu } from './dawn.ts'
import { ComputeError, type ComputeErrorKind, type Executor } from './executor.ts'
import { measureMemoryStability } from './memoryStability.ts'
import { createReferenceExecutor } from './reference.ts'
import { createSelfCheckingExecutor } from './selfChecking.ts'
import { createWebGpuExecutor } from './webgpu/executor.ts'
import { requiredLimits } from './webgpu/limits.ts'
import { openWebGpu } from './webgpu/open.ts'

// A bound on a hang: a software adapter takes seconds to compile one kernel.
setDefaultTimeout(60_000)

const mib = 2 ** 20
const tools = {} as Parameters<typeof createSelfCheckingExecutor>[1]

/** An executor whose memory ends where the test says. */
function bounded(bytesMax: number, kind: ComputeErrorKind = 'outOfMemory'): Executor {
  return {
    ...createReferenceExecutor(),
    async tryMemory(bytes) {
      if (bytes > bytesMax) throw new ComputeError(kind, `no ${bytes} bytes`)
    },
  }
}

describe('sizes rise', () => {
  test('up to the cap, which is the last', async () => {
    const { stableBytes, steps } = await measureMemoryStability(bounded(2 ** 40), {
      capBytes: 101,
      firstBytes: 16,
    })
    expect(steps.map(({ bytes }) => bytes)).toEqual([16, 32, 64, 100])
    expect(stableBytes).toBe(100)
  })

  test('up to the first that fails, which is named', async () => {
    const measured = await measureMemoryStability(bounded(40), { capBytes: 1_000, firstBytes: 16 })
    expect(measured).toEqual({
      stableBytes: 32,
      steps: [
        { bytes: 16, ok: true },
        { bytes: 32, ok: true },
        { bytes: 64, ok: false, reason: 'outOfMemory: no 64 bytes' },
      ],
    })
  })

  test('a cap below the first size is the only one', async () => {
    const measured = await measureMemoryStability(bounded(64), { capBytes: 8 })
    expect(measured).toEqual({ stableBytes: 8, steps: [{ bytes: 8, ok: true }] })
  })

  test('a device that is lost says so and holds nothing more', async () => {
    const measured = await measureMemoryStability(bounded(0, 'deviceLost'), { capBytes: 64 })
    expect(measured).toEqual({
      stableBytes: 0,
      steps: [{ bytes: 64, ok: false, reason: 'deviceLost: no 64 bytes' }],
    })
  })

  test('whoever cannot try has measured nothing', async () => {
    const measured = await measureMemoryStability(createReferenceExecutor(), { capBytes: 64 })
    expect(measured).toEqual({ stableBytes: 0, steps: [] })
  })

  test('a cap of nothing, or of no whole number, is a bug', async () => {
    for (const capBytes of [0, -4, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(measureMemoryStability(bounded(64), { capBytes })).rejects.toThrow(RangeError)
    }
  })
})

describe('on the CPU', () => {
  test('memory holds, also behind a self-checking executor', async () => {
    const cpu = createCpuExecutor()
    const options = { capBytes: 70 * mib, firstBytes: 35 * mib }
    expect((await measureMemoryStability(cpu, options)).stableBytes).toBe(70 * mib)
    const checking = createSelfCheckingExecutor(cpu, tools)
    expect((await measureMemoryStability(checking, { capBytes: mib })).stableBytes).toBe(mib)
  })

  test('an abort and a closed executor end it without a figure', async () => {
    const cpu = createCpuExecutor()
    const aborted = measureMemoryStability(cpu, { capBytes: mib, signal: AbortSignal.abort() })
    await expect(aborted).rejects.toMatchObject({ kind: 'aborted' })
    await cpu.close()
    await expect(measureMemoryStability(cpu, { capBytes: mib })).rejects.toMatchObject({ kind: 'closed' })
  })
})

const gpu = await findGpu({ allowSoftware: true })
if ('refusal' in gpu) {
  test.skip(`on WebGPU (${gpu.refusal.message})`, () => {})
} else {
  const software = (await gpu.requestAdapter())?.info.isFallbackAdapter === true
  describe('on WebGPU', () => {
    const open = async () => {
      const opened = await openWebGpu(gpu, { allowSoftware: true })
      if (!opened.ok) throw new Error(opened.refusal.message)
      return opened.executor
    }

    test('memory holds, and programs run afterwards', async () => {
      const executor = await open()
      const measured = await measureMemoryStability(executor, { capBytes: 6 * mib, firstBytes: 2 * mib })
      expect(measured.stableBytes).toBe(6 * mib)
      const program = matmulProgram({ m: 3, k: 5, n: 2 })
      const input = scatteredInput(program)
      const { output } = await executor.execute(program, input)
      expect(output).toEqual((await createReferenceExecutor().execute(program, input)).output)
      await executor.close()
      await expect(measureMemoryStability(executor, { capBytes: mib })).rejects.toMatchObject({
        kind: 'closed',
      })
    })

    // A real GPU may well have this much; SwiftShader states a limit that it cannot serve.
    test.skipIf(!software)('that is refused ends the trial, and the device lives on', async () => {
      const adapter = await gpu.requestAdapter()
      if (adapter === null) throw new Error('the adapter has gone')
      const device = await adapter.requestDevice({ requiredLimits: requiredLimits(adapter.limits) })
      const create = device.createBuffer.bind(device)
      device.createBuffer = (wanted) =>
        create({ ...wanted, size: wanted.size > 2 * mib ? device.limits.maxBufferSize : wanted.size })
      const executor = await createWebGpuExecutor(device, 'test', { isSoftware: true })
      const options = { capBytes: 16 * mib, firstBytes: mib }
      const { stableBytes, steps } = await measureMemoryStability(executor, options)
      expect(stableBytes).toBe(2 * mib)
      expect(steps.map(({ ok }) => ok)).toEqual([true, true, false])
      expect(steps.at(-1)?.reason).toStartWith('outOfMemory: ')
      expect((await measureMemoryStability(executor, { capBytes: mib })).stableBytes).toBe(mib)
      await executor.close()
    })

    test('that does not keep what is written is found', async () => {
      const adapter = await gpu.requestAdapter()
      if (adapter === null) throw new Error('the adapter has gone')
      const device = await adapter.requestDevice({ requiredLimits: requiredLimits(adapter.limits) })
      // The kernel that writes skips one word of each block.
      const create = device.createShaderModule.bind(device)
      device.createShaderModule = (wanted) =>
        create({
          ...wanted,
          code: wanted.code.replace('if (isWriting)', 'if (isWriting && index == 7u) {} else if (isWriting)'),
        })
      const executor = await createWebGpuExecutor(device, 'test', { isSoftware: software })
      const { stableBytes, steps } = await measureMemoryStability(executor, { capBytes: mib })
      expect(stableBytes).toBe(0)
      expect(steps[0]?.reason).toBe('outOfMemory: 1 of 262144 words did not keep what was written')
      await executor.close()
    })
  })
}
