/**
 * The WebGPU executor: one program at a time on one device that it owns, in slices of some tens of milliseconds, so
 * that no driver's watchdog ends it, a screen stays alive, and an abort or a lost device is seen soon.
 */
import { outputLength, type Program, plainProduct } from '@shardy/tensor'
import tgpu from 'typegpu'
import {
  admit,
  ComputeError,
  closedError,
  type ExecuteOptions,
  type Executor,
  throwIfAborted,
} from '../executor.ts'
import { guardDevice } from './guard.ts'
import { matmulKernel, multiplyAddsPerTile, tileSize } from './kernel.ts'
import { inputBufferBytes, refuseBeyondLimits } from './limits.ts'
import { createMemory } from './memory.ts'

const sliceMsMin = 20
const sliceMsMax = 80
const sliceMultiplyAddsMin = 2 ** 24
/** Workgroups in a line of a dispatch; far below any device's limit, and lines are many. */
const widthMax = 64

/** Takes the device over: closing the executor destroys it. Rejects with a `ComputeError` when the kernel is refused. */
export async function createWebGpuExecutor(device: GPUDevice, adapter: string): Promise<Executor> {
  const name = 'webgpu'
  const guard = guardDevice(device)
  const root = tgpu.initFromDevice({ device })
  const pipeline = root.createComputePipeline({ compute: matmulKernel })
  await guard.run('compiling the kernel', () => guard.wait(pipeline.initAsync()))
  const memory = createMemory(root)

  let turn: Promise<unknown> = Promise.resolve()
  /** Learned from slice to slice: devices differ by a factor of ten thousand. */
  let sliceMultiplyAdds = 2 ** 26

  function writeInput(buffer: GPUBuffer, program: Program, input: Uint8Array): void {
    const whole = input.length - (input.length % 4)
    if (whole > 0) device.queue.writeBuffer(buffer, 0, input, 0, whole)
    // The last entries, then zeros over what an earlier program may have left there.
    const rest = new Uint8Array(inputBufferBytes(program) - whole)
    rest.set(input.subarray(whole))
    device.queue.writeBuffer(buffer, whole, rest)
  }

  async function multiply(program: Program, input: Uint8Array, options: ExecuteOptions): Promise<Uint8Array> {
    const product = plainProduct(program)
    if (product === undefined) throw new ComputeError('beyondLimits', 'this executor runs plain products')
    const { m, k, n } = product
    const { signal, onProgress } = options
    const outputBytes = outputLength(program)
    const buffers = await guard.run('allocating buffers', async () =>
      memory.fit(inputBufferBytes(program), outputBytes),
    )
    return await guard.run('multiplying', async () => {
      writeInput(buffers.input, program, input)
      const tiles = Math.ceil(m / tileSize) * Math.ceil(n / tileSize)
      for (let firstTile = 0; firstTile < tiles; ) {
        const count = Math.max(1, Math.floor(sliceMultiplyAdds / multiplyAddsPerTile(k)))
        const endTile = Math.min(tiles, firstTile + count)
        const width = Math.min(endTile - firstTile, widthMax)
        memory.params.write({ m, k, n, firstTile, endTile, width })
        const beganMs = performance.now()
        pipeline.with(buffers.bindGroup).dispatchWorkgroups(width, Math.ceil((endTile - firstTile) / width))
        await guard.wait(device.queue.onSubmittedWorkDone())
        const tookMs = performance.now() - beganMs
        if (tookMs < sliceMsMin && endTile < tiles) sliceMultiplyAdds *= 2
        if (tookMs > sliceMsMax) sliceMultiplyAdds = Math.max(sliceMultiplyAddsMin, sliceMultiplyAdds / 2)
        throwIfAborted(signal)
        firstTile = endTile
        onProgress?.(Math.floor((1000 * endTile) / tiles))
      }
      const encoder = device.createCommandEncoder()
      encoder.copyBufferToBuffer(buffers.output, 0, buffers.staging, 0, outputBytes)
      device.queue.submit([encoder.finish()])
      await guard.wait(buffers.staging.mapAsync(GPUMapMode.READ, 0, outputBytes))
      const output = new Uint8Array(buffers.staging.getMappedRange(0, outputBytes).slice(0))
      buffers.staging.unmap()
      return output
    })
  }

  return {
    name,
    adapter,
    async execute(program, input, options = {}) {
      if (guard.ended !== undefined) throw guard.ended
      admit(program, input)
      throwIfAborted(options.signal)
      refuseBeyondLimits(program, device.limits)
      const answer = turn.then(() => {
        throwIfAborted(options.signal)
        return multiply(program, input, options)
      })
      turn = answer.catch(() => memory.release()) // Buffers of a failed call may be invalid or still in use.
      return { output: await answer, kept: new Map() }
    },
    async close() {
      guard.end(closedError(name))
      memory.release()
      memory.params.destroy()
      device.destroy()
    },
  }
}
