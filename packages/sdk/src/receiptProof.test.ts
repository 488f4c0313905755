import { describe, expect, test } from 'bun:test'
import { generateIdentity, verifySignature } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import { openField } from '@shardy/proofs'
import {
  type ProvenBlock,
  type Receipt,
  type ReceiptDelivery,
  taskProofV3Signals,
  type WorkerId,
  workerIdOf,
  type ZkProofPayload,
} from '@shardy/protocol'
import {
  type BlockPlace,
  evaluate,
  inputLength,
  matmulProgram,
  operandBlocks,
  type Program,
  provableProduct,
  sumsAround,
} from '@shardy/tensor'
import { digestOf, makeSampleReceipt } from '../test/sampleReceipt.ts'
import { checkReceipt } from './receipt.ts'
import { checkProof, describeProvenBlock, type ProofCheck } from './receiptProof.ts'

const opened = await openField()
if (!opened.ok) throw new Error(opened.refusal.message)
const commitments = opened.field
const proof: ZkProofPayload = { kind: 'v3', verifierVersion: 3, proof: new Uint8Array(256) }

function blockOf(program: Program, input: Uint8Array, place: BlockPlace): ProvenBlock {
  const found = provableProduct(program)
  if (!found.ok) throw new Error('no block of it can be proven')
  const { a, b } = operandBlocks(found.product, input, place)
  const { before, after } = sumsAround(found.product, input, place)
  return {
    node: found.product.node,
    ...place,
    commitA: commitments.commitOperand(a, 'a'),
    commitB: commitments.commitOperand(b, 'b'),
    commitIn: commitments.commitSums(before),
    commitOut: commitments.commitSums(after),
  }
}

/** Two by three tiles, each the sum of three blocks. */
const program = matmulProgram({ m: 20, k: 40, n: 33 })
const input = Uint8Array.from({ length: inputLength(program) }, (_, index) => index * 7)
const output = evaluate(program, input)
const workerId = 'ab'.repeat(32) as WorkerId
const place = { tileRow: 1, tileColumn: 2, depth: 1 }

const receipt = {
  taskId: '01'.repeat(16),
  seed: 7n,
  outputLength: output.length,
  outputDigest: digestOf(output),
} as unknown as Receipt

/** Asks for what the verifier is asked. */
async function check(
  block: ProvenBlock,
  changes: Partial<ProofCheck> = {},
  outputDigest = receipt.outputDigest,
  of = program,
) {
  let asked: readonly bigint[] = []
  const verifyProof = async (_: ZkProofPayload, signals: readonly bigint[]) => {
    asked = signals
    return { kind: 'holds' as const, trust: 'development' as const }
  }
  const answer = { outputDigest, proof, block } as unknown as NonNullable<ReceiptDelivery['answer']>
  const result = await checkProof(
    receipt,
    { deliveryId: '02'.repeat(16) as never, workerId, answer },
    proof,
    { kind: 'program', program: of },
    { sha256, verifyProof, commitments, input, output, ...changes },
  )
  return { result, asked }
}

async function reasonOf(...given: Parameters<typeof check>): Promise<string> {
  const { result, asked } = await check(...given)
  if (result.ok) return 'taken'
  expect(asked).toEqual([])
  return result.reason
}

describe('a block that was proven', () => {
  test('has its signals made from the receipt', async () => {
    const block = blockOf(program, input, place)
    const { asked } = await check(block)
    const { commitA, commitB, commitIn, commitOut, ...position } = block
    const expected = taskProofV3Signals(
      {
        taskId: receipt.taskId,
        deliveryId: '02'.repeat(16) as never,
        workerId,
        outputDigest: receipt.outputDigest,
        outputLength: output.length,
        position,
        commitA,
        commitB,
        commitIn,
        commitOut,
      },
      sha256,
    )
    expect(asked).toEqual(expected)
  })

  const nothing = { commitments: undefined }
  const none = { input: undefined, output: undefined }
  const found: readonly [string, BlockPlace, Partial<ProofCheck>, readonly [boolean, boolean, boolean]][] = [
    ['in the middle, with everything at hand', place, {}, [true, false, false]],
    ['in the middle, without input and output', place, none, [false, false, false]],
    ['the first', { ...place, depth: 0 }, {}, [true, true, false]],
    ['the first, without input and output', { ...place, depth: 0 }, none, [false, true, false]],
    ['the last', { ...place, depth: 2 }, {}, [true, false, true]],
    ['the last, without the output', { ...place, depth: 2 }, { output: undefined }, [true, false, false]],
    ['the last, where nobody commits', { ...place, depth: 2 }, nothing, [false, false, false]],
  ]
  for (const [which, where, changes, [areOperandsChecked, isStartChecked, isEndChecked]] of found) {
    test(`is tied as far as that goes: ${which}`, async () => {
      const { result } = await check(blockOf(program, input, where), changes)
      const tied = { areOperandsChecked, isStartChecked, isEndChecked }
      const block = { node: 0, ...where, blocks: 3, ...tied }
      const about = {
        workerId,
        kind: 'v3' as const,
        verifierVersion: 3,
        verdict: 'holds' as const,
        trust: 'development' as const,
      }
      expect(result).toEqual({ ok: true, proof: { ...about, block } })
    })
  }

  test('of an answer that others were preferred to is not compared with the output', async () => {
    const { result } = await check(
      blockOf(program, input, { ...place, depth: 2 }),
      {},
      'ab'.repeat(32) as never,
    )
    expect(result).toMatchObject({ ok: true, proof: { block: { isEndChecked: false } } })
  })
})

describe('a block is refused', () => {
  const block = blockOf(program, input, place)
  const first = blockOf(program, input, { ...place, depth: 0 })
  const last = blockOf(program, input, { ...place, depth: 2 })
  const wrong: readonly [string, Parameters<typeof check>, string][] = [
    ['of another node', [{ ...block, node: 1 }], 'node 1 does not make the output'],
    ['beside the output', [{ ...block, tileRow: 2 }], 'the output has no tile (2, 2)'],
    ['beside the output', [{ ...block, tileColumn: 3 }], 'the output has no tile (1, 3)'],
    ['beyond its tile', [{ ...block, depth: 3 }], 'a tile has 3 blocks, and none at depth 3'],
    [
      'that begins with other sums than zeros',
      [{ ...first, commitIn: block.commitIn }],
      'the sums before the first block are not zeros',
    ],
    [
      'with another A',
      [{ ...block, commitA: first.commitA }],
      "the block's operands are not those of the input",
    ],
    [
      'with another B',
      [{ ...block, commitB: first.commitB }],
      "the block's operands are not those of the input",
    ],
    [
      'that ends in another tile',
      [{ ...last, commitOut: block.commitOut }],
      'the sums after the last block are not the tile of the output',
    ],
    [
      'of a program that has none',
      [
        block,
        {},
        receipt.outputDigest,
        { ...program, nodes: [...program.nodes, { op: 'relu', x: 2 }], outputs: [3] },
      ],
      'no block of the task can be proven: program.nodes[1].relu: makes the output; a proof is about one that a matmul makes',
    ],
  ]
  for (const [what, given, reason] of wrong) {
    test(`${what}: ${reason}`, async () => expect(await reasonOf(...given)).toBe(reason))
  }
})

describe('in a whole receipt', () => {
  const sampleWith = async (change: (block: ProvenBlock) => ProvenBlock = (block) => block) => {
    const worker = await generateIdentity({ extractable: false })
    const small = matmulProgram({ m: 3, k: 5, n: 2 })
    const given = Uint8Array.from({ length: inputLength(small) }, (_, index) => (index * 37 + 11) & 0xff)
    const block = change(blockOf(small, given, { tileRow: 0, tileColumn: 0, depth: 0 }))
    const sample = await makeSampleReceipt(async (right) => [
      { worker, outcome: 'accepted', output: right, proof, block },
      { worker: await generateIdentity({ extractable: false }), outcome: 'accepted', output: right },
    ])
    return { ...sample, workerId: workerIdOf(worker.publicKey, sha256) }
  }
  const verifyProof = async () => ({ kind: 'holds' as const, trust: 'development' as const })
  const basic = { sha256, verify: verifySignature }

  test('it is told whose it is, and what follows', async () => {
    const sample = await sampleWith()
    const { input, output } = sample
    const checked = await checkReceipt(sample.receipt, { ...basic, verifyProof, commitments, input, output })
    if (!checked.ok) throw new Error(JSON.stringify(checked.problems))
    const [first] = checked.facts.proofs
    const block = first?.block
    expect(first).toMatchObject({ workerId: sample.workerId, verdict: 'holds' })
    expect(block).toMatchObject({ blocks: 1, isStartChecked: true, isEndChecked: true })
    expect(block && describeProvenBlock(block)).toBe(
      "block 1 of the 1 of tile (0, 0) adds up exactly; its operands are the input's, and its sums are the output's; nothing follows for any other block",
    )
  })

  test('without input and output little follows, and it says so', async () => {
    const sample = await sampleWith()
    const checked = await checkReceipt(sample.receipt, { ...basic, verifyProof, commitments })
    const block = checked.ok ? checked.facts.proofs[0]?.block : undefined
    expect(block && describeProvenBlock(block)).toBe(
      "block 1 of the 1 of tile (0, 0) adds up exactly; that its operands are the input's was not checked here, and that its sums lead to the output is the orchestrator's word; nothing follows for any other block",
    )
  })

  test('nothing is said of it where nobody verifies', async () => {
    const sample = await sampleWith()
    const checked = await checkReceipt(sample.receipt, basic)
    expect(checked).toMatchObject({ ok: true, facts: { proofs: [{ verdict: 'notVerified' }] } })
    expect(checked.ok && checked.facts.proofs[0]?.block).toBeUndefined()
  })

  test('one that does not fit is a problem of its delivery', async () => {
    const sample = await sampleWith((block) => ({ ...block, commitOut: 5n }))
    const { input, output, workerId } = sample
    const checked = await checkReceipt(sample.receipt, { ...basic, verifyProof, commitments, input, output })
    const reason = 'the sums after the last block are not the tile of the output'
    expect(checked).toMatchObject({ ok: false, problems: [{ kind: 'badProof', workerId, reason }] })
  })

  test('one whose key is not at hand says nothing', async () => {
    const sample = await sampleWith()
    const unknown = { ...basic, verifyProof: async () => ({ kind: 'unknown', reason: 'no key' }) as const }
    const checked = await checkReceipt(sample.receipt, unknown)
    expect(checked).toMatchObject({ ok: true, facts: { proofs: [{ verdict: 'unknown', reason: 'no key' }] } })
    expect(checked.ok && checked.facts.proofs[0]?.block).toBeUndefined()
  })

  test('one that is false is too', async () => {
    const sample = await sampleWith()
    const refused = { ...basic, verifyProof: async () => ({ kind: 'false', reason: 'it is false' }) as const }
    const checked = await checkReceipt(sample.receipt, refused)
    expect(checked).toMatchObject({ ok: false, problems: [{ kind: 'badProof', reason: 'it is false' }] })
  })
})
