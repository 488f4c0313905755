/** Bytes on their way back: regions copied to a buffer that the host may map, as many at once as it holds. */
import { type Block, blocksOf } from '../plan/draft.ts'

const stagingBytesMax = 64 * 2 ** 20

interface Piece extends Block {
  readonly region: number
  readonly offset: number
}

/** What is wanted of each region, packed into loads of one staging buffer. */
function loadsOf(wanted: ReadonlyMap<number, number>): readonly (readonly Piece[])[] {
  const loads: Piece[][] = []
  let filled = stagingBytesMax
  for (const [region, bytes] of wanted) {
    for (const { from, to } of blocksOf(bytes, stagingBytesMax)) {
      if (filled + (to - from) > stagingBytesMax) {
        loads.push([])
        filled = 0
      }
      loads.at(-1)?.push({ region, from, to, offset: filled })
      filled += to - from
    }
  }
  return loads
}

/** The first `bytes` of each region; they are whole words. */
export async function readRegions(
  device: GPUDevice,
  wanted: ReadonlyMap<number, number>,
  bufferOf: (region: number) => GPUBuffer,
  wait: <T>(answer: Promise<T>) => Promise<T>,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const read = new Map(Array.from(wanted, ([region, bytes]) => [region, new Uint8Array(bytes)]))
  const loads = loadsOf(wanted)
  const bytesOf = (pieces: readonly Piece[]) => pieces.reduce((sum, { from, to }) => sum + to - from, 0)
  const size = Math.max(0, ...loads.map(bytesOf))
  if (size === 0) return read
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST
  const staging = device.createBuffer({ label: 'staging', size, usage })
  try {
    for (const pieces of loads) {
      const encoder = device.createCommandEncoder()
      for (const { region, from, to, offset } of pieces) {
        encoder.copyBufferToBuffer(bufferOf(region), from, staging, offset, to - from)
      }
      device.queue.submit([encoder.finish()])
      await wait(staging.mapAsync(GPUMapMode.READ))
      const mapped = new Uint8Array(staging.getMappedRange())
      for (const { region, from, to, offset } of pieces) {
        read.get(region)?.set(mapped.subarray(offset, offset + to - from), from)
      }
      staging.unmap()
    }
  } finally {
    staging.destroy()
  }
  return read
}
