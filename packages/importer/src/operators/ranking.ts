/** Operators along one axis: shares by Softmax, the winner by ArgMax. */
import { softmaxTable } from '@shardy/tensor'
import { axisOf, intOf } from '../attributes.ts'
import type { GraphNode } from '../graph.ts'
import { plainOrder, shapeOf } from '../lower/lowered.ts'
import { isBytes, isUniform, oneScale, scaleOf, settled, turnedReal, uniform } from '../lower/real.ts'
import { constantTerm, fixedPoint } from '../lower/scene.ts'
import { type OnnxTensor, sizeOf, tensorOf } from '../onnx/tensor.ts'
import { refuse } from '../refusal.ts'
import { lastOrder } from './affine.ts'
import { floats, given, madeReal, type Operator, realAt } from './operator.ts'

/** Before opset 13, everything from the axis on is one row. */
function softmaxAxis(node: GraphNode, shape: readonly number[]): number {
  const isOld = node.opset < 13
  const axis = axisOf(node, intOf(node, 'axis', isOld ? 1 : -1), shape.length)
  if (isOld && sizeOf(shape.slice(axis + 1)) !== 1) {
    refuse('unsupported', node.label, `takes shares over several axes of [${shape.join(',')}]`)
  }
  return axis
}

/** The rows along an axis: their entries lie `inner` apart. */
function eachRow(
  { shape }: OnnxTensor,
  axis: number,
  visit: (indices: readonly number[], row: number) => void,
): void {
  const inner = sizeOf(shape.slice(axis + 1))
  const size = shape[axis] ?? 1
  const rows = sizeOf(shape) / size
  for (let row = 0; row < rows; row++) {
    const first = Math.floor(row / inner) * inner * size + (row % inner)
    visit(
      Array.from({ length: size }, (_, index) => first + index * inner),
      row,
    )
  }
}

/** Sums are brought to this scale first: a distance of 255 is then e^-8, of which no share is left. */
const logitScale = 1 / 32

export const softmax: Operator = {
  attributes: ['axis'],
  operands: [1, 1],
  evaluate(node, operands) {
    const x = given(node, operands, 0)
    const data = new Float32Array(x.data.length)
    eachRow(x, softmaxAxis(node, x.shape), (indices) => {
      const largest = Math.max(...indices.map((index) => x.data[index] as number))
      const weights = indices.map((index) => Math.exp((x.data[index] as number) - largest))
      const sum = weights.reduce((left, right) => left + right, 0)
      for (const [at, index] of indices.entries()) data[index] = (weights[at] as number) / sum
    })
    return floats(x.shape, data)
  },
  lower(scene, node, operands) {
    const { label } = node
    const real = settled(scene, realAt(node, operands, 0), label)
    const axis = softmaxAxis(node, shapeOf(real))
    const order = lastOrder(real.order.length, axis)
    const isFine = !isBytes(real)
    const single = isFine ? uniform(scene, real, label) : real
    const { term } = turnedReal(scene, single, order, label)
    const scaled = isFine
      ? term.requantize({ ...fixedPoint(scaleOf(single) / logitScale, label), to: 'i32' })
      : term
    const table = softmaxTable(isFine ? logitScale : scaleOf(single))
    const shares = scaled.softmax(constantTerm(scene, table, [table.length]))
    return madeReal({ term: shares, order, scales: [1 / 255] })
  },
}

export const argMax: Operator = {
  attributes: ['axis', 'keepdims', 'select_last_index'],
  operands: [1, 1],
  evaluate(node, operands) {
    const x = given(node, operands, 0)
    const axis = axisOf(node, intOf(node, 'axis', 0), x.shape.length)
    const winners = new Float64Array(sizeOf(x.shape.with(axis, 1)))
    eachRow(x, axis, (indices, row) => {
      const entries = indices.map((index) => x.data[index] as number)
      winners[row] = entries.indexOf(Math.max(...entries))
    })
    const kept = intOf(node, 'keepdims', 1) !== 0
    return tensorOf('i64', kept ? x.shape.with(axis, 1) : x.shape.toSpliced(axis, 1), winners)
  },
  lower(scene, node, operands) {
    const { label } = node
    if (intOf(node, 'select_last_index', 0) !== 0) refuse('unsupported', label, 'asks for the last of equals')
    const real = realAt(node, operands, 0)
    const shape = shapeOf(real)
    const axis = axisOf(node, intOf(node, 'axis', 0), shape.length)
    const single = isUniform(real) ? settled(scene, real, label) : uniform(scene, real, label)
    const turned = turnedReal(scene, oneScale(scene, single, label), lastOrder(shape.length, axis), label)
    // Under a scale below zero the smallest integer stands for the largest number.
    const ranked = scaleOf(turned) < 0 ? turned.term.multiply(Int32Array.of(-1)) : turned.term
    const winners = ranked.argmax()
    const kept = intOf(node, 'keepdims', 1) !== 0
    const wanted = kept ? shape.with(axis, 1) : shape.toSpliced(axis, 1)
    const term =
      wanted.length === 0 || wanted.join() === winners.shape.join() ? winners : winners.reshape(wanted)
    return { kind: 'integers', term, order: plainOrder(term.shape.length), folded: undefined }
  },
}
