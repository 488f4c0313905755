/**
 * The heavy operations on one core: products and convolutions by the WASM kernel. A convolution is a product of its
 * windows, laid out as rows block by block, with the weights of each group. Right sides that are constants stay packed
 * from one program to the next.
 */
import { conv2dLayout, matmulLayout, type NodeFor, type Tensor, type Value } from '@shardy/tensor'
import { copyRun } from './layout.ts'
import type { Multiplier } from './multiplier.ts'
import { multiplyBy } from './parts.ts'
import { inSteps } from './steps.ts'
import { layOutWindows } from './windows.ts'

/** At every pause the part done, 0 to 1, or what must be waited for; the tensor at the end. */
export type Work = Generator<number | Promise<void>, Tensor, void>

/** The part of the whole, when `done` of `count` are done and so much of the next; or what must be waited for. */
function partOf(part: number | Promise<void>, done: number, count: number): number | Promise<void> {
  return typeof part === 'number' ? Math.min(1, (done + part) / count) : part
}

function int8(tensor: Tensor): Int8Array {
  if (tensor.data instanceof Int8Array) return tensor.data
  throw new TypeError(`a right side is int8, not ${tensor.dtype}`)
}

function bytes({ data, dtype }: Tensor): Int8Array | Uint8Array {
  if (data instanceof Int8Array || data instanceof Uint8Array) return data
  throw new TypeError(`a left side is int8 or uint8, not ${dtype}`)
}

export function* runMatmul(
  multiplier: Multiplier,
  node: NodeFor<'matmul'>,
  [a, b]: readonly [Tensor, Tensor],
  { dtype, shape }: Value,
): Work {
  const { batch, m, k, n } = matmulLayout(a, b, node.transposeB)
  const layout = node.transposeB ? 'transposed' : 'rows'
  const [left, right] = [bytes(a), int8(b)]
  const data = new Int32Array(multiplier.allocate(4 * batch * m * n))
  for (let index = 0; index < batch; index++) {
    const columns = right.subarray(index * k * n, (index + 1) * k * n)
    const rows = left.subarray(index * m * k, (index + 1) * m * k)
    const own = { operand: node.b, part: `${index}`, b: columns, shape: { k, n, layout } } as const
    const multiply = multiplyBy(multiplier, own)
    const work = multiply(rows, m, data.subarray(index * m * n, (index + 1) * m * n))
    for (const part of work) yield partOf(part, index, batch)
  }
  return { dtype, shape, data }
}

/** The entries that windows laid out at a time may take. */
const windowBytesMax = 4 * 2 ** 20

export function* runConv2d(
  multiplier: Multiplier,
  node: NodeFor<'conv2d'>,
  [x, w]: readonly [Tensor, Tensor],
  { dtype, shape }: Value,
): Work {
  const { allocate } = multiplier
  const layout = conv2dLayout(x, w, node)
  const { images, outHeight, outWidth, outputs, windowH, windowW, groupChannels, groupOutputs } = layout
  const [image, weights] = [bytes(x), int8(w)]
  const k = windowH * windowW * groupChannels
  const places = images * outHeight * outWidth
  const blockPlaces = Math.max(1, Math.min(places, Math.floor(windowBytesMax / k)))
  const memory = allocate(blockPlaces * k)
  const rows = image instanceof Int8Array ? new Int8Array(memory) : new Uint8Array(memory)
  const sums = new Int32Array(allocate(4 * blockPlaces * groupOutputs))
  const data = new Int32Array(places * outputs)
  for (let group = 0; group < node.groups; group++) {
    const b = weights.subarray(group * groupOutputs * k, (group + 1) * groupOutputs * k)
    const weightShape = { k, n: groupOutputs, layout: 'transposed' } as const
    const multiply = multiplyBy(multiplier, { operand: node.w, part: `${group}`, b, shape: weightShape })
    for (let first = 0; first < places; first += blockPlaces) {
      const end = Math.min(places, first + blockPlaces)
      const count = end - first
      const before = partOf(first / places, group, node.groups)
      for (const _ of layOutWindows(image, rows, layout, node, group, first, end)) yield before
      const own = sums.subarray(0, count * groupOutputs)
      for (const part of multiply(rows.subarray(0, count * k), count, own)) {
        yield typeof part === 'number' ? partOf((first + part * count) / places, group, node.groups) : part
      }
      const after = partOf(end / places, group, node.groups)
      const placing = (from: number, to: number) => {
        for (let place = from; place < to; place++) {
          const target = (first + place) * outputs + group * groupOutputs
          copyRun(data, target, own, place * groupOutputs, groupOutputs, 1)
        }
      }
      for (const _ of inSteps(count, placing, groupOutputs)) yield after
    }
  }
  return { dtype, shape, data }
}
