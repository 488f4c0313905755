import { describe, expect, test } from 'bun:test'
import type { ProvenBlock, ZkProofPayload } from '@shardy/protocol'
import { matmulProgram, provableProduct } from '@shardy/tensor'
import { type Audit, type AuditInput, stepAudit } from './audit.ts'

const found = provableProduct(matmulProgram({ m: 20, k: 40, n: 33 }))
if (!found.ok) throw new Error('no block of it can be proven')
const audited = { product: found.product, verifierVersion: 3 }

const tile = { tileRow: 1, tileColumn: 2 }
const proof: ZkProofPayload = { kind: 'v3', verifierVersion: 3, proof: new Uint8Array(256) }
const sums = { commitIn: 11n, commitOut: 22n }
const place = { ...tile, depth: 1 }
const block: ProvenBlock = { node: 0, ...place, commitA: 5n, commitB: 6n, ...sums }
const sumsCame = {
  kind: 'sumsCame' as const,
  commitments: [11n, 22n, 33n],
  tileCommitment: 33n,
  zeroCommitment: 99n,
  depth: 1,
}
const states = {
  awaitingSums: { kind: 'awaitingSums', tile },
  awaitingProof: { kind: 'awaitingProof', place, sums },
  verifying: { kind: 'verifying', proof },
  held: { kind: 'held', proof, block },
  refused: { kind: 'refused', detail: 'for a reason' },
} as const satisfies Record<Audit['kind'], Audit>

const table: readonly [string, Audit, AuditInput, Audit, string?][] = [
  ['sums bind the worker', states.awaitingSums, sumsCame, states.awaitingProof, 'askBlock'],
  [
    'the first block begins with zeros, whatever the worker committed to',
    states.awaitingSums,
    { ...sumsCame, depth: 0 },
    {
      kind: 'awaitingProof',
      place: { ...place, depth: 0 },
      sums: { commitIn: 99n, commitOut: 11n },
    },
    'askBlock',
  ],
  [
    'the last block ends with the tile',
    states.awaitingSums,
    { ...sumsCame, depth: 2 },
    {
      kind: 'awaitingProof',
      place: { ...place, depth: 2 },
      sums: { commitIn: 22n, commitOut: 33n },
    },
    'askBlock',
  ],
  [
    'too few sums are refused',
    states.awaitingSums,
    { ...sumsCame, commitments: [11n, 33n] },
    { kind: 'refused', detail: '2 sums were committed to, a tile is the sum of 3 blocks' },
  ],
  [
    'so are too many',
    states.awaitingSums,
    { ...sumsCame, commitments: [11n, 22n, 32n, 33n] },
    { kind: 'refused', detail: '4 sums were committed to, a tile is the sum of 3 blocks' },
  ],
  [
    'and sums that end with another tile',
    states.awaitingSums,
    { ...sumsCame, tileCommitment: 34n },
    { kind: 'refused', detail: 'the last sums committed to are not tile (1, 2) of the output' },
  ],
  [
    'a proof for another key than the delivery asked for is refused',
    states.awaitingProof,
    { kind: 'proofCame', proof: { ...proof, verifierVersion: 4 } },
    { kind: 'refused', detail: 'the proof is for version 4, asked for was 3' },
  ],
  ['a proof is verified', states.awaitingProof, { kind: 'proofCame', proof }, states.verifying, 'verify'],
  [
    'one that holds ends the audit',
    states.verifying,
    { kind: 'verified', block, flaw: undefined },
    states.held,
  ],
  [
    'so does one that is refused',
    states.verifying,
    { kind: 'verified', block, flaw: 'it is false' },
    { kind: 'refused', detail: 'the proof of a block was refused: it is false' },
  ],
]
for (const [what, audit, input, expected, effect] of table) {
  test(what, () => {
    const stepped = stepAudit(audited, audit, input)
    expect(stepped.audit).toEqual(expected)
    expect(stepped.effect?.kind).toBe(effect as never)
  })
}

test('what is verified is what the worker was bound to', () => {
  const { effect } = stepAudit(audited, states.awaitingProof, { kind: 'proofCame', proof })
  expect(effect).toEqual({ kind: 'verify', proof, place, sums })
})

describe('out of place changes nothing', () => {
  const inputs: readonly (readonly [AuditInput, Audit['kind']])[] = [
    [sumsCame, 'awaitingSums'],
    [{ kind: 'proofCame', proof }, 'awaitingProof'],
    [{ kind: 'verified', block, flaw: undefined }, 'verifying'],
  ]
  for (const [input, place] of inputs) {
    for (const audit of Object.values(states)) {
      if (audit.kind === place) continue
      test(`${input.kind} while ${audit.kind}`, () => {
        expect(stepAudit(audited, audit, input)).toEqual({ audit, effect: undefined })
      })
    }
  }
})
