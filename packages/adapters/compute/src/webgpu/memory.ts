/**
 * The buffers of one executor, kept from one program to the next while their sizes fit and replaced when they do not.
 * Sizes are powers of two, so that programs of about one size share buffers and a small one does not hold a large one's.
 */
import { d, type TgpuBindGroup, type TgpuRoot } from 'typegpu'
import { matmulLayout, paramsSchema } from './kernel.ts'

interface Buffers {
  readonly inputBytes: number
  readonly outputBytes: number
  readonly input: GPUBuffer
  readonly output: GPUBuffer
  /** The one buffer that the host reads. */
  readonly staging: GPUBuffer
  readonly bindGroup: TgpuBindGroup
  destroy(): void
}

const smallestBytes = 4096

function bufferClass(bytes: number): number {
  return Math.max(smallestBytes, 2 ** Math.ceil(Math.log2(bytes)))
}

export function createMemory(root: TgpuRoot) {
  const { maxBufferSize, maxStorageBufferBindingSize } = root.device.limits
  const bytesMax = Math.min(maxBufferSize, maxStorageBufferBindingSize)
  const params = root.createBuffer(paramsSchema).$usage('uniform').$name('params')
  let held: Buffers | undefined

  function allocate(inputBytes: number, outputBytes: number): Buffers {
    const entries = root
      .createBuffer(d.arrayOf(d.u32, inputBytes / 4))
      .$usage('storage')
      .$name('entries')
    const sums = root
      .createBuffer(d.arrayOf(d.i32, outputBytes / 4))
      .$usage('storage')
      .$name('sums')
    const staging = root.device.createBuffer({
      label: 'staging',
      size: outputBytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    })
    return {
      inputBytes,
      outputBytes,
      input: root.unwrap(entries),
      output: root.unwrap(sums),
      staging,
      bindGroup: root.createBindGroup(matmulLayout, { params, entries, sums }),
      destroy() {
        entries.destroy()
        sums.destroy()
        staging.destroy()
      },
    }
  }

  return {
    params,
    /** The buffers for at least so many bytes; errors of a new allocation surface in the caller's scope. */
    fit(inputBytes: number, outputBytes: number): Buffers {
      const input = Math.max(inputBytes, Math.min(bytesMax, bufferClass(inputBytes)))
      const output = Math.max(outputBytes, Math.min(bytesMax, bufferClass(outputBytes)))
      if (held?.inputBytes === input && held.outputBytes === output) return held
      this.release()
      held = allocate(input, output)
      return held
    },
    release(): void {
      held?.destroy()
      held = undefined
    },
  }
}
