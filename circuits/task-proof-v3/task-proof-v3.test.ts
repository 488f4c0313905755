// The block of an exact product, at the level of its constraint system: its shape, and that honest blocks satisfy it.

import { beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import vector from '../../vectors/proof/block.json'
import commitmentVectors from '../../vectors/proof/commitments.json'
import { type Binding, type Block, type Entries, privateInputs, publicSignals } from '../src/block.ts'
import { fieldModulus } from '../src/curve.ts'
import { readManifest } from '../src/manifest.ts'
import { checkShape } from '../src/r1cs.ts'
import { taskProofV3 } from '../src/statements.ts'
import { findBroken, generateWitness, type Witness } from '../src/witness.ts'
import { type Circuit, openCircuit } from '../test/circuit.ts'
import { someBinding, someBlock } from '../test/samples.ts'

let circuit: Circuit
beforeAll(() => {
  circuit = openCircuit()
}, 60_000)

const generate = (binding: Binding, block: Block): Promise<Witness> =>
  generateWitness(circuit.wasm, { ...publicSignals(binding, block), ...privateInputs(block) })

const all = (value: bigint): Entries => Array<bigint>(256).fill(value)
const each = (make: (row: number, column: number) => bigint): Entries =>
  Array.from({ length: 256 }, (_, index) => make(Math.floor(index / 16), index % 16))

test('has exactly the shape that its key is made for', () => {
  expect(() => checkShape(circuit.r1cs, taskProofV3)).not.toThrow()
  const rows = taskProofV3.constraints + taskProofV3.publicSignals + 1
  expect([2 ** (taskProofV3.domainPower - 1) < rows, rows <= 2 ** taskProofV3.domainPower]).toEqual([
    true,
    true,
  ])
})

test('is the circuit that its key is for', () => {
  const version = readManifest().versions.find((one) => one.verifierVersion === taskProofV3.verifierVersion)
  expect(version?.files.r1cs.sha256).toBe(circuit.sha256)
})

test('public signals come in the order that is written down', () => {
  const names = Object.keys(publicSignals(someBinding, someBlock))
  expect(names.map((name) => circuit.symbols.get(name))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})

test('every product is a constraint of its own', () => {
  const entries = (name: string) =>
    new Set([...circuit.symbols].filter(([found]) => found.startsWith(`${name}[`)).map(([, wire]) => wire))
  const [a, b] = [entries('a'), entries('b')]
  const products = circuit.r1cs.constraints.filter(
    (one) =>
      one.a.length === 1 && one.b.length === 1 && a.has(one.a[0]?.wire ?? 0) && b.has(one.b[0]?.wire ?? 0),
  )
  expect(new Set(products.map((one) => `${one.a[0]?.wire} ${one.b[0]?.wire}`)).size).toBe(4096)
})

describe('honest blocks satisfy it', () => {
  const blocks: Readonly<Record<string, Block>> = {
    'all zeros, as before the first block and beyond every edge': { a: all(0n), b: all(0n), sumsIn: all(0n) },
    'the largest product, from -128 · -128': { a: all(-128n), b: all(-128n), sumsIn: all(0n) },
    'the smallest product, from 127 · -128': { a: all(127n), b: all(-128n), sumsIn: all(0n) },
    'sums that end at the highest int32': {
      a: all(-128n),
      b: all(-128n),
      sumsIn: all(2n ** 31n - 1n - 16n * 2n ** 14n),
    },
    'sums that end at the lowest int32': {
      a: all(127n),
      b: all(-128n),
      sumsIn: all(-(2n ** 31n) + 16n * 127n * 128n),
    },
    'sums that stay at both ends': {
      a: all(0n),
      b: all(1n),
      sumsIn: each((row) => (row % 2 === 0 ? 2n ** 31n - 1n : -(2n ** 31n))),
    },
    'an edge: 3 rows, 5 columns and 2 of inner length, zeros beyond': {
      a: each((row, k) => (row < 3 && k < 2 ? -7n : 0n)),
      b: each((k, column) => (k < 2 && column < 5 ? 99n : 0n)),
      sumsIn: all(0n),
    },
    'rows and columns that are not mistaken for each other': {
      a: each((row, k) => BigInt(row - k)),
      b: each((k, column) => BigInt(2 * k - 3 * column)),
      sumsIn: each((row, column) => BigInt(1000 * row + column)),
    },
  }
  for (const [name, block] of Object.entries(blocks))
    test(name, async () => {
      const witness = await generate(someBinding, block)
      expect(findBroken(circuit.r1cs, witness)).toEqual([])
      expect(witness.slice(1, 11)).toEqual(Object.values(publicSignals(someBinding, block)))
    })
})

describe('commits as the golden vectors say', () => {
  const elements = (entries: readonly number[]): Entries => entries.map(BigInt)
  const commitments = async (block: Block) => {
    const witness = await generate(someBinding, block)
    expect(findBroken(circuit.r1cs, witness)).toEqual([])
    const [commitA, commitB, commitIn, commitOut] = witness.slice(7, 11).map(String)
    return { commitA, commitB, commitIn, commitOut }
  }

  test('a block', async () => {
    const { commitA, commitB, commitIn, commitOut } = vector
    const block = { a: elements(vector.a), b: elements(vector.b), sumsIn: elements(vector.in) }
    expect(await commitments(block)).toEqual({ commitA, commitB, commitIn, commitOut })
  })

  for (const { name, entries, commitA, commitB } of commitmentVectors.operands)
    test(`operands: ${name}`, async () => {
      const found = await commitments({ a: elements(entries), b: elements(entries), sumsIn: all(0n) })
      expect([found.commitA, found.commitB]).toEqual([commitA, commitB])
    })

  for (const { name, entries, commit } of commitmentVectors.sums)
    test(`sums: ${name}`, async () => {
      const found = await commitments({ a: all(0n), b: all(0n), sumsIn: elements(entries) })
      expect([found.commitIn, found.commitOut]).toEqual([commit, commit])
    })
})

test('any block, bound to anything', async () => {
  const int = (min: bigint, max: bigint) => fc.bigInt({ min, max })
  const matrix = (min: bigint, max: bigint) =>
    fc.array(int(min, max), { minLength: 256, maxLength: 256, size: 'max' })
  const int8 = matrix(-128n, 127n)
  const margin = 16n * 2n ** 14n
  const block = fc.record({ a: int8, b: int8, sumsIn: matrix(margin - 2n ** 31n, 2n ** 31n - 1n - margin) })
  const uint128 = int(0n, 2n ** 128n - 1n)
  const binding = fc.record({
    taskId: uint128,
    deliveryId: uint128,
    workerHigh: uint128,
    workerLow: uint128,
    resultDigest: int(0n, fieldModulus - 1n),
    position: uint128,
  })
  await fc.assert(
    fc.asyncProperty(binding, block, async (someone, something) => {
      const witness = await generate(someone, something)
      expect(findBroken(circuit.r1cs, witness)).toEqual([])
      expect(circuit.forge({ binding: someone, block: something })).toEqual(witness)
    }),
    { numRuns: 8 },
  )
})
