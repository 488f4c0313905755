/** One sum of a product or convolution, straight from its definition: what a sample of a result is compared with. */
import { conv2dLayout } from '../operations/conv2d.ts'
import type { Node } from '../operations/index.ts'
import { matmulLayout } from '../operations/matmul.ts'
import { entryAt, type Tensor } from '../tensor.ts'

/** Entry `entry` of the node's result, in row-major order. */
export function sumAt(node: Node, operands: readonly Tensor[], entry: number): number {
  const [left, right] = operands
  if (left === undefined || right === undefined) throw new Error('a product has two operands')
  if (node.op === 'matmul') {
    const { batch, m, k, n } = matmulLayout(left, right, node.transposeB)
    const row = Math.floor(entry / n)
    const column = entry % n
    const first = batch === 1 ? 0 : Math.floor(row / m) * k * n
    let sum = 0
    for (let inner = 0; inner < k; inner++) {
      const at = node.transposeB ? column * k + inner : inner * n + column
      sum += entryAt(left.data, row * k + inner) * entryAt(right.data, first + at)
    }
    return sum
  }
  if (node.op !== 'conv2d') throw new Error(`${node.op} has no sums`)
  const {
    height,
    width,
    channels,
    windowH,
    windowW,
    outHeight,
    outWidth,
    outputs,
    groupChannels,
    groupOutputs,
  } = conv2dLayout(left, right, node)
  const output = entry % outputs
  const place = Math.floor(entry / outputs)
  const image = Math.floor(place / (outWidth * outHeight))
  const firstRow = (Math.floor(place / outWidth) % outHeight) * node.strideH - node.padTop
  const firstColumn = (place % outWidth) * node.strideW - node.padLeft
  const firstChannel = Math.floor(output / groupOutputs) * groupChannels
  let weight = output * windowH * windowW * groupChannels
  let sum = 0
  for (let tap = 0; tap < windowH * windowW; tap++) {
    const row = firstRow + Math.floor(tap / windowW) * node.dilationH
    const column = firstColumn + (tap % windowW) * node.dilationW
    const isInside = row >= 0 && row < height && column >= 0 && column < width
    const pixel = ((image * height + row) * width + column) * channels + firstChannel
    for (let channel = 0; channel < groupChannels; channel++, weight++) {
      const value = isInside ? entryAt(left.data, pixel + channel) : node.padValue
      sum += value * entryAt(right.data, weight)
    }
  }
  return sum
}
