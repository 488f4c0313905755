/** A dispute over real programs, real keys and real executors, from two signed results to evidence that a stranger repeats. */
import { describe, expect, test } from 'bun:test'
import { createCpuExecutor, executeQuestion, outlineOf, tracedValues, traceOf } from '@shardy/compute'
import { generateIdentity, type Identity } from '@shardy/crypto'
import { sha256, verifySignatureSync } from '@shardy/crypto/native'
import {
  createStep,
  type DisputeState,
  defaultPolicy,
  type Effect,
  type Evidence,
  emptyState,
  evidence,
  type Input,
  type Party,
} from '@shardy/dispute'
import {
  batchStatements,
  type Digest,
  encodeHex,
  type Statement,
  type TimeMs,
  type TraceTree,
  traceTree,
  type WorkerId,
  workerIdOf,
} from '@shardy/protocol'
import { encodeProgram, type Program, programId } from '@shardy/tensor'
import { type ExampleName, exampleNames, exampleProgram } from '@shardy/tensor/testing'
import { checkDisputeEvidence } from './evidence.ts'

const digestOf = (bytes: Uint8Array) => encodeHex(sha256(bytes)) as Digest
const atMs = 1_800_000_000_000 as TimeMs

interface Side {
  readonly workerId: WorkerId
  readonly party: Party
  readonly tree: TraceTree
  readonly leaves: ReturnType<typeof traceOf>
  readonly blobs: Map<Digest, Uint8Array>
}

/** Computes the program and, from `lieAt` on, something else: one bit of that node, and then what follows from it. */
async function computeSide(name: ExampleName, identity: Identity, lieAt: number | undefined): Promise<Side> {
  const { program, input, blobs: constants } = exampleProgram(name)
  const executor = createCpuExecutor()
  const execution = await executor.execute(program, input, { blobs: constants, keep: tracedValues(program) })
  await executor.close()
  const blobs = new Map([...constants, [digestOf(input), input] as const])
  const kept = new Map(execution.kept)
  let output = execution.output
  if (lieAt !== undefined) ({ output } = spoil(program, kept, lieAt, blobs, digestOf(input), output))
  const leaves = traceOf(program, { output, kept }, sha256)
  for (const bytes of [...kept.values(), output]) blobs.set(digestOf(bytes), bytes)
  const tree = traceTree(leaves, sha256)
  const workerId = workerIdOf(identity.publicKey, sha256)
  const statement: Statement = {
    role: 'result',
    taskId: 'aa'.repeat(16) as Statement['taskId'],
    deliveryId: workerId.slice(0, 32) as Statement['deliveryId'],
    programId: programId(program, sha256),
    seed: 0n,
    inputDigest: digestOf(input),
    outputDigest: digestOf(output),
    traceRoot: tree.root,
    workerId,
    deadlineMs: (atMs + 60_000) as TimeMs,
  }
  const { payload, attest } = batchStatements([statement], sha256)
  const [attestation] = attest(await identity.sign(payload))
  if (attestation === undefined) throw new Error('a batch of one has one attestation')
  return { workerId, party: { statement, attestation, publicKey: identity.publicKey }, tree, leaves, blobs }
}

/** Flips a bit of one node and computes what follows from it, so that the lie is consistent with itself. */
function spoil(
  program: Program,
  kept: Map<number, Uint8Array>,
  lieAt: number,
  constants: ReadonlyMap<Digest, Uint8Array>,
  inputDigest: Digest,
  output: Uint8Array,
): { readonly output: Uint8Array } {
  const first = program.inputs.length + program.constants.length
  const spoiled = (kept.get(first + lieAt) ?? new Uint8Array()).slice()
  spoiled[0] = (spoiled[0] ?? 0) ^ 1
  kept.set(first + lieAt, spoiled)
  const bytes = encodeProgram(program)
  const ask = (node: number | undefined) => {
    const leaves = traceOf(program, { output, kept }, sha256)
    const blobs = new Map([
      ...constants,
      ...[...kept.values()].map((each) => [digestOf(each), each] as const),
    ])
    const values = node === undefined ? leaves : leaves.slice(0, node)
    const id = programId(program, sha256)
    return executeQuestion(
      { program: bytes, programId: id, seed: 0n, inputDigest, node, values, blobs: [] },
      blobs,
    )
  }
  for (let node = lieAt + 1; node < program.nodes.length; node++) {
    const answer = ask(node)
    if (answer !== undefined) kept.set(first + node, answer)
  }
  return { output: ask(undefined) ?? output }
}

/** Plays a dispute to its end; both sides answer whatever they are asked. */
function play(name: ExampleName, sides: readonly [Side, Side]): Effect & { readonly kind: 'ended' } {
  const step = createStep({ sha256, outline: outlineOf })
  const everyBlob = new Map([...sides[0].blobs, ...sides[1].blobs])
  const sideOf = (id: WorkerId) => (sides[0].workerId === id ? sides[0] : sides[1])
  let state: DisputeState = emptyState(defaultPolicy)
  const { program } = exampleProgram(name)
  const inputs: Input[] = [
    {
      kind: 'open',
      atMs,
      openedBy: { kind: 'requester', workerId: undefined },
      program: encodeProgram(program),
      parties: [sides[0].party, sides[1].party],
    },
  ]
  for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
    const stepped = step(state, input)
    state = stepped.state
    for (const effect of stepped.effects) {
      if (effect.kind === 'ended') return effect
      const reply = answerTo(effect, sideOf, everyBlob)
      if (reply !== undefined) inputs.push(reply)
    }
  }
  throw new Error('the dispute did not end')
}

function answerTo(
  effect: Effect,
  sideOf: (id: WorkerId) => Side,
  blobs: ReadonlyMap<Digest, Uint8Array>,
): Input | undefined {
  switch (effect.kind) {
    case 'verify': {
      const { disputeId, workerId, publicKey, payload, signature } = effect
      const isValid = verifySignatureSync(publicKey, payload, signature)
      return { kind: 'signatureChecked', atMs, disputeId, workerId, isValid }
    }
    case 'askHalves': {
      const { disputeId, workerId, from, to } = effect
      const halves = sideOf(workerId).tree.halves(from, to)
      if (halves === undefined) throw new Error('asked for a subtree that is none')
      return { kind: 'halvesShown', atMs, disputeId, workerId, from, to, halves }
    }
    case 'askLeaves': {
      const { disputeId, workerId, nodes } = effect
      const { leaves, tree } = sideOf(workerId)
      const shown = nodes.map((node) => ({ leaf: leaves[node], path: tree.path(node) }))
      return { kind: 'leavesShown', atMs, disputeId, workerId, leaves: shown as Evidence['shown'] }
    }
    case 'reexecute': {
      const answer = executeQuestion(effect.question, blobs)
      if (answer === undefined) throw new Error('every blob is here')
      return { kind: 'reexecuted', atMs, disputeId: effect.disputeId, digest: digestOf(answer) }
    }
    default:
      return undefined
  }
}

const [honestKey, lyingKey] = await Promise.all([
  generateIdentity({ extractable: false }),
  generateIdentity({ extractable: false }),
])

function evidenceOf(ended: Effect & { readonly kind: 'ended' }): Evidence {
  if (!('evidence' in ended.outcome) || ended.outcome.evidence === undefined) {
    throw new Error(`ended without evidence: ${JSON.stringify(ended.outcome)}`)
  }
  return ended.outcome.evidence as Evidence
}

for (const name of exampleNames) {
  describe(`a liar about the example ${name}`, () => {
    const nodes = exampleProgram(name).program.nodes.length
    for (const lieAt of new Set([0, nodes >> 1, nodes - 1])) {
      test(`at node ${lieAt} of ${nodes} is found, and a stranger finds the same`, async () => {
        const honest = await computeSide(name, honestKey, undefined)
        const liar = await computeSide(name, lyingKey, lieAt)
        const found = evidenceOf(play(name, [honest, liar]))
        expect(found.node).toBe(lieAt)
        const blobs = new Map([...honest.blobs, ...liar.blobs])
        const verdict = await checkDisputeEvidence(evidence.encode(found), {
          sha256,
          verify: verifySignatureSync,
          blob: async (digest) => blobs.get(digest),
        })
        expect(verdict).toEqual({ ok: true, wrong: [liar.workerId] })
      })
    }
  })
}

test('without its blobs evidence stays undecided, and forged bytes are told', async () => {
  const honest = await computeSide('mlp', honestKey, undefined)
  const liar = await computeSide('mlp', lyingKey, 1)
  const bytes = evidence.encode(evidenceOf(play('mlp', [honest, liar])))
  const adapters = { sha256, verify: verifySignatureSync, blob: async () => undefined }
  expect(await checkDisputeEvidence(bytes, adapters)).toMatchObject({ problem: { kind: 'blobsMissing' } })
  const other = { ...adapters, blob: async () => Uint8Array.of(1) }
  expect(await checkDisputeEvidence(bytes, other)).toMatchObject({ problem: { kind: 'blobsMissing' } })
  expect(await checkDisputeEvidence(bytes.subarray(1), adapters)).toHaveProperty('unreadable')
})

test('evidence about a program that would cost too much is left alone, by choice', async () => {
  const honest = await computeSide('mlp', honestKey, undefined)
  const liar = await computeSide('mlp', lyingKey, 1)
  const bytes = evidence.encode(evidenceOf(play('mlp', [honest, liar])))
  const adapters = { sha256, verify: verifySignatureSync, blob: async () => undefined, workMax: 1000 }
  expect(await checkDisputeEvidence(bytes, adapters)).toHaveProperty('tooMuchWork')
})

test('bytes that no program could give are no exception, and blame nobody', async () => {
  const { program, input } = exampleProgram('mlp')
  const node = 1
  const question = {
    program: encodeProgram(program),
    programId: programId(program, sha256),
    seed: 0n,
    inputDigest: digestOf(input),
    node,
    values: [{ node: 0, byteLength: 4, digest: digestOf(Uint8Array.of(1, 2, 3)) }],
    blobs: [],
  }
  const blobs = new Map([[digestOf(Uint8Array.of(1, 2, 3)), Uint8Array.of(1, 2, 3)]])
  expect(executeQuestion(question, blobs)).toBeUndefined()
  expect(executeQuestion({ ...question, node: undefined, values: [] }, blobs)).toBeUndefined()
})
