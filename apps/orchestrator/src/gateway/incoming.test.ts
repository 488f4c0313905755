import { describe, expect, test } from 'bun:test'
import { generateIdentity, verifySignature } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import { type Delivery, emptyState, type NewTask, type Profile, step } from '@shardy/dispatch'
import {
  attestedPayload,
  type BatchResult,
  batchStatements,
  type DeliveryId,
  type Digest,
  encodeHex,
  quorum,
  type Result,
  resultStatement,
  statementLeaf,
  type TimeMs,
  workerIdOf as workerIdOfKey,
  type ZkProofPayload,
} from '@shardy/protocol'
import { buildShaderTask, encodeShaderTask } from '@shardy/shader'
import {
  newTaskOf,
  noStake,
  profile,
  settings,
  startMs,
  taskIdOf,
  workerIdOf,
} from '../../test/dispatchTask.ts'
import { openMemoryStore } from '../../test/network.ts'
import { silentLog } from '../log.ts'
import { noProofs, type ProofFlaw, type ProofOfAnswer, type Proofs } from '../proofs/proofs.ts'
import type { Happening } from '../tasks/dispatcher.ts'
import { createPayloads } from '../tasks/payloads.ts'
import { createFloatFlaw } from './floatForm.ts'
import { createIncoming } from './incoming.ts'
import { describe as describeDelivery } from './outgoing.ts'

const identity = await generateIdentity({ extractable: false })
const stranger = await generateIdentity({ extractable: false })
const worker = workerIdOfKey(identity.publicKey, sha256)
const digestOf = (bytes: Uint8Array) => encodeHex(sha256(bytes)) as Digest
const output = Uint8Array.from([1, 2, 3, 4])

/** Deliveries of small tasks that are out with the worker, and what is said about them. */
async function open(
  tasks: readonly Partial<NewTask>[],
  answerBytesMax = 1_000,
  verify = verifySignature,
  proofs: Proofs = noProofs,
) {
  const state = emptyState(settings)
  const atMs = startMs as TimeMs
  for (const [index, about] of tasks.entries())
    step(state, { kind: 'submit', atMs, task: newTaskOf(index + 1, about) })
  const { publicKey } = identity
  const able: Profile = { ...profile, kinds: ['program', 'shader'], features: ['proof-v2', 'proof-v3'] }
  step(state, { kind: 'workerJoined', atMs, workerId: worker, publicKey, profile: able })
  const deliveries = [...state.deliveries.values()].sort((left, right) =>
    left.task.spec.taskId < right.task.spec.taskId ? -1 : 1,
  )
  const posted: Happening[] = []
  const stored: string[] = []
  const store = await openMemoryStore()
  const bounds = { inputBytesMax: 1_000, answerBytesMax, frameBytesMax: 1_000_000 }
  const payloads = createPayloads(store, { bytes: async () => new Uint8Array(0) }, bounds)
  let storeFails = false
  const incoming = createIncoming({
    sha256,
    verify,
    payloads,
    proofs,
    floatFlaw: createFloatFlaw(),
    asked: ({ task }) => (task.spec.proof === 'none' ? undefined : proofs.wanted(task.spec.proof)),
    log: silentLog,
    state: () => state,
    stake: () => noStake,
    postAll(_workerId, happenings) {
      posted.push(...happenings)
      return { taken: happenings.length, decided: Promise.resolve() }
    },
    async storeOutput(digest) {
      if (storeFails) throw new Error('disk')
      stored.push(digest)
    },
    random: (length) => new Uint8Array(length),
    send() {},
  })
  /** In words: which task, and what was said of it. */
  const said = () =>
    posted.map((each) => {
      if (!('deliveryId' in each)) return each.kind
      const task = deliveries.findIndex(({ deliveryId }) => deliveryId === each.deliveryId) + 1
      return each.kind === 'corrupted' ? `${task} corrupted: ${each.detail}` : `${task} ${each.kind}`
    })
  const settle = (delivery: Delivery) => void state.deliveries.delete(delivery.deliveryId)
  const failStore = () => {
    storeFails = true
  }
  return { incoming, deliveries, posted, said, payloads, stored, settle, failStore }
}

interface Said {
  readonly delivery: Delivery
  readonly output?: Uint8Array
  readonly overrides?: Partial<BatchResult>
}

const statementOf = (delivery: Delivery, outputDigest: Digest, traceRoot?: Digest) =>
  resultStatement(describeDelivery(delivery), delivery.task.spec.programId, worker, {
    outputDigest,
    traceRoot,
  })

async function batchOf(answers: readonly Said[], signer = identity) {
  const statements = answers.map(({ delivery, output: own = output }) => statementOf(delivery, digestOf(own)))
  const results = answers.map(({ delivery, output: own = output, overrides }, index): BatchResult => {
    const statement = statements[index] as (typeof statements)[number]
    return {
      deliveryId: delivery.deliveryId,
      outputDigest: digestOf(own),
      output: own,
      salt: undefined,
      traceRoot: undefined,
      leaf: encodeHex(statementLeaf(statement, sha256)) as Digest,
      proof: undefined,
      ...overrides,
    }
  })
  return { results, signature: await signer.sign(batchStatements(statements, sha256).payload) }
}

async function resultOf(delivery: Delivery, own = output, overrides: Partial<Result> = {}): Promise<Result> {
  const outputDigest = digestOf(own)
  const { payload, attest } = batchStatements([statementOf(delivery, outputDigest)], sha256)
  const [attestation] = attest(await identity.sign(payload))
  if (attestation === undefined) throw new Error('a batch of one has one attestation')
  return {
    deliveryId: delivery.deliveryId,
    outputDigest,
    outputLength: own.length,
    outputIncluded: true,
    attestation,
    traceRoot: undefined,
    salt: undefined,
    partLengths: [],
    proof: undefined,
    ...overrides,
  }
}

describe('a batch of answers', () => {
  test('is passed on with an attestation for each that stands alone', async () => {
    const { incoming, deliveries, posted, payloads } = await open([{}, {}, {}])
    const outputs = deliveries.map((_, index) => Uint8Array.from([index, 0, 0, 0]))
    const batch = await batchOf(
      deliveries.map((delivery, index) => ({ delivery, output: outputs[index] as Uint8Array })),
    )
    await incoming.batchAnswered(worker, identity.publicKey, batch)
    expect(posted).toHaveLength(3)
    for (const [index, each] of posted.entries()) {
      if (each.kind !== 'answered') throw new Error(each.kind)
      const delivery = deliveries[index] as Delivery
      const payload = attestedPayload(statementOf(delivery, each.outputDigest), each.attestation, sha256)
      if (payload === undefined) throw new Error('the attestation fits no batch')
      expect(await verifySignature(identity.publicKey, payload, each.attestation.signature)).toBe(true)
      expect(payloads.answer(each.deliveryId)?.output).toEqual(outputs[index])
    }
  })

  test('says of each alone what is wrong with it, and takes the others', async () => {
    const tasks = [{}, {}, {}, {}, { verify: quorum(2, 2), keepOutput: false }, {}]
    const { incoming, deliveries, said, payloads } = await open(tasks)
    const [first, second, third, fourth, fifth, sixth] = deliveries as [
      Delivery,
      Delivery,
      Delivery,
      Delivery,
      Delivery,
      Delivery,
    ]
    const batch = await batchOf([
      { delivery: first, overrides: { outputDigest: 'ab'.repeat(32) as Digest } },
      { delivery: second, overrides: { output: undefined } },
      { delivery: third, overrides: { output: Uint8Array.from([1, 2, 3, 5]) } },
      { delivery: fourth, output: new Uint8Array(5) },
      { delivery: fifth, overrides: { output: undefined } },
      { delivery: sixth },
    ])
    await incoming.batchAnswered(worker, identity.publicKey, batch)
    expect(said()).toEqual([
      '1 corrupted: the signature covers another answer',
      '2 corrupted: the output is missing',
      '3 corrupted: the output does not match its digest',
      '4 corrupted: the output has 5 bytes, the program gives 4',
      '5 answered',
      '6 answered',
    ])
    expect(payloads.answerBytes()).toBe(output.length)
  })

  test('floats in another form than the one are refused by name, alone and in a batch', async () => {
    const source = `@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) { out[id.x] = 0.5; }`
    const built = buildShaderTask({ source, dispatch: [1, 1, 1], fuel: 1, byteLengths: { 0: 4 } })
    if (!built.ok) throw new Error(built.refusal.message)
    const program = encodeShaderTask(built.value)
    const floats = { kind: 'shader', program, exact: false } as const
    const { incoming, deliveries, said } = await open([floats, floats, floats, { ...floats, exact: true }])
    const [first, second, third, fourth] = deliveries as [Delivery, Delivery, Delivery, Delivery]
    const otherNaN = Uint8Array.from([1, 0, 0xc0, 0xff])
    const oneNaN = Uint8Array.from([0, 0, 0xc0, 0x7f])
    const batch = await batchOf([
      { delivery: first, output: otherNaN },
      { delivery: second, output: oneNaN },
      { delivery: fourth, output: otherNaN },
    ])
    await incoming.batchAnswered(worker, identity.publicKey, batch)
    await incoming.answered(worker, identity.publicKey, await resultOf(third, otherNaN), otherNaN)
    expect(said()).toEqual([
      '1 corrupted: the NaN at byte 0 of the output is not 0x7fc00000',
      '2 answered',
      '4 answered',
      '3 corrupted: the NaN at byte 0 of the output is not 0x7fc00000',
    ])
  })

  const changes: readonly [string, Partial<BatchResult>][] = [
    ['a trace root that was not signed', { traceRoot: 'ab'.repeat(32) as Digest }],
    ['a leaf of something else', { leaf: 'ab'.repeat(32) as Digest }],
  ]
  for (const [what, overrides] of changes) {
    test(`with ${what} is corrupted`, async () => {
      const { incoming, deliveries, said, payloads } = await open([{}])
      const batch = await batchOf(deliveries.map((delivery) => ({ delivery, overrides })))
      await incoming.batchAnswered(worker, identity.publicKey, batch)
      expect(said()).toEqual([
        overrides.leaf === undefined
          ? '1 corrupted: the signature covers another answer'
          : '1 corrupted: the answer is not signed by the worker',
      ])
      expect(payloads.answerBytes()).toBe(0)
    })
  }

  test('that somebody else signed is corrupted as a whole, and only where it is about its sender’s work', async () => {
    const { incoming, deliveries, said } = await open([{}, {}])
    const batch = await batchOf(
      deliveries.map((delivery) => ({ delivery })),
      stranger,
    )
    await incoming.batchAnswered(worker, identity.publicKey, batch)
    expect(said()).toEqual([
      '1 corrupted: the answer is not signed by the worker',
      '2 corrupted: the answer is not signed by the worker',
    ])
    const again = await open([{}])
    await again.incoming.batchAnswered(workerIdOf(7), stranger.publicKey, batch)
    expect(again.said()).toEqual([])
  })

  test('takes what it knows from among what it does not know, what is another’s and what was answered', async () => {
    const { incoming, deliveries, said, settle } = await open([{}, {}, {}])
    const [first, second, third] = deliveries as [Delivery, Delivery, Delivery]
    settle(first)
    second.state = 'answered'
    const unknown = { ...third, deliveryId: taskIdOf(77) as string as DeliveryId }
    const batch = await batchOf([first, second, unknown, third].map((delivery) => ({ delivery })))
    await incoming.batchAnswered(worker, identity.publicKey, batch)
    expect(said()).toEqual(['3 answered'])
  })

  test('that says a delivery twice says it once', async () => {
    const { incoming, deliveries, said, payloads } = await open([{}])
    const [delivery] = deliveries as [Delivery]
    const other = Uint8Array.from([9, 9, 9, 9])
    const batch = await batchOf([{ delivery }, { delivery, output: other }, { delivery }])
    await incoming.batchAnswered(worker, identity.publicKey, batch)
    await incoming.batchAnswered(worker, identity.publicKey, batch)
    expect(said()).toEqual(['1 answered'])
    expect(payloads.answer(delivery.deliveryId)?.output).toEqual(output)
  })

  test('waits no longer than there is memory for', async () => {
    const { incoming, deliveries, said, payloads } = await open([{}, {}, {}], 8)
    await incoming.batchAnswered(
      worker,
      identity.publicKey,
      await batchOf(deliveries.map((delivery) => ({ delivery }))),
    )
    expect(said()).toEqual(['1 answered', '2 answered', '3 corrupted: too many answers wait to be checked'])
    expect(payloads.answerBytes()).toBe(8)
  })
})

describe('an answer in a frame of its own', () => {
  const flaws: readonly [string, Partial<Result>, Uint8Array | undefined][] = [
    ['the output has 5 bytes, the program gives 4', { outputLength: 5 }, new Uint8Array(5)],
    ['the output is missing', { outputIncluded: false }, undefined],
    ['the raw frame has 3 bytes, announced were 4', {}, output.slice(1)],
    ['the raw frame has 0 bytes, announced were 4', {}, undefined],
    ['the raw frame has 4 bytes, announced were 6', { partLengths: [2] }, output],
    ['the output does not match its digest', {}, Uint8Array.from([4, 3, 2, 1])],
    ['the answer is not signed by the worker', { traceRoot: 'ab'.repeat(32) as Digest }, output],
  ]
  for (const [detail, overrides, raw] of flaws) {
    test(`is corrupted: ${detail}`, async () => {
      const { incoming, deliveries, said, payloads } = await open([{}])
      const [delivery] = deliveries as [Delivery]
      await incoming.answered(worker, identity.publicKey, await resultOf(delivery, output, overrides), raw)
      expect(said()).toEqual([`1 corrupted: ${detail}`])
      expect(payloads.answerBytes()).toBe(0)
    })
  }

  test('brings no output that was not asked for', async () => {
    const { incoming, deliveries, said } = await open([{ verify: quorum(2, 2), keepOutput: false }])
    const [delivery] = deliveries as [Delivery]
    await incoming.answered(worker, identity.publicKey, await resultOf(delivery), output)
    expect(said()).toEqual(['1 corrupted: the output was not asked for'])
  })

  test('brings its transcript behind the output, part by part', async () => {
    const { incoming, deliveries, said, payloads } = await open([{}])
    const [delivery] = deliveries as [Delivery]
    const raw = Uint8Array.from([...output, 5, 6, 7, 8, 9])
    const result = await resultOf(delivery, output, { partLengths: [2, 3] })
    await incoming.answered(worker, identity.publicKey, result, raw)
    expect(said()).toEqual(['1 answered'])
    expect(payloads.answer(delivery.deliveryId)).toEqual({
      output,
      transcript: [Uint8Array.from([5, 6]), Uint8Array.from([7, 8, 9])],
    })
  })

  test('that is large is stored before it is passed on; where that fails it is corrupted', async () => {
    const wide = new Uint8Array(20_000)
    const { incoming, deliveries, said, stored, failStore, payloads } = await open(
      [
        { outputLength: wide.length },
        { outputLength: wide.length, keepOutput: false },
        { outputLength: wide.length },
      ],
      1 << 20,
    )
    const [kept, unkept, failing] = deliveries as [Delivery, Delivery, Delivery]
    await incoming.answered(worker, identity.publicKey, await resultOf(kept, wide), wide)
    await incoming.answered(worker, identity.publicKey, await resultOf(unkept, wide), wide)
    expect(stored).toEqual([digestOf(wide)])
    failStore()
    await incoming.answered(worker, identity.publicKey, await resultOf(failing, wide), wide)
    expect(said()).toEqual(['1 answered', '2 answered', '3 corrupted: the output could not be stored'])
    expect(payloads.answer(failing.deliveryId)).toBeUndefined()
  })

  test('whose delivery is settled while its signature is verified is not held', async () => {
    const { promise: verified, resolve: finish } = Promise.withResolvers<boolean>()
    const { incoming, deliveries, posted, payloads, settle } = await open([{}], 1_000, () => verified)
    const [delivery] = deliveries as [Delivery]
    const taken = incoming.answered(worker, identity.publicKey, await resultOf(delivery), output)
    settle(delivery)
    finish(true)
    await taken
    expect(posted).toEqual([])
    expect(payloads.answerBytes()).toBe(0)
  })
})

describe('a proof', () => {
  const zk = (kind: 'v2' | 'v3', first = 0, verifierVersion = 2): ZkProofPayload => {
    const proof = new Uint8Array(256)
    proof[0] = first
    return { kind, verifierVersion, proof }
  }
  /** Refuses what begins with a 1 and has no time for a 2, when it is told to go on. */
  const flaws: readonly (ProofFlaw | undefined)[] = [
    undefined,
    { kind: 'refused', detail: 'the proof is false' },
    { kind: 'unjudged', detail: 'too many proofs wait' },
  ]
  function judge() {
    const asked: ProofOfAnswer[][] = []
    let goOn = Promise.resolve()
    const proofs: Proofs = {
      kinds: ['v2', 'v3'],
      wanted: (kind) => ({ kind, verifierVersion: 2 }),
      async verify(_, items) {
        asked.push([...items])
        await goOn
        return items.map(({ proof: { proof } }) => flaws[proof[0] ?? 0])
      },
      close() {},
    }
    const hold = (): (() => void) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      goOn = promise
      return resolve
    }
    return { proofs, asked, hold }
  }
  const openWith = (tasks: readonly Partial<NewTask>[], { proofs }: ReturnType<typeof judge>) =>
    open(tasks, 1_000, verifySignature, proofs)
  const proven = { proof: 'v2' } as const

  test('that nobody could judge is by our own doing: its worker may have the task again, and the task has no attempt less', async () => {
    const { incoming, deliveries, posted, payloads } = await openWith([proven, proven, proven], judge())
    const answers = deliveries.map((delivery, index) => ({ delivery, overrides: { proof: zk('v2', index) } }))
    await incoming.batchAnswered(worker, identity.publicKey, await batchOf(answers))
    expect(posted.map(({ kind }) => kind)).toEqual(['answered', 'corrupted', 'unsent'])
    expect(posted[2]).toMatchObject({ detail: 'too many proofs wait' })
    expect(payloads.answerBytes()).toBe(output.length)
  })

  test('is verified with the others of its frame, against what the orchestrator knows of the answer', async () => {
    const judging = judge()
    const tasks = [proven, proven, proven, proven, {}, {}, { proof: 'v3' as const }, proven]
    const { incoming, deliveries, said } = await openWith(tasks, judging)
    const given = [zk('v2'), zk('v2', 1), undefined, zk('v3'), zk('v2'), undefined, undefined, zk('v2', 0, 1)]
    const answers = deliveries.map((delivery, index) => ({ delivery, overrides: { proof: given[index] } }))
    await incoming.batchAnswered(worker, identity.publicKey, await batchOf(answers))
    expect(said()).toEqual([
      '1 answered',
      '2 corrupted: the proof is false',
      '3 corrupted: the proof of kind v2 is missing',
      '4 corrupted: the proof is of kind v3, asked for was v2',
      '5 corrupted: a proof came that was not asked for',
      '6 answered',
      '7 corrupted: an answer that is audited comes by itself',
      '8 corrupted: the proof is for version 1, asked for was 2',
    ])
    expect(judging.asked).toHaveLength(1)
    const { taskId, seed } = (deliveries[0] as Delivery).task.spec
    const answer = { taskId, seed, outputLength: output.length, outputDigest: digestOf(output) }
    expect(judging.asked[0]?.[0]).toEqual({ proof: zk('v2'), answer })
  })

  test('that could not be asked for, because no key was in use, is owed all the same', async () => {
    const judging = judge()
    const { incoming, deliveries, said } = await openWith([proven], {
      ...judging,
      proofs: { ...judging.proofs, wanted: () => undefined },
    })
    await incoming.batchAnswered(
      worker,
      identity.publicKey,
      await batchOf(deliveries.map((delivery) => ({ delivery }))),
    )
    expect(said()).toEqual(['1 corrupted: no key was in use for proofs of kind v2'])
  })

  test('goes with its answer to dispatch', async () => {
    const { incoming, deliveries, posted } = await openWith([proven], judge())
    const [delivery] = deliveries as [Delivery]
    const result = await resultOf(delivery, output, { proof: zk('v2') })
    await incoming.answered(worker, identity.publicKey, result, output)
    expect(posted).toMatchObject([{ kind: 'answered', proof: zk('v2') }])
  })

  test('that is refused, of an answer that came alone, stores no output', async () => {
    const { incoming, deliveries, said, stored } = await openWith([proven], judge())
    const [delivery] = deliveries as [Delivery]
    const result = await resultOf(delivery, output, { proof: zk('v2', 1) })
    await incoming.answered(worker, identity.publicKey, result, output)
    expect(said()).toEqual(['1 corrupted: the proof is false'])
    expect(stored).toEqual([])
  })

  test('is not verified for an answer with another flaw', async () => {
    const judging = judge()
    const { incoming, deliveries } = await openWith([proven], judging)
    const [delivery] = deliveries as [Delivery]
    const overrides = { proof: zk('v2'), output: Uint8Array.from([9, 9, 9, 9]) }
    await incoming.batchAnswered(worker, identity.publicKey, await batchOf([{ delivery, overrides }]))
    expect(judging.asked).toEqual([])
  })

  test('is verified once, however often its answer is said meanwhile', async () => {
    const judging = judge()
    const { incoming, deliveries, said } = await openWith([proven], judging)
    const batch = await batchOf(deliveries.map((delivery) => ({ delivery, overrides: { proof: zk('v2') } })))
    const goOn = judging.hold()
    const first = incoming.batchAnswered(worker, identity.publicKey, batch)
    while (judging.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    await incoming.batchAnswered(worker, identity.publicKey, batch)
    goOn()
    await first
    expect(said()).toEqual(['1 answered'])
    expect(judging.asked).toHaveLength(1)
  })
})
