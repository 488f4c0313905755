/** T20: C = A · B over int8 or uint8 rows and int8 columns, with exact int32 sums. Checked by projection, not replayed. */
import { field, flag } from '@shardy/protocol'
import { checkedSum } from '../modulus.ts'
import { operation } from '../operation.ts'
import { entryAt, type Shape, sizeOf } from '../tensor.ts'
import { broken, describeType, multiplyRanges, resultOf, scaleRange, type Value } from '../value.ts'

/** How a product is laid out: `batch` products of m × k by k × n; one B may serve the whole batch. */
export interface MatmulLayout {
  readonly batch: number
  readonly m: number
  readonly k: number
  readonly n: number
  readonly sharedB: boolean
}

type Operand = Pick<Value, 'shape'>

/** For operands that inference accepted. With one B for all, the batch is folded into the rows. */
export function matmulLayout(a: Operand, b: Operand, transposeB: boolean): MatmulLayout {
  const [rows = 0, k = 0] = a.shape.slice(-2)
  const n = b.shape.at(transposeB ? -2 : -1) ?? 0
  const leading = sizeOf(a.shape.slice(0, -2))
  const sharedB = b.shape.length === 2
  return sharedB ? { batch: 1, m: leading * rows, k, n, sharedB } : { batch: leading, m: rows, k, n, sharedB }
}

function sameShape(left: Shape, right: Shape): boolean {
  return left.length === right.length && left.every((size, index) => size === right[index])
}

export const matmul = operation({
  op: 'matmul',
  operands: ['a', 'b'],
  attributes: {
    /** B lies as n × k, each column of the product contiguous. */
    transposeB: field(8, flag()),
  },
  infer([a, b], { transposeB }) {
    if (a.dtype !== 'i8' && a.dtype !== 'u8') return broken(`a is ${describeType(a)}, expected i8 or u8`)
    if (b.dtype !== 'i8') return broken(`b is ${describeType(b)}, expected i8`)
    for (const [name, value] of Object.entries({ a, b })) {
      if (value.shape.length < 2) {
        return broken(`${name} is ${describeType(value)}, expected two dimensions or more`)
      }
    }
    const batched = b.shape.length !== 2
    if (batched && !sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2))) {
      return broken(`b is ${describeType(b)}: its leading dimensions are not those of a, ${describeType(a)}`)
    }
    const k = a.shape.at(-1) ?? 0
    const bK = b.shape.at(transposeB ? -1 : -2)
    if (bK !== k) return broken(`a has rows of ${k}, b has columns of ${bK}`)
    const { n } = matmulLayout(a, b, transposeB)
    const sums = scaleRange(multiplyRanges(a, b), k)
    return checkedSum(resultOf('i32', [...a.shape.slice(0, -1), n], sums), `split k = ${k} and add the parts`)
  },
  evaluate([a, b], { transposeB }, { dtype, shape }) {
    const { batch, m, k, n } = matmulLayout(a, b, transposeB)
    const data = new Int32Array(sizeOf(shape))
    for (let index = 0; index < data.length; index++) {
      const column = index % n
      const row = Math.floor(index / n)
      const product = Math.floor(row / m)
      const b0 = batch === 1 ? 0 : product * k * n
      let sum = 0 // Exact: inference bounded every partial sum.
      for (let inner = 0; inner < k; inner++) {
        const at = transposeB ? column * k + inner : inner * n + column
        sum += entryAt(a.data, row * k + inner) * entryAt(b.data, b0 + at)
      }
      data[index] = sum
    }
    return { dtype, shape, data }
  },
  work([a], _attributes, { shape }) {
    return sizeOf(shape) * (a.shape.at(-1) ?? 0)
  },
})
