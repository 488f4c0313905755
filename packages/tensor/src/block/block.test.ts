import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { matmulProgram } from '../builder/matmulProgram.ts'
import { evaluate } from '../program/evaluate.ts'
import { type Program, tensorType } from '../program/program.ts'
import { inputLength } from '../program/size.ts'
import { operandBlocks, sumsAround, tileOf, tilePartialSums } from './block.ts'
import { type ProvableProduct, provableProduct, tilesOf } from './product.ts'

function productOf(program: Program): ProvableProduct {
  const found = provableProduct(program)
  if (!found.ok) throw new Error('no provable product')
  return found.product
}

const side = fc.integer({ min: 1, max: 40 })

/** A product in each of its layouts, with an input. */
const cases = fc
  .record({
    m: side,
    k: side,
    n: side,
    turnedA: fc.boolean(),
    turnedB: fc.boolean(),
    byColumns: fc.boolean(),
  })
  .chain(({ m, k, n, turnedA, turnedB, byColumns }) => {
    const a = turnedA ? [k, m] : [m, k]
    const b = turnedB === byColumns ? [k, n] : [n, k]
    const program: Program = {
      inputs: [tensorType('i8', a), tensorType('i8', b)],
      constants: [],
      nodes: [
        { op: 'transpose', x: 0, permutation: turnedA ? [1, 0] : [0, 1] },
        { op: 'transpose', x: 1, permutation: turnedB ? [1, 0] : [0, 1] },
        { op: 'matmul', a: 2, b: 3, transposeB: byColumns },
      ],
      outputs: [4],
    }
    const length = inputLength(program)
    return fc.record({
      program: fc.constant(program),
      input: fc.uint8Array({ minLength: length, maxLength: length }),
      place: fc.record({
        tileRow: fc.nat({ max: Math.ceil(m / 16) - 1 }),
        tileColumn: fc.nat({ max: Math.ceil(n / 16) - 1 }),
      }),
    })
  })

describe('for any product', () => {
  test('the last sums of a tile are what stands in the output of the reference', () => {
    fc.assert(
      fc.property(cases, ({ program, input, place }) => {
        const product = productOf(program)
        const sums = tilePartialSums(product, input, place)
        expect(sums).toHaveLength(tilesOf(product).depth)
        expect(sums.at(-1)).toEqual(tileOf(product, evaluate(program, input), place))
      }),
    )
  })

  test('each block adds the product of its operands to the sums before it', () => {
    fc.assert(
      fc.property(cases, ({ program, input, place }) => {
        const product = productOf(program)
        const sums = tilePartialSums(product, input, place)
        for (const [depth, after] of sums.entries()) {
          const { a, b } = operandBlocks(product, input, { ...place, depth })
          const before = sums[depth - 1] ?? new Int32Array(256)
          expect(sumsAround(product, input, { ...place, depth })).toEqual({ before, after })
          const own = evaluate(matmulProgram({ m: 16, k: 16, n: 16 }), joined(a, b))
          const added = new Int32Array(own.slice().buffer)
          expect(after).toEqual(before.map((sum, at) => sum + (added[at] ?? 0)))
        }
      }),
      { numRuns: 30 },
    )
  })
})

function joined(a: Int8Array, b: Int8Array): Uint8Array {
  const bytes = new Int8Array(512)
  bytes.set(a)
  bytes.set(b, 256)
  return new Uint8Array(bytes.buffer)
}

test('beyond the edges are zeros', () => {
  const program = matmulProgram({ m: 17, k: 18, n: 19 })
  const product = productOf(program)
  const input = new Uint8Array(inputLength(program)).fill(1)
  const { a, b } = operandBlocks(product, input, { tileRow: 1, tileColumn: 1, depth: 1 })
  const ones = (block: Int8Array) => [...block.keys()].filter((at) => block[at] === 1)
  expect(ones(a)).toEqual([0, 1])
  expect(ones(b)).toEqual([0, 1, 2, 16, 17, 18])
  const tile = tileOf(product, evaluate(program, input), { tileRow: 1, tileColumn: 1 })
  expect([...tile]).toEqual(Array.from({ length: 256 }, (_, at) => (at < 3 ? 18 : 0)))
})

test('the largest sums fit', () => {
  const program = matmulProgram({ m: 1, k: 65_535, n: 1 })
  const input = new Uint8Array(inputLength(program)).fill(0x80)
  const sums = tilePartialSums(productOf(program), input, { tileRow: 0, tileColumn: 0 })
  expect(sums.at(-1)?.[0]).toBe(65_535 * 16_384)
})

describe('what is not there is a bug to ask for', () => {
  const program = matmulProgram({ m: 16, k: 16, n: 16 })
  const product = productOf(program)
  const input = new Uint8Array(inputLength(program))
  const place = { tileRow: 0, tileColumn: 0 }
  const asked: readonly [string, () => unknown][] = [
    ['a row of tiles', () => tilePartialSums(product, input, { ...place, tileRow: 1 })],
    ['a column of tiles', () => tileOf(product, new Uint8Array(1024), { ...place, tileColumn: 1 })],
    ['a negative row', () => tileOf(product, new Uint8Array(1024), { ...place, tileRow: -1 })],
    ['a depth', () => operandBlocks(product, input, { ...place, depth: 1 })],
    ['a longer input', () => operandBlocks(product, input.subarray(1), { ...place, depth: 0 })],
    ['another output', () => tileOf(product, new Uint8Array(1023), place)],
  ]
  test.each(asked)('%s', (_, ask) => expect(ask).toThrow(RangeError))
})
