/**
 * Every operation on random operands: the reference against a formula in integers of unlimited size, and every entry
 * inside the interval that inference promised (spec T6).
 */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Draw, drawProgram } from '../../test/drawProgram.ts'
import { byFormula } from '../../test/formulas.ts'
import { sha256 } from '../../test/sha256.ts'
import { evaluateValues } from '../program/evaluate.ts'
import { inferProgram } from '../program/inference.ts'
import type { Program } from '../program/program.ts'
import type { Tensor } from '../tensor.ts'
import { type OperationName, operandsOf, operationNames } from './index.ts'

function agree(program: Program, tensors: readonly Tensor[]): void {
  const { values } = inferProgram(program)
  const first = program.inputs.length + program.constants.length
  for (const [index, node] of program.nodes.entries()) {
    const operands = operandsOf(node).map((operand) => tensors[operand] as Tensor)
    const actual = tensors[first + index] as Tensor
    const value = values[first + index]
    const expected = byFormula(node, operands)
    expect({ dtype: actual.dtype, shape: actual.shape }).toEqual({
      dtype: expected.dtype,
      shape: expected.shape,
    })
    expect(value).toMatchObject({ dtype: expected.dtype, shape: expected.shape })
    expect(Array.from(actual.data, BigInt)).toEqual([...expected.entries])
    for (const entry of actual.data) {
      if (value === undefined || entry < value.min || entry > value.max) {
        throw new Error(`${node.op} has ${entry}, inference promised ${value?.min} to ${value?.max}`)
      }
    }
  }
}

function check(nodes: number, among: readonly OperationName[], numRuns: number): void {
  fc.assert(
    fc.property(fc.gen(), (gen) => {
      const draw: Draw = (min, max) => gen(fc.integer, { min, max })
      const { program, input, blobs } = drawProgram(draw, { sha256, nodes, among })
      agree(program, evaluateValues(program, input, blobs))
    }),
    { numRuns },
  )
}

describe('each operation alone means what its formula says, within its interval', () => {
  for (const op of operationNames) test(op, () => check(1, [op], 300))
})

test('and so does every value of whole programs', () => {
  check(12, operationNames, 400)
}, 60_000)
