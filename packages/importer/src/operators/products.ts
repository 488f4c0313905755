/** Products and convolutions of plain numbers, in doubles: sums of integers are exact as far as int32 reaches and beyond. */
import type { GraphNode } from '../graph.ts'
import { checkedSize, type NumberArray, type OnnxTensor, sizeOf } from '../onnx/tensor.ts'
import { refuse } from '../refusal.ts'
import { type Window, windowOf } from './window.ts'

type Tensor = Pick<OnnxTensor, 'shape' | 'data'>

/** Steps of one node on one sample: a file may ask for far more than it has bytes. */
const workMax = 2 ** 36

export function assertWork({ label }: GraphNode, work: number): void {
  if (work > workMax) refuse('tooLarge', label, `takes ${work} steps, the limit is ${workMax}`)
}

export interface Product {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

/** [..., m, k] by [k, n]. */
export function multiplied(node: GraphNode, a: Tensor, b: Tensor): Product {
  const { label } = node
  const [k = 0, n = 0] = b.shape
  if (b.shape.length !== 2 || a.shape.length < 2) {
    refuse(
      'unsupported',
      label,
      `multiplies [${a.shape.join(',')}] by [${b.shape.join(',')}]; rows by a matrix are understood`,
    )
  }
  if (a.shape.at(-1) !== k) {
    refuse('inconsistent', label, `multiplies [${a.shape.join(',')}] by [${b.shape.join(',')}]`)
  }
  const shape = [...a.shape.slice(0, -1), n]
  const size = checkedSize(shape, label)
  assertWork(node, size * k)
  const data = new Float64Array(size)
  const rows = n === 0 ? 0 : size / n
  for (let row = 0; row < rows; row++) {
    const sums = data.subarray(row * n, (row + 1) * n)
    for (let inner = 0; inner < k; inner++)
      addScaled(sums, b.data, inner * n, a.data[row * k + inner] as number)
  }
  return { shape, data }
}

function addScaled(sums: Float64Array, data: NumberArray, at: number, factor: number): void {
  if (factor === 0) return
  for (let index = 0; index < sums.length; index++) {
    sums[index] = (sums[index] as number) + factor * (data[at + index] as number)
  }
}

export interface ConvLayout {
  readonly window: Window
  readonly groups: number
  readonly shape: readonly number[]
}

export function convLayout(
  node: GraphNode,
  x: readonly number[],
  w: readonly number[],
  groups: number,
): ConvLayout {
  const { label } = node
  const [images = 0, channels = 0] = x
  const [outputs = 0, groupChannels = 0, height = 0, width = 0] = w
  if (w.length !== 4 || height < 1 || width < 1) {
    refuse('unsupported', label, `has weights [${w.join(',')}]; four dimensions are understood`)
  }
  const window = windowOf(node, x, [height, width])
  if (groups < 1 || outputs % groups !== 0 || groupChannels * groups !== channels) {
    refuse(
      'inconsistent',
      label,
      `has ${groups} groups, weights [${w.join(',')}] and an operand [${x.join(',')}]`,
    )
  }
  return { window, groups, shape: [images, outputs, ...window.out] }
}

/** Images [N, C, H, W] by weights [O, C / groups, KH, KW]. */
export function convolved(node: GraphNode, x: Tensor, w: Tensor, groups: number): Product {
  const { window, shape } = convLayout(node, x.shape, w.shape, groups)
  const size = checkedSize(shape, node.label)
  assertWork(node, size * sizeOf(w.shape.slice(1)))
  const data = new Float64Array(size)
  const [images = 0, outputs = 0, rows = 0, columns = 0] = shape
  const [, channels = 0, height = 0, width = 0] = x.shape
  const [, groupChannels = 0, kernelH = 0, kernelW = 0] = w.shape
  const { strides, dilations, before } = window
  let weight = 0
  const planes = images * outputs
  for (let plane = 0; plane < planes; plane++) {
    const output = plane % outputs
    const firstChannel = Math.floor(output / (outputs / groups)) * groupChannels
    weight = output * groupChannels * kernelH * kernelW
    for (let channel = 0; channel < groupChannels; channel++) {
      const image = (Math.floor(plane / outputs) * channels + firstChannel + channel) * height * width
      for (let row = 0; row < kernelH; row++) {
        for (let column = 0; column < kernelW; column++) {
          const factor = w.data[weight++] as number
          if (factor === 0) continue
          const left = column * dilations[1] - before[1]
          const first = Math.max(Math.ceil(-left / strides[1]), 0)
          const end = Math.min(Math.ceil((width - left) / strides[1]), columns)
          for (let outRow = 0; outRow < rows; outRow++) {
            const inRow = outRow * strides[0] - before[0] + row * dilations[0]
            if (inRow < 0 || inRow >= height) continue
            const to = (plane * rows + outRow) * columns
            const from = image + inRow * width + left
            for (let outColumn = first; outColumn < end; outColumn++) {
              const at = to + outColumn
              data[at] = (data[at] as number) + factor * (x.data[from + outColumn * strides[1]] as number)
            }
          }
        }
      }
    }
  }
  return { shape, data }
}
