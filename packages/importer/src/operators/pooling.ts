/** Pooling of images. Means are exact sums with the scale divided, so that they round only where their value is needed as bytes. */
import { axisOf, intOf, intsOf } from '../attributes.ts'
import type { GraphNode } from '../graph.ts'
import { channelsLast, type Integers, type Real, shapeOf } from '../lower/lowered.ts'
import { asCodes, asSums, magnitudeOf, scaleOf, turnedReal } from '../lower/real.ts'
import { constantTerm, type Scene } from '../lower/scene.ts'
import { windowEntriesMax } from '../onnx/limits.ts'
import { checkedSize, type OnnxTensor, tensorOf } from '../onnx/tensor.ts'
import { refuse } from '../refusal.ts'
import { given, madeReal, numbersOf, type Operator, realAt } from './operator.ts'
import { assertWork } from './products.ts'
import { padsOf, stridesOf, type Window, windowAttributes, windowOf } from './window.ts'

/** Each window's entries that lie inside the image, as one number. */
function pooled(
  node: GraphNode,
  { dtype, shape, data }: OnnxTensor,
  window: Window,
  pool: (entries: readonly number[]) => number,
): OnnxTensor {
  const [images = 0, channels = 0, height = 0, width = 0] = shape
  const { kernel, strides, before, out, dilations } = window
  const size = checkedSize([images, channels, ...out], node.label)
  assertWork(node, size * kernel[0] * kernel[1])
  const results = new Float64Array(size)
  for (let index = 0; index < size; index++) {
    const column = index % out[1]
    const row = Math.floor(index / out[1]) % out[0]
    const plane = Math.floor(index / (out[0] * out[1])) * height * width
    const entries: number[] = []
    for (let y = 0; y < kernel[0]; y++) {
      const inRow = row * strides[0] - before[0] + y * dilations[0]
      if (inRow < 0 || inRow >= height) continue
      for (let x = 0; x < kernel[1]; x++) {
        const inColumn = column * strides[1] - before[1] + x * dilations[1]
        if (inColumn >= 0 && inColumn < width) entries.push(data[plane + inRow * width + inColumn] as number)
      }
    }
    results[index] = pool(entries)
  }
  return tensorOf(dtype, [images, channels, ...out], results)
}

const poolAttributes = [...windowAttributes, 'ceil_mode']

function refuseDilations({ label }: GraphNode, { dilations }: Window): void {
  if (dilations[0] !== 1 || dilations[1] !== 1) refuse('unsupported', label, 'pools with dilations')
}

function largest(entries: readonly number[]): number {
  return entries.reduce((most, entry) => Math.max(most, entry), Number.NEGATIVE_INFINITY)
}

function maxPooled<T extends Real | Integers>(value: T, window: Window): T {
  const [windowH, windowW] = window.kernel
  return { ...value, term: value.term.maxPool({ windowH, windowW, ...stridesOf(window), ...padsOf(window) }) }
}

/** Order is all that it asks for, so it works on bytes as they are. */
function lowerMax(
  scene: Scene,
  node: GraphNode,
  value: Real | Integers,
  windowFor: WindowFor,
): Real | Integers {
  const wanted = channelsLast(value.order.length)
  const window = windowFor(node, shapeOf(value))
  refuseDilations(node, window)
  if (value.kind === 'integers') {
    if (value.order.join() !== wanted.join()) {
      return refuse('unsupported', node.label, 'pools integers whose channels are not last')
    }
    return maxPooled(value, window)
  }
  return maxPooled(turnedReal(scene, asCodes(scene, value, node.label), wanted, node.label), window)
}

type WindowFor = (node: GraphNode, shape: readonly number[]) => Window

/** The whole image. */
function wholeWindow(node: GraphNode, shape: readonly number[]): Window {
  if (shape.length !== 4) {
    refuse(
      'unsupported',
      node.label,
      `is given [${shape.join(',')}]; images of four dimensions are understood`,
    )
  }
  const [, , height = 1, width = 1] = shape
  return {
    kernel: [height, width],
    strides: [1, 1],
    dilations: [1, 1],
    before: [0, 0],
    after: [0, 0],
    out: [1, 1],
    isExtended: false,
  }
}

function maxOperator(attributes: readonly string[], windowFor: WindowFor): Operator {
  return {
    attributes,
    operands: [1, 1],
    evaluate(node, operands) {
      const x = given(node, operands, 0)
      return pooled(node, x, windowFor(node, x.shape), largest)
    },
    lower(scene, node, operands) {
      const value = given(node, operands, 0)
      return lowerMax(scene, node, value.kind === 'integers' ? value : realAt(node, operands, 0), windowFor)
    },
  }
}

export const maxPool = maxOperator([...poolAttributes, 'storage_order'], windowOf)
export const globalMaxPool = maxOperator([], wholeWindow)

/** Whether what lies beside the image counts as zeros. */
function countsPadding(node: GraphNode, window: Window): boolean {
  const isCounted = intOf(node, 'count_include_pad', 0) !== 0
  if (isCounted && window.isExtended) {
    return refuse('unsupported', node.label, 'counts padding and rounds its size up')
  }
  return isCounted
}

function isPadded({ before, after }: Window): boolean {
  return [...before, ...after].some((pad) => pad > 0)
}

/** Bits that a mean has under a byte where its windows hold different numbers of entries. */
const meanBits = 12
const meanSumMax = 2 ** 29

function lowerMean(scene: Scene, node: GraphNode, value: Real, window: Window, countsPads: boolean): Real {
  const { label } = node
  refuseDilations(node, window)
  const x = turnedReal(scene, asCodes(scene, value, label), channelsLast(value.order.length), label)
  const channels = x.term.shape.at(-1) ?? 1
  const [windowH, windowW] = window.kernel
  const count = windowH * windowW
  if (count > windowEntriesMax) {
    refuse(
      'tooLarge',
      label,
      `takes the mean of ${windowH} x ${windowW}, the limit is ${windowEntriesMax} entries`,
    )
  }
  const { order } = x
  if (!isPadded(window) || countsPads) {
    const ones = constantTerm(scene, new Int8Array(channels * count).fill(1), [channels, windowH, windowW, 1])
    const options = { ...stridesOf(window), ...padsOf(window), groups: channels, padValue: x.zeroPoint }
    const sums = x.term.conv2d(ones, options)
    const centre = x.zeroPoint * count
    const term = centre === 0 ? sums : sums.subtract(Int32Array.of(centre))
    return madeReal({ term, order, scales: [scaleOf(x) / count] })
  }
  const sums = asSums(scene, x, label)
  const room = Math.floor(Math.log2(meanSumMax / (count * Math.max(magnitudeOf(sums.term), 1))))
  const bits = Math.min(Math.max(room, 0), meanBits)
  const fine = sums.term.multiply(Int32Array.of(2 ** bits))
  const term = fine.averagePool({ windowH, windowW, ...stridesOf(window), ...padsOf(window) })
  return madeReal({ term, order, scales: [scaleOf(sums) / 2 ** bits] })
}

function meanOf(node: GraphNode, x: OnnxTensor, window: Window, countsPads: boolean): OnnxTensor {
  const count = window.kernel[0] * window.kernel[1]
  return pooled(node, x, window, (entries) => {
    return entries.reduce((sum, entry) => sum + entry, 0) / (countsPads ? count : entries.length)
  })
}

export const averagePool: Operator = {
  attributes: [...poolAttributes, 'count_include_pad'],
  operands: [1, 1],
  evaluate(node, operands) {
    const x = given(node, operands, 0)
    const window = windowOf(node, x.shape)
    return meanOf(node, x, window, countsPadding(node, window))
  },
  lower(scene, node, operands) {
    const value = realAt(node, operands, 0)
    const window = windowOf(node, shapeOf(value))
    return lowerMean(scene, node, value, window, countsPadding(node, window))
  },
}

export const globalAveragePool: Operator = {
  attributes: [],
  operands: [1, 1],
  evaluate(node, operands) {
    const x = given(node, operands, 0)
    return meanOf(node, x, wholeWindow(node, x.shape), false)
  },
  lower(scene, node, operands) {
    const value = realAt(node, operands, 0)
    return lowerMean(scene, node, value, wholeWindow(node, shapeOf(value)), false)
  },
}

/** The mean over both axes of an image, as other tools write a global pooling. */
function refuseOtherMeans(node: GraphNode, rank: number, tensor: OnnxTensor | undefined): void {
  const axes = intsOf(node, 'axes') ?? (tensor === undefined ? [] : numbersOf(tensor))
  const wanted = axes.map((axis) => axisOf(node, axis, rank)).sort((left, right) => left - right)
  if (rank === 4 && wanted.join() === '2,3') return
  refuse(
    'unsupported',
    node.label,
    `takes means over the axes [${axes.join(',')}]; those of an image are understood`,
  )
}

export const reduceMean: Operator = {
  attributes: ['axes', 'keepdims', 'noop_with_empty_axes'],
  operands: [1, 2],
  evaluate(node, operands) {
    const x = given(node, operands, 0)
    refuseOtherMeans(node, x.shape.length, operands[1])
    const mean = meanOf(node, x, wholeWindow(node, x.shape), false)
    return intOf(node, 'keepdims', 1) === 0 ? { ...mean, shape: mean.shape.slice(0, 2) } : mean
  },
  lower(scene, node, operands) {
    const value = realAt(node, operands, 0)
    const axes = operands[1]
    refuseOtherMeans(node, value.order.length, axes?.kind === 'constant' ? axes.tensor : undefined)
    const mean = lowerMean(scene, node, value, wholeWindow(node, shapeOf(value)), false)
    if (intOf(node, 'keepdims', 1) !== 0) return mean
    const [images = 1, , , channels = 1] = mean.term.shape
    return { ...mean, term: mean.term.reshape([images, channels]), order: [0, 1] }
  },
}
