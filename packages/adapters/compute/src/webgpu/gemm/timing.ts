/** Times one product on made-up operands: the best of a few bursts, each long enough for the clock. */
import type { Buffers, Product, ProductSpec } from './product.ts'

const burstMs = 20
const bursts = 3
const repeatsMax = 1024

/** Bytes spread over the whole range, since constant ones run faster than real ones. */
function scatter(bytes: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(bytes / 4))
  let state = 0x9e3779b9
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state
  }
  return new Uint8Array(words.buffer)
}

export async function timeProduct(
  device: GPUDevice,
  { batch, m, k, n, sharedB }: ProductSpec,
  product: Product,
): Promise<number> {
  const made: GPUBuffer[] = []
  const allocate = (bytes: number): GPUBuffer => {
    const size = 16 * Math.ceil(bytes / 16)
    const buffer = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST })
    made.push(buffer)
    return buffer
  }
  const fill = (bytes: number): GPUBuffer => {
    const buffer = allocate(bytes)
    device.queue.writeBuffer(buffer, 0, scatter(bytes))
    return buffer
  }
  try {
    const { packedBytes } = product
    const buffers: Buffers = {
      a: fill(packedBytes.a > 0 ? packedBytes.a : batch * m * k),
      b: fill(packedBytes.b > 0 ? packedBytes.b : (sharedB ? 1 : batch) * k * n),
      out: allocate(product.outputBytes),
      bias: fill(4 * n),
      multipliers: fill(4 * n),
      shifts: allocate(n),
      table: fill(1024),
    }
    const burst = async (repeats: number): Promise<number> => {
      const encoder = device.createCommandEncoder()
      const pass = encoder.beginComputePass()
      for (let repeat = 0; repeat < repeats; repeat++) product.encode(pass, buffers)
      pass.end()
      const beganMs = performance.now()
      device.queue.submit([encoder.finish()])
      await device.queue.onSubmittedWorkDone()
      return (performance.now() - beganMs) / repeats
    }
    await burst(1)
    const onceMs = Math.max(await burst(1), 1e-3)
    const repeats = Math.min(repeatsMax, Math.max(1, Math.ceil(burstMs / onceMs)))
    let bestMs = Number.POSITIVE_INFINITY
    for (let count = 0; count < bursts; count++) bestMs = Math.min(bestMs, await burst(repeats))
    return bestMs
  } finally {
    for (const buffer of made) buffer.destroy()
  }
}
