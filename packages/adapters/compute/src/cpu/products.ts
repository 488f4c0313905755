/**
 * The heavy operations on one core: products and convolutions by the WASM kernel. A convolution is a product of its
 * windows, laid out as rows block by block, with the weights of each group. Right sides that are constants stay packed
 * from one program to the next.
 */
import {
  type Conv2dLayout,
  conv2dLayout,
  matmulLayout,
  type NodeFor,
  type Tensor,
  type Value,
} from '@shardy/tensor'
import type { PackedRight, RightShape } from '../wasm/matmul.ts'

/** At every pause the part done, 0 to 1, or what must be waited for; the tensor at the end. */
export type Work = Generator<number | Promise<void>, Tensor, void>

/** Packs a right side, or finds it packed. `part` tells the groups and batches of one tensor apart. */
export type Pack = (operand: number, part: number, b: Int8Array, shape: RightShape) => PackedRight

/** The product C = A · B of rows by a packed right side, on this thread or on others. */
export interface Multiplier {
  readonly pack: Pack
  /** Memory that the multiplier can work in without copying. */
  readonly allocate: (bytes: number) => ArrayBufferLike
  multiply(
    a: Int8Array | Uint8Array,
    m: number,
    right: PackedRight,
    c: Int32Array,
  ): Generator<number | Promise<void>, unknown, void>
}

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
  { pack, allocate, multiply }: Multiplier,
  node: NodeFor<'matmul'>,
  [a, b]: readonly [Tensor, Tensor],
  { dtype, shape }: Value,
): Work {
  const { batch, m, k, n } = matmulLayout(a, b, node.transposeB)
  const layout = node.transposeB ? 'transposed' : 'rows'
  const [left, right] = [bytes(a), int8(b)]
  const data = new Int32Array(allocate(4 * batch * m * n))
  for (let index = 0; index < batch; index++) {
    const packed = pack(node.b, index, right.subarray(index * k * n, (index + 1) * k * n), { k, n, layout })
    const rows = left.subarray(index * m * k, (index + 1) * m * k)
    const work = multiply(rows, m, packed, data.subarray(index * m * n, (index + 1) * m * n))
    for (let step = work.next(); !step.done; step = work.next()) yield partOf(step.value, index, batch)
  }
  return { dtype, shape, data }
}

/** The entries that windows laid out at a time may take. */
const windowBytesMax = 4 * 2 ** 20

/** Windows `first` up to `end` of one group, one row each: KH × KW × channels of the group, as the weights lie. */
function layOutWindows(
  x: Int8Array | Uint8Array,
  rows: Int8Array | Uint8Array,
  layout: Conv2dLayout,
  node: NodeFor<'conv2d'>,
  group: number,
  first: number,
  end: number,
): void {
  const { height, width, channels, windowH, windowW, outHeight, outWidth, groupChannels } = layout
  const { strideH, strideW, dilationH, dilationW, padTop, padLeft, padValue } = node
  let target = 0
  for (let place = first; place < end; place++) {
    const left = (place % outWidth) * strideW - padLeft
    const top = (Math.floor(place / outWidth) % outHeight) * strideH - padTop
    const image = Math.floor(place / (outWidth * outHeight)) * height
    for (let row = 0; row < windowH; row++) {
      const y = top + row * dilationH
      for (let column = 0; column < windowW; column++) {
        const at = left + column * dilationW
        if (y < 0 || y >= height || at < 0 || at >= width) {
          rows.fill(padValue, target, target + groupChannels)
        } else {
          const source = ((image + y) * width + at) * channels + group * groupChannels
          for (let channel = 0; channel < groupChannels; channel++) {
            rows[target + channel] = x[source + channel] ?? 0
          }
        }
        target += groupChannels
      }
    }
  }
}

export function* runConv2d(
  { pack, allocate, multiply }: Multiplier,
  node: NodeFor<'conv2d'>,
  [x, w]: readonly [Tensor, Tensor],
  { dtype, shape }: Value,
): Work {
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
    const own = weights.subarray(group * groupOutputs * k, (group + 1) * groupOutputs * k)
    const packed = pack(node.w, group, own, { k, n: groupOutputs, layout: 'transposed' })
    for (let first = 0; first < places; first += blockPlaces) {
      const end = Math.min(places, first + blockPlaces)
      layOutWindows(image, rows, layout, node, group, first, end)
      const count = end - first
      const left = rows.subarray(0, count * k)
      const work = multiply(left, count, packed, sums.subarray(0, count * groupOutputs))
      for (let step = work.next(); !step.done; step = work.next()) {
        yield partOf(step.value, group + first / places, node.groups)
      }
      for (let place = 0; place < count; place++) {
        const target = (first + place) * outputs + group * groupOutputs
        data.set(sums.subarray(place * groupOutputs, (place + 1) * groupOutputs), target)
      }
    }
  }
  return { dtype, shape, data }
}
