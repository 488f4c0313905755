// The statements' own door: named fields become the signals that the verifier wants, in their order, and what is refused
// reverts by name.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { scalarFieldOrder } from '@shardy/protocol'
import vectors from '../../../vectors/digest/signals.json'
import type { Contract } from '../src/compile.ts'
import { casesOf } from './cases.ts'
import { type Chain, hasChain, openChain } from './chain.ts'
import { calldata, readRevert } from './contract.ts'
import { trapdoorKey, words } from './trapdoor.ts'
import { type Kind, keyOf, signalCounts, taskProof } from './verifiers.ts'

/** All different, so that two swapped ones show. */
const [taskId, deliveryId] = [(1n << 128n) - 5n, (1n << 127n) + 6n]
const [seed, outputLength] = [(1n << 64n) - 7n, 1_048_576n]
const [workerHigh, workerLow] = [(1n << 128n) - 8n, 9n]
const digest = scalarFieldOrder - 10n
const commitments = [11n, 12n, 13n, scalarFieldOrder - 14n]
const place = { node: 0xffff_fffen, tileRow: 0xffff_fffdn, tileColumn: 0xffff_fffcn, depth: 0xffff_fffbn }

const statements: readonly {
  readonly kind: Kind
  readonly fields: readonly bigint[]
  readonly signals: readonly bigint[]
  /** Of each field. */
  readonly bits: readonly number[]
}[] = [
  {
    kind: 'v2',
    fields: [taskId, seed, outputLength, digest],
    signals: [taskId, seed, outputLength, digest],
    bits: [128, 64, 64, 256],
  },
  {
    kind: 'v3',
    fields: [
      taskId,
      deliveryId,
      (workerHigh << 128n) | workerLow,
      digest,
      ...Object.values(place),
      ...commitments,
    ],
    signals: [
      taskId,
      deliveryId,
      workerHigh,
      workerLow,
      digest,
      place.node * 2n ** 96n + place.tileRow * 2n ** 64n + place.tileColumn * 2n ** 32n + place.depth,
      ...commitments,
    ],
    bits: [128, 128, 256, 256, 32, 32, 32, 32, 256, 256, 256, 256],
  },
]

type Vector = (typeof vectors)['v2' | 'v3'][number]

/** As a caller of the contract has them, in the order of its statement. */
function fieldsOf(vector: Vector): readonly bigint[] {
  const hex = (id: string) => BigInt(`0x${id}`)
  const resultDigest = BigInt(vector.signals['seed' in vector ? 3 : 4] ?? 0)
  if ('seed' in vector)
    return [hex(vector.taskId), BigInt(vector.seed), BigInt(vector.outputLength), resultDigest]
  const { node, tileRow, tileColumn, depth } = vector.position
  return [
    hex(vector.taskId),
    hex(vector.deliveryId),
    hex(vector.workerId),
    resultDigest,
    ...[node, tileRow, tileColumn, depth].map(BigInt),
    ...[vector.commitA, vector.commitB, vector.commitIn, vector.commitOut].map(BigInt),
  ]
}

const errorOf: Readonly<Record<string, string>> = { False: 'reverts: ProofFalse' }

describe.skipIf(!hasChain).each([...statements])(
  'requireProven of $kind',
  ({ kind, fields, signals, bits }) => {
    const proof = words(keyOf(kind).prove(signals, 'honest'))
    let chain: Chain
    let contract: Contract
    let at = ''

    beforeAll(async () => {
      chain = await openChain()
      contract = taskProof(kind)
      at = (await chain.deploy(contract.bytecode)).contract
    })
    afterAll(() => chain.close())

    const ask = (statement: readonly bigint[], words = proof) =>
      chain.call([{ to: at, data: calldata(contract, 'requireProven', words, statement) }])

    test('returns nothing for a proof of the statement', async () => {
      expect(await ask(fields)).toEqual([{ ok: true, data: '0x' }])
    })

    test('makes the signals that the protocol makes of the same fields', async () => {
      for (const vector of vectors[kind]) {
        const signals = vector.signals.map(BigInt)
        const proven = words(keyOf(kind).prove(signals, vector.signals.join()))
        expect(await ask(fieldsOf(vector), proven)).toEqual([{ ok: true, data: '0x' }])
      }
    })

    test('reverts when any field differs in its lowest bit', async () => {
      for (const at of fields.keys())
        expect(
          (await ask(fields.map((field, index) => (index === at ? field ^ 1n : field)))).map(readRevert),
        ).toEqual(['reverts: ProofFalse'])
    })

    test('reverts when a field is larger than its type', async () => {
      for (const [at, width] of bits.entries()) {
        if (width === 256) continue
        const wide = fields.map((field, index) => (index === at ? field + (1n << BigInt(width)) : field))
        expect((await ask(wide)).map(readRevert)).toEqual(['reverts: 0x'])
      }
    })

    test('reverts with the name of every refusal', async () => {
      const unchanged = (one: { readonly signals: readonly bigint[] }) => one.signals === signals
      const cases = casesOf(keyOf(kind), signals, trapdoorKey(signalCounts[kind], 'another')).filter(
        (one) => unchanged(one) && one.answer !== 'None',
      )
      const answers = await chain.call(
        cases.map((one) => ({ to: at, data: calldata(contract, 'requireProven', one.proof, fields) })),
      )
      const wanted = (answer: string) =>
        errorOf[answer] ?? (answer.startsWith('reverts') ? answer : `reverts: ${answer}`)
      expect(answers.map((answer, index) => `${cases[index]?.name}: ${readRevert(answer)}`)).toEqual(
        cases.map((one) => `${one.name}: ${wanted(one.answer)}`),
      )
      expect(new Set(cases.map((one) => one.answer)).size).toBe(5)
    })
  },
)
