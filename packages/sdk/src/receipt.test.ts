/** One honest receipt, and for every rule a forged one that breaks it alone. Keys and signatures are real. */
import { beforeAll, describe, expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { generateIdentity, verifySignature } from '@shardy/crypto'
import { sha256, verifySignatureSync } from '@shardy/crypto/native'
import { createV2Prover, type V2Prover } from '@shardy/proofs'
import {
  adaptive,
  audited,
  checked,
  type Digest,
  foldDigest,
  idSignal,
  type MicroCredit,
  type OrchestratorId,
  quorum,
  type Receipt,
  type ReceiptDelivery,
  type ZkProofPayload,
} from '@shardy/protocol'
import { encodeProgram, evaluate, matmulProgram, plainProduct, programId } from '@shardy/tensor'
import { digestOf, makeSampleReceipt, type SampleReceipt } from '../test/sampleReceipt.ts'
import { createProofVerifier } from './proofVerifier.ts'
import { checkReceipt, type ReceiptCheck } from './receipt.ts'
import { describeReceiptProblem, type ReceiptProblemKind } from './receiptProblem.ts'

const recompute: ReceiptCheck['recompute'] = async (work, bytes) => {
  if (work.kind !== 'program') throw new Error('the sample is of a program')
  return evaluate(work.program, bytes)
}
let sample: SampleReceipt
let mixed: SampleReceipt
const check: ReceiptCheck = { sha256, verify: verifySignature }

const worker = () => generateIdentity({ extractable: false })

beforeAll(async () => {
  sample = await makeSampleReceipt()
  mixed = await makeSampleReceipt(async (output) => {
    const wrong = output.slice()
    wrong[0] = (wrong[0] ?? 0) ^ 1
    return [
      { worker: await worker(), outcome: 'accepted', output },
      { worker: await worker(), outcome: 'disagreed', output: wrong },
      { worker: await worker(), outcome: 'lost' },
      { worker: await worker(), outcome: 'accepted', output },
    ]
  })
})

async function problemsOf(receipt: Receipt, more: Partial<ReceiptCheck> = {}) {
  const checked = await checkReceipt(receipt, { ...check, ...more })
  return checked.ok ? [] : checked.problems
}

const kindsOf = async (receipt: Receipt, more: Partial<ReceiptCheck> = {}) =>
  (await problemsOf(receipt, more)).map(({ kind }) => kind)

/** Changes one delivery and has the orchestrator sign the whole again. */
const withDelivery = (
  from: SampleReceipt,
  index: number,
  change: (was: ReceiptDelivery) => ReceiptDelivery,
) =>
  from.sign({
    ...from.receipt,
    deliveries: from.receipt.deliveries.map((each, at) => (at === index ? change(each) : each)),
  })

function flipped<T extends Uint8Array>(bytes: T): T {
  const copy = Uint8Array.from(bytes)
  copy[40] = (copy[40] ?? 0) ^ 1
  return copy as Uint8Array as T
}

const otherDigest = '5a'.repeat(32) as Digest

describe('an honest receipt', () => {
  test('shows who agreed on what', async () => {
    const checked = await checkReceipt(sample.receipt, check)
    expect(checked).toMatchObject({
      ok: true,
      facts: {
        taskId: sample.receipt.taskId,
        work: { kind: 'program', program: sample.program },
        orchestratorId: sample.orchestratorId,
        outputDigest: sample.receipt.outputDigest,
        verify: quorum(2, 2),
        basis: 'agreement',
        checkedBy: undefined,
        tolerated: [],
        wrong: [],
        unchecked: [],
        paidMicroCredit: 1000n,
        disagreed: [],
        isOrchestratorPinned: false,
        isInputChecked: false,
        isOutputChecked: false,
        isRecomputed: false,
      },
    })
    if (checked.ok) expect(new Set(checked.facts.agreed).size).toBe(2)
  })

  test('may name who disagreed and who was lost', async () => {
    const checked = await checkReceipt(mixed.receipt, check)
    expect(checked).toMatchObject({ ok: true, facts: { agreed: { length: 2 }, disagreed: { length: 1 } } })
  })

  test('passes every optional check, and says that they were made', async () => {
    const { input, output, orchestratorId } = sample
    const all = {
      input,
      output,
      orchestratorId,
      recompute,
    }
    expect(await checkReceipt(sample.receipt, { ...check, ...all })).toMatchObject({
      ok: true,
      facts: { isOrchestratorPinned: true, isInputChecked: true, isOutputChecked: true, isRecomputed: true },
    })
  })

  describe('with a proof', () => {
    const artifacts = path.join(import.meta.dir, '../../../circuits/artifacts')
    const fetchFile = (name: string) => readFile(path.join(artifacts, name))
    const verifyProof = createProofVerifier(fetchFile, sha256)
    let prover: V2Prover
    beforeAll(async () => {
      prover = await createV2Prover(await fetchFile('task-proof-v2.zkey'))
    })
    /** Of the answer in it, in the place of the one that it has. */
    const withProof = async (receipt: Receipt, change: Partial<ZkProofPayload> = {}, seed = receipt.seed) => {
      const resultDigest = foldDigest(receipt.outputDigest, receipt.outputLength, sha256)
      const statement = {
        taskId: idSignal(receipt.taskId),
        seed,
        outputLength: BigInt(receipt.outputLength),
        resultDigest,
      }
      const proof = { kind: 'v2', verifierVersion: 2, proof: prover.prove(statement), ...change } as const
      const deliveries = receipt.deliveries.map((delivery, index) =>
        index === 0 && delivery.answer ? { ...delivery, answer: { ...delivery.answer, proof } } : delivery,
      )
      return sample.sign({ ...receipt, deliveries })
    }

    test('it is verified by whoever has the key, and said to be unknown without', async () => {
      const proven = await withProof(sample.receipt)
      const facts = async (more: Partial<ReceiptCheck>, receipt = proven) => {
        const checked = await checkReceipt(receipt, { ...check, ...more })
        if (!checked.ok) throw new Error(JSON.stringify(checked.problems))
        return checked.facts.proofs
      }
      expect(await facts({ verifyProof })).toMatchObject([
        { kind: 'v2', verifierVersion: 2, verdict: 'holds', trust: 'development' },
      ])
      expect(await facts({})).toMatchObject([{ verdict: 'notVerified' }])
      const newer = await withProof(sample.receipt, { verifierVersion: 77 })
      expect(await facts({ verifyProof }, newer)).toMatchObject([
        { verdict: 'unknown', reason: expect.stringContaining('version 77') },
      ])
      const without = createProofVerifier(() => Promise.reject(new Error('nothing answers')), sha256)
      expect(await facts({ verifyProof: without })).toMatchObject([{ verdict: 'unknown' }])
    })

    test('one under a key that was retired since holds, and that is said with it', async () => {
      const fetchRetired = async (name: string) => {
        if (name !== 'manifest.json') return fetchFile(name)
        const manifest = JSON.parse(await readFile(path.join(artifacts, name), 'utf8'))
        for (const version of manifest.versions) version.status = 'retired'
        return new TextEncoder().encode(JSON.stringify(manifest))
      }
      const proven = await withProof(sample.receipt)
      const checked = await checkReceipt(proven, {
        ...check,
        verifyProof: createProofVerifier(fetchRetired, sha256),
      })
      expect(checked).toMatchObject({ ok: true, facts: { proofs: [{ verdict: 'holds', isRetired: true }] } })
      const still = await checkReceipt(proven, { ...check, verifyProof })
      if (!still.ok) throw new Error('the receipt is refused')
      expect(still.facts.proofs[0]).not.toHaveProperty('isRetired')
    })

    test('keys that could not be had once are asked for again', async () => {
      let failures = 2
      const fetchAtLast = async (name: string) => {
        // The manifest first, then the key.
        if (failures === (name === 'manifest.json' ? 2 : 1)) {
          failures--
          throw new Error('nothing answers')
        }
        return fetchFile(name)
      }
      const proven = await withProof(sample.receipt)
      const verifier = createProofVerifier(fetchAtLast, sha256)
      const verdicts: unknown[] = []
      for (let time = 0; time < 3; time++) {
        const checked = await checkReceipt(proven, { ...check, verifyProof: verifier })
        verdicts.push(checked.ok && checked.facts.proofs[0]?.verdict)
      }
      expect(verdicts).toEqual(['unknown', 'unknown', 'holds'])
    })

    test('one that is false, or of something else, is a problem', async () => {
      for (const receipt of [
        await withProof(sample.receipt, {}, sample.receipt.seed + 1n),
        await withProof(sample.receipt, { proof: new Uint8Array(256) }),
      ]) {
        expect(await kindsOf(receipt, { verifyProof })).toEqual(['badProof'])
      }
    })
  })

  test('takes a verifier that answers at once', async () => {
    expect(await kindsOf(sample.receipt, { verify: verifySignatureSync })).toEqual([])
  })
})

const alone = (): Promise<SampleReceipt> =>
  makeSampleReceipt(async (output) => [{ worker: await worker(), outcome: 'accepted', output }])

const checkedBasis = { verify: checked, basis: 'checked', checkedBy: 'projection' } as const

describe('each basis', () => {
  test('a check by the orchestrator is told as its word, which anyone can repeat', async () => {
    const { sign, receipt, orchestratorId } = await alone()
    const found = await checkReceipt(await sign({ ...receipt, ...checkedBasis }), {
      ...check,
      orchestratorId,
    })
    expect(found).toMatchObject({ ok: true, facts: { ...checkedBasis, agreed: { length: 1 } } })
    if (!found.ok) return
    const { meaning } = found.facts
    expect(meaning.proves).toContain('the orchestrator signed that it checked it by random projections')
    expect(meaning.doesNotProve).toBe('that the orchestrator did check: nobody else saw it')
    expect(meaning.next).toContain('`checkAnswer`')
  })

  test('trust proves only who said it', async () => {
    const { sign, receipt } = await alone()
    for (const verify of [adaptive, audited(1)]) {
      const found = await checkReceipt(await sign({ ...receipt, verify, basis: 'trusted' }), check)
      expect(found).toMatchObject({
        ok: true,
        facts: { basis: 'trusted', meaning: { doesNotProve: expect.stringContaining('nobody checked it') } },
      })
    }
  })

  test('a quorum that a check decided, and an adaptive task that was given to several, hold', async () => {
    const { sign, receipt } = sample
    const decided = { basis: 'checked', checkedBy: 'recomputation' } as const
    for (const change of [decided, { verify: adaptive }, { verify: quorum(5, 2) }]) {
      expect(await kindsOf(await sign({ ...receipt, ...change }))).toEqual([])
    }
  })

  test('who was found wrong is named, and who could not be checked', async () => {
    const { sign, receipt } = await makeSampleReceipt(async (output) => {
      const other = Uint8Array.from(output, (byte) => byte ^ 1)
      return [
        { worker: await worker(), outcome: 'wrong', output: other },
        { worker: await worker(), outcome: 'corrupted', output: other },
        { worker: await worker(), outcome: 'accepted', output },
      ]
    })
    const found = await checkReceipt(await sign({ ...receipt, ...checkedBasis }), check)
    expect(found).toMatchObject({ ok: true, facts: { wrong: { length: 1 }, unchecked: { length: 1 } } })
  })

  test('no field of how it was verified can be changed without the orchestrator', async () => {
    const { sign, receipt } = await alone()
    const signed = await sign({ ...receipt, verify: adaptive, basis: 'checked', checkedBy: 'recomputation' })
    const changes: readonly Partial<Receipt>[] = [
      { basis: 'trusted', checkedBy: undefined },
      { verify: audited(500) },
      { verify: checked },
      { checkedBy: 'projection' },
    ]
    for (const change of changes) {
      expect(await kindsOf({ ...signed, ...change })).toEqual(['badReceiptSignature'])
    }
  })
})

/** Each is otherwise whole: signed again by the orchestrator where the rule is not about that signature. */
const forgeries: Readonly<Record<string, readonly [ReceiptProblemKind, () => Promise<Receipt>]>> = {
  'the program says something else than its id': [
    'wrongProgramId',
    () =>
      sample.sign({
        ...sample.receipt,
        program: encodeProgram(matmulProgram({ m: 1, k: 5, n: 20 / 5 })),
        inputLength: 25,
        outputLength: 16,
      }),
  ],
  'the input has another length than the program takes': [
    'wrongInputLength',
    () => sample.sign({ ...sample.receipt, inputLength: 24 }),
  ],
  'the output has another length than the program makes': [
    'wrongOutputLength',
    () => sample.sign({ ...sample.receipt, outputLength: 28 }),
  ],
  'the whole was changed after it was signed': [
    'badReceiptSignature',
    async () => ({
      ...sample.receipt,
      decidedAtMs: (sample.receipt.decidedAtMs + 1) as Receipt['decidedAtMs'],
    }),
  ],
  'the orchestrator never gave this delivery out': [
    'badDeliveryAttestation',
    () =>
      withDelivery(sample, 0, (was) => ({
        ...was,
        attestation: { ...was.attestation, signature: flipped(was.attestation.signature) },
      })),
  ],
  "the delivery's path leads elsewhere": [
    'badDeliveryAttestation',
    () =>
      withDelivery(sample, 0, (was) => ({
        ...was,
        attestation: { ...was.attestation, path: [otherDigest] },
      })),
  ],
  "the delivery's path fits no batch of that size": [
    'badDeliveryAttestation',
    () => withDelivery(sample, 0, (was) => ({ ...was, attestation: { ...was.attestation, path: [] } })),
  ],
  'the worker did not sign that answer': [
    'badAnswerAttestation',
    () =>
      withDelivery(sample, 1, (was) => {
        const { answer } = was
        if (answer === undefined) throw new Error('the sample has answers')
        return {
          ...was,
          answer: {
            ...answer,
            attestation: { ...answer.attestation, signature: flipped(answer.attestation.signature) },
          },
        }
      }),
  ],
  'a lost worker has an answer that it did not sign': [
    'badAnswerAttestation',
    () => withDelivery(mixed, 2, (was) => ({ ...was, answer: mixed.receipt.deliveries[0]?.answer })),
  ],
  'an accepted worker gave no answer': [
    'missingAnswer',
    () => withDelivery(sample, 0, (was) => ({ ...was, answer: undefined })),
  ],
  'a worker is said to disagree and gave no answer': [
    'missingAnswer',
    () => withDelivery(mixed, 1, (was) => ({ ...was, answer: undefined })),
  ],
  'an accepted worker answered something else': [
    'acceptedOtherDigest',
    () => withDelivery(mixed, 1, (was) => ({ ...was, outcome: 'accepted' })),
  ],
  'a worker that agreed is said to disagree': [
    'refusedSameDigest',
    () =>
      withDelivery(sample, 1, (was) => ({
        ...was,
        outcome: 'disagreed',
        rewardMicroCredit: 0n as MicroCredit,
      })),
  ],
  'too few agreed': ['tooFewAccepted', () => sample.sign({ ...sample.receipt, verify: quorum(3, 3) })],
  'a worker that agreed is said to be wrong': [
    'refusedSameDigest',
    () =>
      withDelivery(sample, 1, (was) => ({
        ...was,
        outcome: 'wrong',
        rewardMicroCredit: 0n as MicroCredit,
      })),
  ],
  'a worker is said to be wrong and gave no answer': [
    'missingAnswer',
    () => withDelivery(mixed, 1, (was) => ({ ...was, outcome: 'wrong', answer: undefined })),
  ],
  'a quorum is said to rest on trust': [
    'basisNotAsked',
    () => sample.sign({ ...sample.receipt, basis: 'trusted' }),
  ],
  'a check was asked for, and one worker was taken at its word': [
    'basisNotAsked',
    () => sample.sign({ ...sample.receipt, verify: checked, basis: 'trusted' }),
  ],
  'a check was asked for, and agreement is named': [
    'basisNotAsked',
    () => sample.sign({ ...sample.receipt, verify: checked }),
  ],
  'an audited task is said to rest on agreement': [
    'basisNotAsked',
    () => sample.sign({ ...sample.receipt, verify: audited(50) }),
  ],
  'it was checked in no way that is named': [
    'checkMisnamed',
    () => sample.sign({ ...sample.receipt, verify: checked, basis: 'checked' }),
  ],
  'agreement names a check': [
    'checkMisnamed',
    () => sample.sign({ ...sample.receipt, checkedBy: 'projection' }),
  ],
  'trust names a check': [
    'checkMisnamed',
    () => sample.sign({ ...sample.receipt, verify: adaptive, basis: 'trusted', checkedBy: 'recomputation' }),
  ],
  'an adaptive task is said to rest on the agreement of one': [
    'tooFewAccepted',
    async () => {
      const { sign, receipt } = await alone()
      return sign({ ...receipt, verify: adaptive, basis: 'agreement' })
    },
  ],
  'nobody gave what is said to be checked': [
    'tooFewAccepted',
    async () => {
      const { sign, receipt } = await alone()
      const deliveries = receipt.deliveries.map((each) => ({
        ...each,
        outcome: 'lost' as const,
        answer: undefined,
        rewardMicroCredit: 0n as MicroCredit,
      }))
      return sign({ ...receipt, ...checkedBasis, deliveries })
    },
  ],
  'the output is another than the workers gave': [
    'tooFewAccepted',
    () => sample.sign({ ...sample.receipt, outputDigest: otherDigest }),
  ],
  'a worker that disagreed is paid': [
    'paidWithoutAcceptance',
    () => withDelivery(mixed, 1, (was) => ({ ...was, rewardMicroCredit: 1n as MicroCredit })),
  ],
  'a worker that never answered is paid': [
    'paidWithoutAcceptance',
    () => withDelivery(mixed, 2, (was) => ({ ...was, rewardMicroCredit: 1n as MicroCredit })),
  ],
  'one delivery is listed twice': [
    'repeatedDelivery',
    async () => {
      const [first] = sample.receipt.deliveries
      return sample.sign({
        ...sample.receipt,
        deliveries: [...sample.receipt.deliveries, ...(first ? [first] : [])],
      })
    },
  ],
  'one worker is counted twice': [
    'repeatedWorker',
    async () => {
      const twin = await worker()
      const alone = await makeSampleReceipt(async (output) => [
        { worker: twin, outcome: 'accepted', output },
        { worker: twin, outcome: 'accepted', output },
      ])
      return alone.receipt
    },
  ],
  'one worker both agreed and disagreed': [
    'repeatedWorker',
    async () => {
      const twin = await worker()
      const other = await worker()
      const torn = await makeSampleReceipt(async (output) => [
        { worker: twin, outcome: 'accepted', output },
        { worker: other, outcome: 'accepted', output },
        { worker: twin, outcome: 'disagreed', output: Uint8Array.from(output, (byte) => byte ^ 1) },
      ])
      return torn.receipt
    },
  ],
  ...Object.fromEntries(
    (['superseded', 'corrupted', 'lost', 'rejected'] as const).map((outcome) => [
      `a worker that signed the agreed answer is ${outcome}`,
      [
        'unjudgedAnswer',
        async () => {
          const cheated = await makeSampleReceipt(async (output) => [
            { worker: await worker(), outcome: 'accepted', output },
            { worker: await worker(), outcome: 'accepted', output },
            { worker: await worker(), outcome, output },
          ])
          return cheated.receipt
        },
      ] as const,
    ]),
  ),
  'a worker that signed another answer is lost': [
    'unjudgedAnswer',
    () => withDelivery(mixed, 1, (was) => ({ ...was, outcome: 'lost' })),
  ],
  'a rule that has no program to stand on': [
    'unreadableProgram',
    () => sample.sign({ ...sample.receipt, program: Uint8Array.of(1, 2, 3) }),
  ],
}

describe('a forged receipt is refused by name when', () => {
  for (const [story, [kind, forge]] of Object.entries(forgeries)) {
    test(story, async () => {
      const problems = await problemsOf(await forge())
      expect(problems.map((each) => each.kind)).toContain(kind)
      for (const problem of problems) expect(describeReceiptProblem(problem)).toMatch(/^[a-z0-9].*[a-z0-9]$/)
    })
  }

  test('the workers computed another program that takes as many bytes', async () => {
    const { m, k, n } = plainProduct(sample.program) ?? { m: 0, k: 0, n: 0 }
    const asked = matmulProgram({ m: n, k, n: m })
    expect(await kindsOf(sample.receipt, { programId: programId(asked, sha256) })).toEqual(['otherProgram'])
    expect(await kindsOf(sample.receipt, { programId: programId(sample.program, sha256) })).toEqual([])
  })

  test('it is of another task than was expected', async () => {
    const taskId = 'e'.repeat(32) as Receipt['taskId']
    expect(await problemsOf(sample.receipt, { taskId })).toEqual([
      { kind: 'otherTask', expected: taskId, actual: sample.receipt.taskId },
    ])
    const own = await checkReceipt(sample.receipt, { ...check, taskId: sample.receipt.taskId })
    expect(own).toMatchObject({ ok: true, facts: { isTaskPinned: true } })
  })

  test('another orchestrator signed it than the one that was expected', async () => {
    const orchestratorId = otherDigest as string as OrchestratorId
    expect(await problemsOf(sample.receipt, { orchestratorId })).toEqual([
      { kind: 'wrongOrchestrator', expected: orchestratorId, actual: sample.orchestratorId },
    ])
  })

  test('a forger signs it as a whole with a key of its own', async () => {
    const forger = await makeSampleReceipt()
    const taken = await forger.sign({ ...sample.receipt, orchestratorKey: forger.receipt.orchestratorKey })
    expect(new Set(await kindsOf(taken))).toEqual(new Set(['badDeliveryAttestation']))
  })

  test('any statement that both sides signed is changed', async () => {
    const { receipt, sign } = sample
    const changes: Partial<Receipt>[] = [
      { taskId: 'ff'.repeat(16) as Receipt['taskId'] },
      { seed: receipt.seed + 1n },
      { inputDigest: otherDigest },
      { programId: programId(matmulProgram({ m: 1, k: 1, n: 1 }), sha256) },
    ]
    for (const change of changes) {
      const kinds = await kindsOf(await sign({ ...receipt, ...change }))
      expect(kinds.filter((kind) => kind === 'badDeliveryAttestation')).toHaveLength(2)
      expect(kinds.filter((kind) => kind === 'badAnswerAttestation')).toHaveLength(2)
    }
  })

  test("a delivery's deadline is changed", async () => {
    const late = await withDelivery(sample, 0, (was) => ({
      ...was,
      deadlineMs: (was.deadlineMs + 1) as ReceiptDelivery['deadlineMs'],
    }))
    expect(await kindsOf(late)).toEqual(['badDeliveryAttestation', 'badAnswerAttestation'])
  })
})

describe("the requester's own bytes", () => {
  test('an input or output other than the receipt names is refused', async () => {
    expect(await kindsOf(sample.receipt, { input: flipped(new Uint8Array(50)) })).toEqual(['otherInput'])
    expect(await kindsOf(sample.receipt, { output: sample.output.slice(1) })).toEqual(['otherOutput'])
  })

  test('recomputing shows what agreement cannot: that the agreed output is wrong', async () => {
    const colluding = await makeSampleReceipt(async (output) => {
      const wrong = output.map((byte) => byte ^ 0xff)
      return [
        { worker: await worker(), outcome: 'accepted', output: wrong },
        { worker: await worker(), outcome: 'accepted', output: wrong },
      ]
    })
    const { sign, receipt, input } = colluding
    const agreed = receipt.deliveries[0]?.answer?.outputDigest
    if (agreed === undefined) throw new Error('the sample has answers')
    const believed = await sign({ ...receipt, outputDigest: agreed })
    expect(await kindsOf(believed)).toEqual([])
    expect(await kindsOf(believed, { input, recompute })).toEqual(['recomputedOtherOutput'])
  })

  test('a program that both sides signed, but that takes another input, is refused and never run', async () => {
    const misfit = await makeSampleReceipt(undefined, matmulProgram({ m: 1, k: 1, n: 1 }))
    const { receipt, input } = misfit
    expect(await kindsOf(receipt)).toEqual([])
    const refused = [{ kind: 'wrongInputLength', expected: 2, actual: input.length }] as const
    expect(await problemsOf(receipt, { input })).toEqual([...refused])
    expect(await problemsOf(receipt, { input, recompute })).toEqual([...refused])
  })

  test("an output that has its digest, but not the program's length, is refused", async () => {
    const longer = new Uint8Array(28)
    const made = await makeSampleReceipt(async () => [
      { worker: await worker(), outcome: 'accepted', output: longer },
      { worker: await worker(), outcome: 'accepted', output: longer },
    ])
    const receipt = await made.sign({ ...made.receipt, outputDigest: digestOf(longer) })
    expect(await kindsOf(receipt)).toEqual([])
    expect(await problemsOf(receipt, { output: longer })).toEqual([
      { kind: 'wrongOutputLength', expected: 24, actual: 28 },
    ])
  })

  test('recomputing without the input, or with another, never counts as done', async () => {
    let calls = 0
    const recompute = async () => {
      calls++
      return sample.output
    }
    expect(await kindsOf(sample.receipt, { recompute })).toEqual(['inputNeeded'])
    expect(await kindsOf(sample.receipt, { recompute, input: new Uint8Array(25) })).toEqual(['otherInput'])
    const misfit = await sample.sign({
      ...sample.receipt,
      program: encodeProgram(matmulProgram({ m: 9, k: 9, n: 9 })),
    })
    expect(await kindsOf(misfit, { recompute, input: sample.input })).toContain('wrongInputLength')
    expect(calls).toBe(0)
  })
})
