import { describe, expect, test } from 'bun:test'
import { inferProgram, type Program } from '@shardy/tensor'
import { arbitraryLayers } from '@shardy/tensor/testing'
import fc from 'fast-check'
import { isPointwise } from '../kernels/pointwise.ts'
import { absorb, type KnownStage } from './epilogue.ts'

const shape = [4, 3]
const operand = { region: 1, dtype: 'i32', shape: [3] } as const

function stage(node: object, from: string, to: string, known: KnownStage['known'] = []): KnownStage {
  return {
    node,
    input: { dtype: from, shape },
    result: { dtype: to, shape },
    operands: [operand, operand],
    known,
  } as unknown as KnownStage
}

const relu = (dtype: string) => stage({ op: 'relu' }, dtype, dtype)
const scale = (more: object = {}) =>
  stage({ op: 'requantize', multiplier: 5, shift: 3, zeroPoint: 7, to: 'u8', ...more }, 'i32', 'u8')
const table = (to: string, data?: Int8Array | Uint8Array | Int32Array | Uint32Array) =>
  stage({ op: 'lookup' }, 'u8', to, [{ min: 0, data }])
const sums = { dtype: 'i32', shape } as const

function bytesOf({ table }: ReturnType<typeof absorb>): Uint8Array {
  if (table === undefined || !('bytes' in table)) throw new Error('there is no table')
  return table.bytes
}

describe('tables', () => {
  test('of a relu before a requantization: not below the image of zero', () => {
    const absorbed = absorb(sums, [relu('i32'), scale()])
    expect(absorbed.count).toBe(2)
    expect(Array.from(bytesOf(absorbed))).toEqual(
      Array.from({ length: 256 }, (_, entry) => Math.max(entry, 7)),
    )
  })

  test('of several lookups, in order', () => {
    const add = Uint8Array.from({ length: 256 }, (_, entry) => entry + 1)
    const twice = Int8Array.from({ length: 256 }, (_, entry) => 2 * entry)
    const absorbed = absorb(sums, [scale(), table('u8', add), table('i8', twice)])
    expect(absorbed.count).toBe(3)
    expect(absorbed.result.dtype).toBe('i8')
    const expected = Uint8Array.from({ length: 256 }, (_, entry) => 2 * ((entry + 1) % 256))
    expect(bytesOf(absorbed)).toEqual(expected)
  })

  test('that are weights are read where they lie, alone', () => {
    const absorbed = absorb(sums, [scale(), table('u8'), relu('u8')])
    expect(absorbed.count).toBe(2)
    expect(absorbed.table).toEqual({ operand })
  })

  test('end where entries are int32, and before u32', () => {
    const wide = Int32Array.from({ length: 256 }, (_, entry) => entry * 1000)
    const absorbed = absorb(sums, [scale(), table('i32', wide), relu('i32')])
    expect([absorbed.count, absorbed.result.dtype]).toEqual([2, 'i32'])
    expect(absorb(sums, [scale(), table('u32', new Uint32Array(256))]).count).toBe(1)
  })
})

describe('left to another kernel', () => {
  test('a relu before multipliers that may be negative', () => {
    const channels = (min: number) =>
      stage({ op: 'requantizeChannels', zeroPoint: 0, to: 'i8' }, 'i32', 'i8', [{ min, data: undefined }])
    expect(absorb(sums, [relu('i32'), channels(-1)]).count).toBe(0)
    expect(absorb(sums, [relu('i32'), channels(0)]).count).toBe(2)
  })

  test('a relu before a requantization to int32, which has no table', () => {
    expect(absorb(sums, [relu('i32'), scale({ to: 'i32' })]).count).toBe(0)
  })

  test('a relu without a requantization, and a second bias', () => {
    const bias = stage({ op: 'bias' }, 'i32', 'i32')
    expect(absorb(sums, [relu('i32')]).count).toBe(0)
    expect(absorb(sums, [bias, bias]).count).toBe(1)
  })
})

test('of layers, what is absorbed ends in a type of its last stage', () => {
  const stagesOf = (
    { inputs, constants, nodes }: Program,
    values: ReturnType<typeof inferProgram>['values'],
  ) =>
    nodes.flatMap((node, index): KnownStage[] => {
      const result = values[inputs.length + constants.length + index]
      const input = 'x' in node ? values[node.x] : undefined
      if (!isPointwise(node) || result === undefined || input === undefined) return []
      return [{ node, input, result, operands: [operand, operand], known: [] }]
    })
  fc.assert(
    fc.property(arbitraryLayers(), ({ program }) => {
      const stages = stagesOf(program, inferProgram(program).values)
      const { count, result } = absorb(sums, stages)
      if (count > 0) expect(result.dtype).toBe(stages[count - 1]?.result.dtype ?? 'i32')
    }),
    { numRuns: 50 },
  )
})
