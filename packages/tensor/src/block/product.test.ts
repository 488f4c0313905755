import { describe, expect, test } from 'bun:test'
import { describeRefusal } from '@shardy/protocol'
import { matmulProgram } from '../builder/matmulProgram.ts'
import type { Node } from '../operations/index.ts'
import { type Program, tensorType } from '../program/program.ts'
import { provableLengthMax, provableProduct, tilesOf } from './product.ts'

const product: Node = { op: 'matmul', a: 0, b: 1, transposeB: false }
const plain = matmulProgram({ m: 3, k: 5, n: 2 })
const changed = (changes: Partial<Program>): Program => ({ ...plain, ...changes })
const turned = (x: number): Node => ({ op: 'transpose', x, permutation: [1, 0] })

describe('a product can be proven', () => {
  const a = { offset: 0, rowStride: 5, columnStride: 1 }
  const b = { offset: 15, rowStride: 2, columnStride: 1 }
  const shape = { m: 3, k: 5, n: 2 }
  const cases: readonly [string, Program, object][] = [
    ['of two inputs', plain, { node: 0, ...shape, a, b }],
    [
      'with B by columns',
      changed({
        inputs: [tensorType('i8', [3, 5]), tensorType('i8', [2, 5])],
        nodes: [{ ...product, transposeB: true }],
      }),
      { node: 0, ...shape, a, b: { offset: 15, rowStride: 1, columnStride: 5 } },
    ],
    [
      'of transposed inputs',
      changed({
        inputs: [tensorType('i8', [5, 3]), tensorType('i8', [2, 5])],
        nodes: [turned(0), turned(1), { op: 'matmul', a: 2, b: 3, transposeB: false }],
        outputs: [4],
      }),
      {
        node: 2,
        ...shape,
        a: { offset: 0, rowStride: 1, columnStride: 3 },
        b: { offset: 15, rowStride: 1, columnStride: 5 },
      },
    ],
    [
      'of an input turned twice, and one not at all',
      changed({
        nodes: [
          turned(0),
          turned(2),
          { op: 'transpose', x: 1, permutation: [0, 1] },
          { op: 'matmul', a: 3, b: 4, transposeB: false },
        ],
        outputs: [5],
      }),
      { node: 3, ...shape, a, b },
    ],
    [
      'of an input by itself',
      { inputs: [tensorType('i8', [4, 4])], constants: [], nodes: [{ ...product, b: 0 }], outputs: [1] },
      {
        node: 0,
        m: 4,
        k: 4,
        n: 4,
        a: { offset: 0, rowStride: 4, columnStride: 1 },
        b: { offset: 0, rowStride: 4, columnStride: 1 },
      },
    ],
    [
      'behind an input that it does not read',
      changed({
        inputs: [tensorType('u8', [7]), ...plain.inputs],
        nodes: [{ ...product, a: 1, b: 2 }],
        outputs: [3],
      }),
      { node: 0, ...shape, a: { ...a, offset: 7 }, b: { ...b, offset: 22 } },
    ],
  ]
  test.each(cases)('%s', (_, program, expected) => {
    expect(provableProduct(program)).toEqual({ ok: true, product: expected as never })
  })

  test('up to the longest sums', () => {
    const k = provableLengthMax
    const found = provableProduct(matmulProgram({ m: 1, k, n: 1 }))
    if (!found.ok) throw new Error(describeRefusal(found.refusal))
    expect(tilesOf(found.product)).toEqual({ rows: 1, columns: 1, depth: 4_096 })
  })
})

describe('refused, by field', () => {
  const small = { min: -1, max: 1 }
  const cases: readonly [string, Program, string][] = [
    [
      'two outputs',
      changed({ nodes: [product, product], outputs: [2, 3] }),
      'program.outputs: has 2 outputs; a proof is about a product that is the only one',
    ],
    [
      'an output made from the product',
      changed({ nodes: [product, { op: 'relu', x: 2 }], outputs: [3] }),
      'program.nodes[1].relu: makes the output; a proof is about one that a matmul makes',
    ],
    [
      'a product of three dimensions',
      changed({ inputs: [tensorType('i8', [2, 3, 5]), tensorType('i8', [5, 2])] }),
      'program.nodes[0].matmul: makes i32[2,3,2]; a proof is about a product of two dimensions',
    ],
    [
      'an operand of u8',
      changed({ inputs: [tensorType('u8', [3, 5]), tensorType('i8', [5, 2])] }),
      'program.nodes[0].matmul.a: is u8[3,5]; a proof is about operands of i8',
    ],
    [
      'weights in the program',
      changed({
        inputs: [tensorType('i8', [3, 5])],
        constants: [{ type: tensorType('i8', [5, 2]), data: new Uint8Array(10) }],
      }),
      'program.nodes[0].matmul.b: is a constant; a proof is about operands that are inputs, transposed or not',
    ],
    [
      'an operand that is computed',
      changed({
        nodes: [
          { op: 'clamp', x: 0, min: -3, max: 3 },
          { ...product, a: 2 },
        ],
        outputs: [3],
      }),
      'program.nodes[1].matmul.a: is what clamp makes; a proof is about operands that are inputs, transposed or not',
    ],
    [
      'sums that are too long',
      changed({
        inputs: [tensorType('i8', [1, 65_536], small), tensorType('i8', [65_536, 1], small)],
      }),
      'program.nodes[0].matmul: adds up 65536 products for each entry; a proof is about 65535 at most',
    ],
  ]
  test.each(cases)('%s', (_, program, expected) => {
    const found = provableProduct(program)
    expect(found.ok ? 'taken' : describeRefusal(found.refusal)).toBe(expected)
  })
})
