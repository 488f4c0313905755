// The identity binding, at the level of its constraint system: which assignments a proof can be made for.

import { beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { compile } from '../src/compile.ts'
import { fieldModulus } from '../src/curve.ts'
import { reduce } from '../src/field.ts'
import { digest, readManifest } from '../src/manifest.ts'
import { checkShape, decodeR1cs, type R1cs } from '../src/r1cs.ts'
import { taskProofV2 } from '../src/statements.ts'
import { findBroken, generateWitness, type Witness } from '../src/witness.ts'

// Wire 0 is the constant one; public inputs come before the private one.
const wires = { taskId: 1, seed: 2, outputLen: 3, resultDigest: 4, witness: 5 } as const

let r1cs: R1cs
let sha256 = ''
let wasm = new Uint8Array()
beforeAll(() => {
  const compiled = compile(taskProofV2.source, taskProofV2.optimization)
  r1cs = decodeR1cs(compiled.r1cs)
  sha256 = digest(compiled.r1cs)
  wasm = new Uint8Array(compiled.wasm)
}, 60_000)

interface Signals {
  readonly taskId: bigint
  readonly seed: bigint
  readonly outputLen: bigint
  readonly resultDigest: bigint
}

const someSignals: Signals = {
  taskId: 0x00112233445566778899aabbccddeeffn,
  seed: 2n ** 64n - 1n,
  outputLen: 4096n,
  resultDigest: fieldModulus - 5n,
}

const witnessOf = ({ taskId, seed, outputLen, resultDigest }: Signals): bigint =>
  reduce(resultDigest - taskId - seed - outputLen)

const assign = (signals: Signals): Witness => [
  1n,
  signals.taskId,
  signals.seed,
  signals.outputLen,
  signals.resultDigest,
  witnessOf(signals),
]

test('compiles to exactly one constraint, in which every signal takes part', () => {
  expect(() => checkShape(r1cs, taskProofV2)).not.toThrow()
  const [only] = r1cs.constraints
  const named = [...(only?.a ?? []), ...(only?.b ?? []), ...(only?.c ?? [])].map((term) => term.wire)
  expect(named.sort()).toEqual(Object.values(wires).sort())
})

test('is the circuit that its key is for', () => {
  const version = readManifest().versions.find((one) => one.verifierVersion === taskProofV2.verifierVersion)
  expect(version?.files.r1cs.sha256).toBe(sha256)
})

test('compiled with --O2 no constraint is left, and the shape is refused', () => {
  const empty = decodeR1cs(compile(taskProofV2.source, '--O2').r1cs)
  expect(empty.constraints).toEqual([])
  expect(() => checkShape(empty, taskProofV2)).toThrow('are 0 / 5 / 4, and should be 1 / 6 / 4')
})

test('the generator lays wires out as these tests do', async () => {
  const generated = await generateWitness(wasm, { ...someSignals, witness: witnessOf(someSignals) })
  expect(generated).toEqual(assign(someSignals))
  expect(findBroken(r1cs, generated)).toEqual([])
})

describe('a witness with one wire altered satisfies nothing', () => {
  for (const [name, wire] of Object.entries(wires))
    for (const change of [1n, -1n, 2n ** 64n, 2n ** 128n, fieldModulus / 2n])
      test(`${name} changed by ${change}`, () => {
        const forged = [...assign(someSignals)]
        forged[wire] = reduce((forged[wire] ?? 0n) + change)
        expect(findBroken(r1cs, forged)).toEqual([0])
      })
})

test('the constant wire is one and nothing else', () => {
  expect(() => findBroken(r1cs, [0n, ...assign(someSignals).slice(1)])).toThrow('not one')
})

test('every statement has a witness, also a false one: this is all that v2 says', () => {
  const below = (bound: bigint) => fc.bigInt({ min: 0n, max: bound - 1n })
  const signals = fc.record({
    taskId: below(2n ** 128n),
    seed: below(2n ** 64n),
    outputLen: below(2n ** 53n),
    resultDigest: below(fieldModulus),
  })
  fc.assert(
    fc.property(signals, below(fieldModulus), (statement, other) => {
      expect(findBroken(r1cs, assign(statement))).toEqual([])
      const forged = [...assign(statement)]
      forged[wires.witness] = other
      expect(findBroken(r1cs, forged)).toEqual(other === witnessOf(statement) ? [] : [0])
    }),
  )
})
