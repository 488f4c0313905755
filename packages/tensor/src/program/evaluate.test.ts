import { describe, expect, test } from 'bun:test'
import { type Digest, describeRefusal, encodeHex } from '@shardy/protocol'
import { sha256 } from '../../test/sha256.ts'
import { evaluate, evaluateNode, evaluateValues, joinOutputs, readConstants, readInputs } from './evaluate.ts'
import { inferProgram } from './inference.ts'
import { type Program, tensorType } from './program.ts'
import { complexity, constantDigests, inputLength, outputLength, refuseInput } from './size.ts'

const weights = Uint8Array.of(1, 2, 0xff, 3)
const digest = encodeHex(sha256(weights)) as Digest

/** y = x · W + b and its larger half: two inputs, a blob, a constant in the program, two outputs. */
const program: Program = {
  inputs: [tensorType('i8', [1, 2], { min: -5, max: 5 }), tensorType('i32', [2], { min: -9, max: 9 })],
  constants: [
    { type: tensorType('i8', [2, 2], { min: -1, max: 3 }), digest },
    { type: tensorType('i32', [1], { min: 100, max: 100 }), data: Uint8Array.of(100, 0, 0, 0) },
  ],
  nodes: [
    { op: 'matmul', a: 0, b: 2, transposeB: false },
    { op: 'bias', x: 4, b: 1 },
    { op: 'subtract', x: 5, y: 3 },
    { op: 'argmax', x: 5 },
  ],
  outputs: [7, 6],
}
const blobs = new Map([[digest, weights]])
/** x = (5, -4), b = (-9, 9). */
const input = Uint8Array.of(5, 0xfc, 0xf7, 0xff, 0xff, 0xff, 9, 0, 0, 0)

test('runs the nodes in order and joins the outputs in theirs', () => {
  // (5 + 4, 10 - 12) + (-9, 9) = (0, 7); the larger is at 1; less 100: (-100, -93).
  expect(encodeHex(evaluate(program, input, blobs))).toBe('01000000' + '9cffffff' + 'a3ffffff')
  expect(evaluateValues(program, input, blobs).map(({ data }) => Array.from(data))).toEqual([
    [5, -4],
    [-9, 9],
    [1, 2, -1, 3],
    [100],
    [9, -2],
    [0, 7],
    [-100, -93],
    [1],
  ])
})

test('one node can be run from operands at hand', () => {
  const { values } = inferProgram(program)
  const tensors = evaluateValues(program, input, blobs)
  const [x, b, result] = [tensors[4], tensors[1], values[5]]
  if (x === undefined || b === undefined || result === undefined) throw new Error('the values exist')
  expect(evaluateNode(program, 1, [x, b], result)).toEqual(tensors[5] as never)
  expect(() => evaluateNode(program, 4, [], result)).toThrow('the program has no node 4')
})

test('is as large as its values say', () => {
  expect(inputLength(program)).toBe(10)
  expect(outputLength(program)).toBe(12)
  expect(complexity(program)).toBe(4 + 2 + 2 + 2)
  const twice = { ...program, constants: [...program.constants, { type: tensorType('i8', [4]), digest }] }
  expect(constantDigests(twice)).toEqual([digest])
})

describe('refuses', () => {
  const refusalOf = (read: { ok: true } | { ok: false; refusal: Parameters<typeof describeRefusal>[0] }) =>
    read.ok ? 'accepted' : describeRefusal(read.refusal)

  test('input of another length', () => {
    for (const length of [0, 9, 11]) {
      const sentence = `input has ${length} bytes, expected 10`
      expect(refusalOf(readInputs(program, new Uint8Array(length)))).toBe(sentence)
      expect(refuseInput(program, new Uint8Array(length))).toMatchObject({
        kind: 'wrongLength',
        expected: 10,
      })
      expect(() => evaluate(program, new Uint8Array(length), blobs)).toThrow(sentence)
    }
    expect(refuseInput(program, input)).toBeUndefined()
  })

  test('input outside its declared range', () => {
    expect(refusalOf(readInputs(program, input.with(1, 6)))).toBe(
      'input[0]: entry 1 is outside the declared -5 to 5',
    )
    expect(refusalOf(readInputs(program, input.with(9, 1)))).toBe(
      'input[1]: entry 1 is outside the declared -9 to 9',
    )
    expect(() => evaluate(program, input.with(1, 6), blobs)).toThrow('entry 1 is outside')
  })

  test('a blob that is missing, cut short, or out of its range', () => {
    const read = (bytes?: Uint8Array) =>
      refusalOf(readConstants(program, new Map(bytes === undefined ? [] : [[digest, bytes]])))
    expect(read(weights)).toBe('accepted')
    expect(read()).toBe('program.constants[0] is missing')
    expect(read(weights.subarray(1))).toBe('program.constants[0] has 3 bytes, expected 4')
    expect(read(new Uint8Array(5))).toBe('program.constants[0] has 5 bytes, expected 4')
    expect(read(weights.with(3, 4))).toBe('program.constants[0]: entry 3 is outside the declared -1 to 3')
    expect(() => evaluate(program, input)).toThrow('program.constants[0] is missing')
  })

  test('outputs that were not kept', () => {
    expect(() => joinOutputs(program, [])).toThrow('the value 7 was not kept')
  })
})
