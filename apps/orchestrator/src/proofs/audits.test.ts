import { describe, expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import type { Delivery } from '@shardy/dispatch'
import {
  type Digest,
  encodeHex,
  quorum,
  type WorkerId,
  workerIdOf,
  type ZkProofPayload,
} from '@shardy/protocol'
import { tilePartialSums } from '@shardy/tensor'
import fc from 'fast-check'
import { type AuditStage, openAuditStage, type StageOptions, worker } from '../../test/auditStage.ts'
import { commitments } from '../../test/exactProofs.ts'
import { createAudits } from './audits.ts'

const commit = (sums: Int32Array): bigint => commitments.commitSums(sums)
const digestOf = (bytes: Uint8Array) => encodeHex(sha256(bytes)) as Digest
const stranger = workerIdOf(new Uint8Array(65).fill(4) as never, sha256) as WorkerId

/** As far as the block that is drawn. */
async function audited(options: StageOptions = {}, sums?: readonly bigint[]): Promise<AuditStage> {
  const stage = await openAuditStage(options)
  await stage.answer()
  await stage.sums(sums ?? stage.rightSums())
  return stage
}

function proofOf(stage: AuditStage): ZkProofPayload {
  const { claim, witness } = stage.drawn()
  return stage.exact.claim(claim, witness)
}

describe('an honest worker', () => {
  test('has its answer passed on with the proof and what it is about', async () => {
    const stage = await audited({ draws: [5, 2] })
    expect(stage.sent().map(({ type }) => type)).toEqual(['auditTile', 'auditBlock'])
    expect([stage.tile(), stage.depth()]).toEqual([{ tileRow: 1, tileColumn: 2 }, 2])
    expect(stage.said()).toEqual([])
    const proof = proofOf(stage)
    await stage.proof(proof)
    const { witness } = stage.drawn()
    const block = {
      node: 0,
      tileRow: 1,
      tileColumn: 2,
      depth: 2,
      commitA: commitments.commitOperand(witness.a, 'a'),
      commitB: commitments.commitOperand(witness.b, 'b'),
      commitIn: commit(witness.before),
      commitOut: commit(witness.after),
    }
    expect(stage.posted).toMatchObject([{ kind: 'answered', proof, block }])
    expect(stage.answerBytes()).toBe(stage.output.length)
  })

  test('of any shape, whatever is drawn', async () => {
    const side = fc.integer({ min: 1, max: 40 })
    const draw = fc.nat(2 ** 31)
    await fc.assert(
      fc.asyncProperty(
        fc.record({ m: side, k: side, n: side }),
        fc.tuple(draw, draw),
        fc.uint8Array({ minLength: 3_200, maxLength: 3_200 }),
        async (shape, draws, bytes) => {
          const input = bytes.slice(0, shape.k * (shape.m + shape.n))
          const stage = await audited({ shape, draws, input })
          await stage.proof(proofOf(stage))
          expect(stage.said()).toEqual(['answered'])
        },
      ),
      { numRuns: 25 },
    )
  })

  test('is asked for the output where nobody else would look at it', async () => {
    const stage = await audited({ about: { verify: quorum(2, 2), keepOutput: false } })
    await stage.proof(proofOf(stage))
    expect(stage.said()).toEqual(['answered'])
  })
})

describe('a cheat is not passed on', () => {
  /** Draws the last of three blocks of the first tile. */
  const draws = [0, 2]
  const wrongOutput = (stage: AuditStage): Uint8Array => {
    const output = stage.output.slice()
    output[0] = (output[0] ?? 0) ^ 1
    return output
  }
  const refused = 'corrupted: the proof of a block was refused: the proof is false'
  const unlike = 'corrupted: the last sums committed to are not tile (0, 0) of the output'

  const cheats: readonly [string, (stage: AuditStage) => Promise<void>, readonly string[]][] = [
    [
      'the right sums of a wrong tile',
      async (stage) => {
        await stage.answer(wrongOutput(stage))
        await stage.sums(stage.rightSums())
      },
      [unlike],
    ],
    [
      'a chain that jumps to a wrong tile at the end',
      async (stage) => {
        await stage.answer(wrongOutput(stage))
        const sums = tilePartialSums(stage.product, stage.input, stage.tile())
        const wrong = (sums.at(-1) as Int32Array).slice()
        wrong[0] = (wrong[0] ?? 0) ^ 1
        await stage.sums([...stage.rightSums().slice(0, -1), commit(wrong)])
        const { claim, witness } = stage.drawn()
        await stage.proof(stage.exact.claim(claim, { ...witness, after: wrong }))
      },
      [refused],
    ],
    [
      'a chain that was wrong before the block',
      async (stage) => {
        await stage.answer()
        const [first = 0n, , last = 0n] = stage.rightSums()
        await stage.sums([first, commit(new Int32Array(256).fill(9)), last])
        const { claim, witness } = stage.drawn()
        await stage.proof(stage.exact.claim(claim, { ...witness, before: new Int32Array(256).fill(9) }))
      },
      [refused],
    ],
    [
      'a proof about other operands',
      async (stage) => {
        await stage.answer()
        await stage.sums(stage.rightSums())
        const { claim, witness } = stage.drawn()
        const nothing = { a: new Int8Array(256), b: new Int8Array(256) }
        await stage.proof(stage.exact.claim(claim, { ...witness, ...nothing, before: witness.after }))
      },
      [refused],
    ],
    [
      'a proof of another block of the tile',
      async (stage) => {
        await stage.answer()
        await stage.sums(stage.rightSums())
        const { claim, witness } = stage.drawn()
        await stage.proof(stage.exact.claim({ ...claim, position: { ...claim.position, depth: 1 } }, witness))
      },
      [refused],
    ],
    ...(
      [
        ['task', { taskId: 'ab'.repeat(16) as never }],
        ['delivery', { deliveryId: 'ab'.repeat(16) as never }],
        ['worker', { workerId: stranger }],
        ['output', { outputDigest: 'ab'.repeat(32) as never }],
      ] as const
    ).map(([what, changes]): (typeof cheats)[number] => [
      `a proof made for another ${what}`,
      async (stage) => {
        await stage.answer()
        await stage.sums(stage.rightSums())
        const { claim, witness } = stage.drawn()
        await stage.proof(stage.exact.claim({ ...claim, ...changes }, witness))
      },
      [refused],
    ]),
    [
      'sums that change once the block is known',
      async (stage) => {
        await stage.answer()
        const sums = stage.rightSums()
        await stage.sums([sums[0] as bigint, 7n, sums[2] as bigint])
        await stage.sums(sums)
        await stage.proof(proofOf(stage))
      },
      [refused],
    ],
    [
      'fewer sums than blocks',
      async (stage) => {
        await stage.answer()
        await stage.sums(stage.rightSums().slice(1))
      },
      ['corrupted: 2 sums were committed to, a tile is the sum of 3 blocks'],
    ],
    [
      'a second proof after a false one',
      async (stage) => {
        await stage.answer()
        await stage.sums(stage.rightSums())
        const right = proofOf(stage)
        const false_ = { ...right, proof: new Uint8Array(256) }
        await Promise.all([stage.proof(false_), stage.proof(right)])
        await stage.proof(right)
      },
      [refused],
    ],
    [
      'a proof with the answer, before anything is drawn',
      async (stage) => {
        const proof: ZkProofPayload = { kind: 'v3', verifierVersion: 3, proof: new Uint8Array(256) }
        await stage.answer(stage.output, stage.delivery, { proof })
      },
      ['corrupted: a proof came that was not asked for'],
    ],
    [
      'a second answer while the first is audited',
      async (stage) => {
        await stage.answer(wrongOutput(stage))
        await stage.answer()
        await stage.sums(stage.rightSums())
      },
      [unlike],
    ],
  ]
  for (const [what, cheat, said] of cheats) {
    test(what, async () => {
      const stage = await openAuditStage({ draws })
      await cheat(stage)
      expect(stage.said()).toEqual(said)
      expect(stage.answerBytes()).toBe(0)
      expect(stage.incoming.audits.has(stage.delivery.deliveryId)).toBe(false)
    })
  }

  test('sums that do not begin with zeros', async () => {
    const stage = await openAuditStage({ draws: [0, 0] })
    await stage.answer()
    await stage.sums(stage.rightSums())
    const { claim, witness } = stage.drawn()
    const before = new Int32Array(256).fill(1)
    const after = witness.after.map((sum) => sum + 1)
    await stage.proof(stage.exact.claim(claim, { ...witness, before, after }))
    expect(stage.said()).toEqual([refused])
  })
})

describe('what is caught', () => {
  /** Answers with one wrong entry and sums that are as wrong from a block on, and claims of every block what its sums say. */
  async function cheat(draws: readonly number[], wrongFrom: number): Promise<readonly string[]> {
    const stage = await openAuditStage({ draws })
    const output = stage.output.slice()
    output[0] = (output[0] ?? 0) ^ 1
    const error = (output[0] ?? 0) - (stage.output[0] ?? 0)
    await stage.answer(output)
    const tile = stage.tile()
    const sums = tilePartialSums(stage.product, stage.input, tile).map((right, depth) => {
      const own = right.slice()
      const isWrong = tile.tileRow === 0 && tile.tileColumn === 0 && depth >= wrongFrom
      if (isWrong) own[0] = (own[0] ?? 0) + error
      return own
    })
    await stage.sums(sums.map(commit))
    const { claim, witness } = stage.drawn()
    const before = sums[stage.depth() - 1] ?? witness.before
    const after = sums[stage.depth()] ?? witness.after
    const own = { ...claim, outputDigest: digestOf(output) }
    await stage.proof(stage.exact.claim(own, { ...witness, before, after }))
    return stage.said()
  }

  test('is the part of the blocks that are bad: one of the three of a wrong tile, wherever its chain goes wrong', async () => {
    for (const wrongFrom of [0, 1, 2]) {
      const caught: number[] = []
      for (const depth of [0, 1, 2]) {
        const [said] = await cheat([0, depth], wrongFrom)
        if (said !== 'answered') caught.push(depth)
      }
      expect(caught).toEqual([wrongFrom])
    }
  })

  test('and none of it where a right tile is drawn', async () => {
    for (const tile of [1, 2, 3, 4, 5]) expect(await cheat([tile, 0], 0)).toEqual(['answered'])
  })
})

describe('a worker that cheats as it likes', () => {
  /** Sums of each block that are right, or off by something at one entry; the output likewise. */
  const errors = fc.record({
    shape: fc.record({
      m: fc.integer({ min: 1, max: 20 }),
      k: fc.integer({ min: 1, max: 70 }),
      n: fc.integer({ min: 1, max: 20 }),
    }),
    draws: fc.tuple(fc.nat(2 ** 31), fc.nat(2 ** 31)),
    outputError: fc.constantFrom(0, 0, 1, -1),
    sumErrors: fc.array(fc.constantFrom(0, 0, 0, 1, -1), { minLength: 5, maxLength: 5 }),
    claimsOtherSums: fc.boolean(),
  })

  test('has its answer passed on exactly where the block that was drawn adds up and the tile is the output’s', async () => {
    const counts = { answered: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(errors, async ({ shape, draws, outputError, sumErrors, claimsOtherSums }) => {
        const stage = await openAuditStage({ shape, draws })
        const output = stage.output.slice()
        const entries = new DataView(output.buffer)
        entries.setInt32(0, entries.getInt32(0, true) + outputError, true)
        await stage.answer(output)
        const tile = stage.tile()
        const right = tilePartialSums(stage.product, stage.input, tile)
        const sums = right.map((each, depth) => {
          const own = each.slice()
          own[0] = (own[0] ?? 0) + (sumErrors[depth] ?? 0)
          return own
        })
        await stage.sums(sums.map(commit))
        const isFirst = tile.tileRow === 0 && tile.tileColumn === 0
        const isTile = (sumErrors[right.length - 1] ?? 0) === (isFirst ? outputError : 0)
        let addsUp = false
        if (isTile) {
          const depth = stage.depth()
          const { claim, witness } = stage.drawn()
          addsUp = (sumErrors[depth] ?? 0) === (depth === 0 ? 0 : (sumErrors[depth - 1] ?? 0))
          // Where it does not, a worker may stay with its sums, or claim that they began with what makes them add up.
          const after = sums[depth] as Int32Array
          const own = depth === 0 ? witness.before : (sums[depth - 1] as Int32Array)
          const fitting = witness.before.map((sum, at) => sum + (after[at] ?? 0) - (witness.after[at] ?? 0))
          const before = claimsOtherSums ? fitting : own
          const outputDigest = digestOf(output)
          await stage.proof(stage.exact.claim({ ...claim, outputDigest }, { ...witness, before, after }))
        }
        const [said = ''] = stage.said()
        expect(said === 'answered').toBe(isTile && addsUp)
        counts[said === 'answered' ? 'answered' : 'refused']++
      }),
      { numRuns: 150, seed: 7 },
    )
    // A property that never meets one of its sides shows nothing.
    expect(Math.min(counts.answered, counts.refused)).toBeGreaterThan(10)
  })
})

describe('who goes silent, or goes', () => {
  const points: readonly [string, (stage: AuditStage) => Promise<void>][] = [
    ['after the answer', (stage) => stage.answer()],
    [
      'after the sums',
      async (stage) => {
        await stage.answer()
        await stage.sums(stage.rightSums())
      },
    ],
  ]
  for (const [point, go] of points) {
    test(`${point} is ended by the deadline: nothing is passed on, and what comes later means nothing`, async () => {
      const stage = await openAuditStage()
      await go(stage)
      expect(stage.answerBytes()).toBe(stage.output.length)
      const sums = stage.rightSums()
      stage.settle()
      await stage.sums(sums)
      await stage.proof({ kind: 'v3', verifierVersion: 3, proof: new Uint8Array(256) })
      expect(stage.said()).toEqual([])
      expect(stage.answerBytes()).toBe(0)
    })

    test(`${point}, by leaving, has its audit ended with the line`, async () => {
      const stage = await openAuditStage()
      await go(stage)
      const sums = stage.rightSums()
      const asked = stage.sent().length
      stage.incoming.audits.left(worker)
      await stage.sums(sums)
      expect(stage.sent()).toHaveLength(asked)
      expect(stage.said()).toEqual([])
    })
  }

  for (const [what, end] of [
    ['settled', (stage: AuditStage) => stage.settle()],
    ['left', (stage: AuditStage) => stage.incoming.audits.left(worker)],
  ] as const) {
    test(`${what} while its proof is verified: it is not passed on`, async () => {
      const { promise: goOn, resolve } = Promise.withResolvers<void>()
      const proofs: StageOptions['proofs'] = (exact) => ({
        ...exact,
        async verify(...asked) {
          await goOn
          return exact.verify(...asked)
        },
      })
      const stage = await audited({ proofs })
      const verified = stage.proof(proofOf(stage))
      end(stage)
      resolve()
      await verified
      expect(stage.said()).toEqual([])
    })
  }
})

test('inputs are read one at a time, however many proofs come at once', async () => {
  const stage = await openAuditStage({ tasks: 4 })
  let reading = 0
  let most = 0
  const audits = createAudits(
    {
      sha256,
      blocks: stage.exact,
      payloads: {
        answer: () => ({ output: stage.output, transcript: [] }),
        async input() {
          most = Math.max(most, ++reading)
          await Bun.sleep(1)
          reading--
          return stage.input
        },
      },
      log: undefined as never,
      random: (length) => new Uint8Array(length),
      send() {},
    },
    { auditsMax: 10, perWorkerMax: 10, bytesMax: 100, perWorkerBytesMax: 100 },
  )
  const ends: string[] = []
  const wanted = { kind: 'v3', verifierVersion: 3 } as const
  const outputDigest = digestOf(stage.output)
  const tile = { tileRow: 0, tileColumn: 0 }
  const commitmentsToSums = tilePartialSums(stage.product, stage.input, tile).map(commit)
  for (const delivery of stage.deliveries) {
    audits.begin({ delivery, outputDigest, bytes: 1, wanted }, async ({ kind }) => void ends.push(kind))
    const { deliveryId } = delivery
    await audits.sumsCame(worker, { deliveryId, commitments: commitmentsToSums })
  }
  const proof = { kind: 'v3', verifierVersion: 3, proof: new Uint8Array(256) } as const
  await Promise.all(stage.deliveries.map(({ deliveryId }) => audits.proofCame(worker, { deliveryId, proof })))
  expect([most, ends]).toEqual([1, Array(4).fill('refused')])
})

describe('frames out of place change nothing', () => {
  test('sums before the answer, and a proof before the sums', async () => {
    const stage = await openAuditStage()
    await stage.sums([1n])
    await stage.answer()
    await stage.proof({ kind: 'v3', verifierVersion: 3, proof: new Uint8Array(256) })
    await stage.sums(stage.rightSums())
    await stage.proof(proofOf(stage))
    expect(stage.said()).toEqual(['answered'])
  })

  test('what another worker says of it', async () => {
    const stage = await openAuditStage()
    await stage.answer()
    await stage.sums([1n], stranger)
    expect(stage.sent().map(({ type }) => type)).toEqual(['auditTile'])
    await stage.sums(stage.rightSums())
    await stage.proof({ kind: 'v3', verifierVersion: 3, proof: new Uint8Array(256) }, stranger)
    await stage.proof(proofOf(stage))
    expect(stage.said()).toEqual(['answered'])
  })
})

describe('an answer that we cannot audit is tried again, and costs neither worker nor task anything', () => {
  test('where the verifier fails', async () => {
    const verify = () => Promise.reject(new Error('a thread died'))
    const stage = await audited({ proofs: (exact) => ({ ...exact, verify }) })
    await stage.proof(proofOf(stage))
    expect(stage.posted).toMatchObject([
      { kind: 'unsent', detail: 'the proof of a block could not be verified' },
    ])
    expect(stage.answerBytes()).toBe(0)
  })

  test('where proofs of blocks are no longer verified', async () => {
    const stage = await openAuditStage({ proofs: () => undefined })
    await stage.answer()
    expect(stage.posted).toMatchObject([{ kind: 'unsent', detail: 'proofs of blocks are not verified here' }])
    expect(stage.answerBytes()).toBe(0)
  })

  test('where too many are: of one worker, and of all', async () => {
    const stage = await openAuditStage({ tasks: 3 })
    const [first, second, third] = stage.deliveries
    if (!first || !second || !third) throw new Error('three were given out')
    const parts = {
      sha256,
      blocks: stage.exact,
      payloads: { answer: () => undefined, input: async () => stage.input },
      log: undefined as never,
      random: (length: number) => new Uint8Array(length),
      send() {},
    }
    const wanted = { kind: 'v3', verifierVersion: 3 } as const
    const outputDigest = 'ab'.repeat(32) as Digest
    const answerTo = (delivery: Delivery, bytes = 1) => ({ delivery, outputDigest, bytes, wanted })
    const bounds = { bytesMax: 100, perWorkerBytesMax: 100 }
    const ended = async () => {}
    const ofOne = createAudits(parts, { ...bounds, auditsMax: 10, perWorkerMax: 2 })
    const tried = (audits: typeof ofOne) =>
      [first, second, third].map((delivery) => audits.begin(answerTo(delivery), ended))
    const tooMany = { kind: 'unjudged', detail: 'too many answers are being audited' } as const
    expect(tried(ofOne)).toEqual([undefined, undefined, tooMany])
    ofOne.settled(first.deliveryId)
    expect(ofOne.begin(answerTo(third), ended)).toBeUndefined()
    const ofAll = createAudits(parts, { ...bounds, auditsMax: 1, perWorkerMax: 10 })
    expect(tried(ofAll)).toEqual([undefined, tooMany, tooMany])
    ofAll.left(worker)
    expect(ofAll.begin(answerTo(second), ended)).toBeUndefined()

    // Of the bytes that are held for them as well, but for one that is alone.
    for (const tight of [{ perWorkerBytesMax: 8 }, { bytesMax: 8 }]) {
      const byBytes = createAudits(parts, { ...bounds, auditsMax: 10, perWorkerMax: 10, ...tight })
      expect(byBytes.begin(answerTo(first, 50), ended)).toBeUndefined()
      expect(byBytes.begin(answerTo(second), ended)).toEqual(tooMany)
      byBytes.settled(first.deliveryId)
      byBytes.settled(first.deliveryId)
      expect(byBytes.begin(answerTo(first, 5), ended)).toBeUndefined()
      expect(byBytes.begin(answerTo(second, 3), ended)).toBeUndefined()
      expect(byBytes.begin(answerTo(third, 1), ended)).toEqual(tooMany)
      byBytes.left(worker)
      expect(byBytes.begin(answerTo(third, 8), ended)).toBeUndefined()
    }
  })
})
