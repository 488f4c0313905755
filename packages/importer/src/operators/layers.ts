/**
 * Layers on bytes: the products of a Conv, a Gemm or a MatMul with constant weights as exact int32 sums. What the zero
 * points of input and weights add to a sum is known beforehand, and goes into the bias.
 */
import type { Term } from '@shardy/tensor'
import type { GraphNode } from '../graph.ts'
import { type Constant, channelsLast, isOrdered, plainOrder, type Real } from '../lower/lowered.ts'
import { scaleOf, turnedReal } from '../lower/real.ts'
import { constantTerm, int32Of, type Scene } from '../lower/scene.ts'
import { splitToBytes, sumsOf, type Weights } from '../lower/weights.ts'
import { refuse } from '../refusal.ts'
import { madeReal } from './operator.ts'
import { type ConvLayout, convLayout } from './products.ts'
import { padsOf, stridesOf } from './window.ts'

/** A product with each part of the weights, added up. */
function sumOfParts(codes: Int16Array, product: (part: Int8Array) => Term): Term {
  return splitToBytes(codes)
    .map(product)
    .reduce((left, right) => left.add(right))
}

interface Layer {
  readonly x: Real
  readonly weights: Weights
  readonly shape: readonly number[]
  /** The axis of the outputs in `shape`. */
  readonly axis: number
  /** Real, one for each output. */
  readonly bias: readonly number[] | undefined
}

/** The bias in units of the sums, less what the zero point of the input adds to them. */
function withBias(scene: Scene, { label }: GraphNode, term: Term, layer: Layer): Term {
  const { x, weights, shape, axis, bias } = layer
  const sums = sumsOf(weights.codes, shape, axis)
  const biases = sums.map((sum, output) => {
    const unit = scaleOf(x) * (weights.scales[output] as number)
    return Math.round((bias?.[output] ?? 0) / unit) - x.zeroPoint * sum
  })
  if (biases.every((entry) => entry === 0)) return term
  return term.bias(constantTerm(scene, int32Of(biases, label, 'the bias'), [biases.length]))
}

function scalesOf({ x, weights }: Layer): readonly number[] {
  const scales = weights.scales.map((scale) => scale * scaleOf(x))
  return scales.every((scale) => scale === scales[0]) ? scales.slice(0, 1) : scales
}

/** The real operand of a convolution, its channels last, with the layout that follows. */
export function imageOf(
  scene: Scene,
  node: GraphNode,
  x: Real,
  weights: Constant,
  groups: number,
): { readonly x: Real; readonly layout: ConvLayout } {
  const turned = turnedReal(scene, x, channelsLast(x.order.length), node.label)
  const [images = 0, height = 0, width = 0, channels = 0] = turned.term.shape
  const isImage = x.order.length === 4
  const shape = isImage ? [images, channels, height, width] : turned.term.shape
  return { x: turned, layout: convLayout(node, shape, weights.tensor.shape, groups) }
}

/** Weights [O, C / groups, KH, KW] laid out as [O, KH, KW, C / groups]. */
function relaid(codes: Int16Array, shape: readonly number[]): Int16Array {
  const [outputs = 0, channels = 0, height = 0, width = 0] = shape
  const area = height * width
  const turned = new Int16Array(codes.length)
  let to = 0
  for (let output = 0; output < outputs; output++) {
    for (let pixel = 0; pixel < area; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        turned[to++] = codes[(output * channels + channel) * area + pixel] as number
      }
    }
  }
  return turned
}

/** `x` is bytes with channels last. */
export function convLayer(scene: Scene, node: GraphNode, layout: ConvLayout, layer: Layer): Real {
  const { x, weights, shape } = layer
  const [outputs = 0, channels = 0, height = 0, width = 0] = shape
  const { window, groups } = layout
  const options = {
    ...stridesOf(window),
    ...padsOf(window),
    dilationH: window.dilations[0],
    dilationW: window.dilations[1],
    groups,
    // What stands beside the image is the real zero.
    padValue: x.zeroPoint,
  }
  const sums = sumOfParts(relaid(weights.codes, shape), (part) =>
    x.term.conv2d(constantTerm(scene, part, [outputs, height, width, channels]), options),
  )
  const term = withBias(scene, node, sums, layer)
  return madeReal({ term, order: channelsLast(4), scales: scalesOf(layer) })
}

/** The row of the weights that belongs to each column of a folded image. */
function foldedRows({ shape, order }: NonNullable<Real['folded']>): readonly number[] {
  // Axis 0 is the batch in both; the others' strides in the ONNX value tell where an entry of the term comes from.
  const sizes = new Array<number>(order.length).fill(1)
  for (const [index, axis] of order.entries()) sizes[axis] = shape[index] ?? 1
  const strides = new Array<number>(order.length).fill(1)
  for (let axis = order.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] ?? 1) * (sizes[axis + 1] ?? 1)
  }
  let rows: readonly number[] = [0]
  for (const [index, axis] of order.entries()) {
    if (index === 0) continue
    const places = Array.from({ length: shape[index] ?? 1 }, (_, place) => place * (strides[axis] ?? 1))
    rows = rows.flatMap((row) => places.map((place) => row + place))
  }
  return rows
}

/** Weights as [k, n], their rows in the order in which the columns of x lie. */
function matrixOf({ weights, shape, axis, x }: Layer): Int16Array {
  const [first = 0, second = 0] = shape
  const [k, n] = axis === 1 ? [first, second] : [second, first]
  const rows = x.folded === undefined ? undefined : foldedRows(x.folded)
  const matrix = new Int16Array(k * n)
  for (let row = 0; row < k; row++) {
    const from = rows?.[row] ?? row
    for (let column = 0; column < n; column++) {
      matrix[row * n + column] = weights.codes[axis === 1 ? from * n + column : column * k + from] as number
    }
  }
  return matrix
}

/** `x` is bytes [..., m, k], their axes in the order of ONNX but for a folded image. */
export function matmulLayer(scene: Scene, node: GraphNode, layer: Layer): Real {
  const { x, shape, axis } = layer
  const k = shape[1 - axis] ?? 0
  const n = shape[axis] ?? 0
  if (x.term.shape.length < 2 || x.term.shape.at(-1) !== k) {
    refuse('inconsistent', node.label, `multiplies rows of ${x.term.shape.at(-1)} by columns of ${k}`)
  }
  const sums = sumOfParts(matrixOf(layer), (part) => x.term.matmul(constantTerm(scene, part, [k, n])))
  const term = withBias(scene, node, sums, layer)
  return madeReal({ term, order: plainOrder(term.shape.length), scales: scalesOf(layer) })
}

/** Rows for a product: the axes as ONNX has them; a folded image may stay as it is. */
export function rowsOf(scene: Scene, x: Real, label: string): Real {
  const plain = plainOrder(x.order.length)
  return isOrdered(x.order, plain) ? x : turnedReal(scene, x, plain, label)
}
