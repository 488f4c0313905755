/**
 * Products whose sums are too wide for the check's modulus, cut along k into parts that are not, and added up (spec T8). Where
 * even the whole sum could leave int32 there is nothing to cut, and inference refuses it.
 */
import { checkModulus } from '../modulus.ts'
import { dtypeFacts } from '../tensor.ts'
import { multiplyRanges, scaleRange, type Value } from '../value.ts'
import { addNode, type Draft, type Source } from './draft.ts'

/** How many parts a product of these operands needs; 1 as well where inference has something to refuse. */
function partsOf(a: Value, b: Value): number {
  const k = a.shape.at(-1) ?? 0
  const products = multiplyRanges(a, b)
  const width = products.max - products.min
  const sums = scaleRange(products, k)
  if (sums.min < dtypeFacts.i32.min || sums.max > dtypeFacts.i32.max) return 1
  return Math.max(Math.ceil(k / Math.floor((checkModulus - 1) / width)), 1)
}

/** The entries from `start` to `end` along one axis. */
function cut(draft: Draft, x: Source, axis: number, start: number, end: number): Source {
  const { shape } = x.value
  const starts = shape.map(() => 0).with(axis, start)
  const sizes = shape.with(axis, end - start)
  const steps = shape.map(() => 1)
  return addNode(draft, (numberOf) => ({ op: 'slice', x: numberOf(x), starts, sizes, steps }))
}

export function addMatmul(draft: Draft, a: Source, b: Source, transposeB: boolean): Source {
  const product = (left: Source, right: Source) =>
    addNode(draft, (numberOf) => ({ op: 'matmul', a: numberOf(left), b: numberOf(right), transposeB }))
  const k = a.value.shape.at(-1) ?? 0
  const bAxis = transposeB ? -1 : -2
  const parts = b.value.shape.at(bAxis) === k ? partsOf(a.value, b.value) : 1
  if (parts === 1) return product(a, b)
  const sums = Array.from({ length: parts }, (_, part) => {
    const [start, end] = [Math.floor((k * part) / parts), Math.floor((k * (part + 1)) / parts)]
    return product(cut(draft, a, -1, start, end), cut(draft, b, bAxis, start, end))
  })
  return sums.reduce((x, y) => addNode(draft, (numberOf) => ({ op: 'add', x: numberOf(x), y: numberOf(y) })))
}
