/** Performs a session's effects over the adapters and hands back what comes of them as inputs. It decides nothing. */
import {
  ComputeError,
  type Executor,
  openCheckTools,
  openTurns,
  runBenchmark,
  runSmallWork,
  runWork,
} from '@shardy/compute'
import { type Identity, verifySignature } from '@shardy/crypto'
import { type Digest, encodeHex, type Sha256, type ZkProofPayload } from '@shardy/protocol'
import { type CheckTools, makeClaim, planCheck, policies } from '@shardy/tensor/check'
import type { Constants } from './constants.ts'
import type { BlockProver, Provable, TaskProver } from './prover.ts'
import type { Effect, SmallTask } from './session/effect.ts'
import type { WorkerEvent } from './session/event.ts'
import type { FailureReason, Input, Outcome } from './session/input.ts'
import type { Connect, Socket } from './socket.ts'

export interface PerformerAdapters {
  readonly connect: Connect
  readonly identity: Identity
  readonly sha256: Sha256
  readonly executor: Executor
  readonly constants: Constants
  /** Left out: tasks that ask for a proof are handed back. */
  readonly prover?: TaskProver | undefined
  /** Left out: so are those that ask for one when they are audited. */
  readonly blockProver?: BlockProver | undefined
  /** So many bytes that nobody can guess. */
  readonly random: (length: number) => Uint8Array
  readonly log: (event: WorkerEvent) => void
}

type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { readonly kind: Kind }>

/** Small tasks that are with an executor at once where each call leaves the thread. */
const besideMax = 16

export interface Performer {
  perform(effect: Effect): void
  /** Whether a socket is still open or closing. */
  readonly connected: boolean
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

function failureOf(thrown: unknown): FailureReason {
  if (!(thrown instanceof ComputeError)) return 'executionFailed'
  switch (thrown.kind) {
    case 'beyondLimits':
    case 'outOfMemory':
      return 'tooLarge'
    case 'deviceLost':
    case 'closed':
      return 'deviceLost'
    default:
      return 'executionFailed'
  }
}

export function createPerformer(adapters: PerformerAdapters, reply: (input: Input) => void): Performer {
  const { connect, identity, sha256, executor, constants, prover, blockProver, random, log } = adapters
  const sockets = new Map<number, Socket>()
  /** Fetches and executions, by their run. */
  const running = new Map<number, AbortController>()
  const digestOf = (bytes: Uint8Array): Digest => encodeHex(sha256(bytes)) as Digest

  function openSocket(connection: number): void {
    const end = (code: number, text: string): void => {
      sockets.delete(connection)
      reply({ kind: 'closed', connection, code, text })
    }
    try {
      const socket = connect({
        onOpen: () => reply({ kind: 'opened', connection }),
        onMessage: (bytes) => reply({ kind: 'received', connection, bytes }),
        onClose: end,
      })
      sockets.set(connection, socket)
    } catch (thrown) {
      end(1006, textOf(thrown))
    }
  }

  let tools: Promise<CheckTools> | undefined

  /** The output and, where it is wanted, what the interactive check needs beside it (C1). */
  async function answer(
    { work, input: given, blobs, transcript, run, keepsInput }: EffectOf<'execute'>,
    signal: AbortSignal,
  ): Promise<{ readonly output: Uint8Array; readonly transcript: readonly Uint8Array[] }> {
    const onProgress = (permille: number) => reply({ kind: 'progressed', run, permille })
    // An executor on another thread moves it there, and leaves nothing behind.
    const input = keepsInput ? given.slice() : given
    if (!transcript || work.kind !== 'program') {
      return { output: await runWork(executor, work, input, { blobs, signal, onProgress }), transcript: [] }
    }
    const { program } = work
    const { keep } = planCheck(program, policies.interactive)
    const execution = await executor.execute(program, input, { blobs, signal, onProgress, keep })
    if (keep.length === 0) return { output: execution.output, transcript: [] }
    tools ??= openCheckTools(sha256)
    return makeClaim(program, policies.interactive, execution, (await tools).bits)
  }

  async function execute(effect: EffectOf<'execute'>): Promise<void> {
    const { run } = effect
    const controller = new AbortController()
    running.set(run, controller)
    let input: Input
    try {
      const answered = await answer(effect, controller.signal)
      const outputDigest = digestOf(answered.output)
      const outputLength = answered.output.length
      const [proof] = effect.proof ? await prove([{ ...effect.proof, outputDigest, outputLength }]) : []
      input = { kind: 'executed', run, ...answered, outputDigest, proof, salt: encodeHex(random(32)) }
    } catch (thrown) {
      input = { kind: 'notExecuted', run, reason: failureOf(thrown), text: textOf(thrown) }
    }
    running.delete(run)
    reply(input)
  }

  function prove(answers: readonly Provable[]): Promise<readonly ZkProofPayload[]> {
    if (prover === undefined) throw new Error('nobody makes proofs here')
    return prover.prove(answers)
  }

  /** The outcomes with the proofs that were asked for, all made in one go; those that cannot be had are failures. */
  async function withProofs(
    batch: readonly SmallTask[],
    outcomes: readonly Outcome[],
  ): Promise<readonly Outcome[]> {
    const asked = outcomes.flatMap((outcome, index) => {
      const wanted = batch[index]?.proof
      if (!outcome.ok || wanted === undefined) return []
      const { outputDigest, output } = outcome
      return [{ index, answer: { ...wanted, outputDigest, outputLength: output.length } }]
    })
    if (asked.length === 0) return outcomes
    const proven = [...outcomes]
    try {
      const proofs = await prove(asked.map(({ answer }) => answer))
      for (const [place, { index }] of asked.entries()) {
        const outcome = proven[index]
        if (outcome?.ok) proven[index] = { ...outcome, proof: proofs[place] }
      }
    } catch (thrown) {
      const text = `the proof could not be made: ${textOf(thrown)}`
      for (const { index } of asked) proven[index] = { ok: false, reason: 'executionFailed', text }
    }
    return proven
  }

  /** Undefined where the work does not fit the calling thread. */
  function atOnce({ work, input }: SmallTask): Outcome | undefined {
    try {
      const output = runSmallWork(executor, work, input)
      return output && { ok: true, output, outputDigest: digestOf(output), proof: undefined }
    } catch (thrown) {
      return { ok: false, reason: failureOf(thrown), text: textOf(thrown) }
    }
  }

  async function outcomeOf({ work, input }: SmallTask, signal: AbortSignal): Promise<Outcome> {
    try {
      const output = await runWork(executor, work, input, { signal })
      return { ok: true, output, outputDigest: digestOf(output), proof: undefined }
    } catch (thrown) {
      return { ok: false, reason: failureOf(thrown), text: textOf(thrown) }
    }
  }

  /** As many as fit one turn: answers go out, and others are heard, between two of them. */
  async function executeBatch({ run, batch }: EffectOf<'executeBatch'>): Promise<void> {
    const controller = new AbortController()
    running.set(run, controller)
    const { signal } = controller
    const outcomes: Outcome[] = []
    const turns = openTurns()
    await turns.next()
    do {
      const { length } = outcomes
      for (let index = length; index < batch.length && !turns.over() && !signal.aborted; index++) {
        const outcome = atOnce(batch[index] as SmallTask)
        if (outcome === undefined) break
        outcomes.push(outcome)
      }
      // What leaves the thread goes several at a time.
      if (outcomes.length === length && !signal.aborted) {
        const some = batch.slice(length, length + besideMax)
        outcomes.push(...(await Promise.all(some.map((task) => outcomeOf(task, signal)))))
      }
    } while (outcomes.length < batch.length && !turns.over() && !signal.aborted)
    turns.close()
    const proven = await withProofs(batch, outcomes)
    running.delete(run)
    reply({ kind: 'batchExecuted', run, outcomes: proven, salts: random(32 * outcomes.length) })
  }

  async function commitSums({ run, product, input, tile }: EffectOf<'commitSums'>): Promise<void> {
    await audit(run, async (prover) => {
      return { kind: 'sumsCommitted', run, commitments: await prover.sums(product, input, tile) }
    })
  }

  async function proveBlock({ run, block }: EffectOf<'proveBlock'>): Promise<void> {
    await audit(run, async (prover) => ({ kind: 'blockProven', run, proof: await prover.prove(block) }))
  }

  async function audit(run: number, make: (prover: BlockProver) => Promise<Input>): Promise<void> {
    let input: Input
    try {
      if (blockProver === undefined) throw new Error('nobody proves blocks here')
      input = await make(blockProver)
    } catch (thrown) {
      input = { kind: 'auditFailed', run, text: `the audit could not be answered: ${textOf(thrown)}` }
    }
    reply(input)
  }

  async function runChain({ run, benchmark }: EffectOf<'runBenchmark'>): Promise<void> {
    const controller = new AbortController()
    running.set(run, controller)
    let input: Input
    try {
      const options = { sha256, signal: controller.signal }
      input = { kind: 'benchmarkRun', run, commitment: await runBenchmark(executor, benchmark, options) }
    } catch (thrown) {
      input = { kind: 'benchmarkNotRun', run, text: textOf(thrown) }
    }
    running.delete(run)
    reply(input)
  }

  async function fetchConstants(effect: EffectOf<'fetchConstants'>): Promise<void> {
    const { run, deliveryId, program } = effect
    const controller = new AbortController()
    running.set(run, controller)
    let input: Input
    try {
      const blobs = await constants.obtain(deliveryId, program, controller.signal)
      input = { kind: 'constantsFetched', run, blobs }
    } catch (thrown) {
      input = { kind: 'constantsNotFetched', run, text: textOf(thrown) }
    }
    running.delete(run)
    reply(input)
  }

  async function signHello({ connection, payload }: EffectOf<'signHello'>): Promise<void> {
    let input: Input
    try {
      input = { kind: 'helloSigned', connection, signature: await identity.sign(payload) }
    } catch (thrown) {
      input = { kind: 'helloUnsigned', connection, text: textOf(thrown) }
    }
    reply(input)
  }

  async function signResult({ run, payload }: EffectOf<'signResult'>): Promise<void> {
    let input: Input
    try {
      input = { kind: 'resultSigned', run, signature: await identity.sign(payload) }
    } catch (thrown) {
      input = { kind: 'resultUnsigned', run, text: textOf(thrown) }
    }
    reply(input)
  }

  async function verify(effect: EffectOf<'verify'>): Promise<void> {
    const { run, input, publicKey, payload, signature } = effect
    const attestationHolds = await verifySignature(publicKey, payload, signature)
    reply({ kind: 'verified', run, inputDigest: digestOf(input), attestationHolds })
  }

  async function verifyBatch(effect: EffectOf<'verifyBatch'>): Promise<void> {
    const { run, publicKey, payload, signature } = effect
    reply({ kind: 'batchVerified', run, holds: await verifySignature(publicKey, payload, signature) })
  }

  return {
    get connected() {
      return sockets.size > 0
    },
    perform(effect) {
      switch (effect.kind) {
        case 'connect':
          return openSocket(effect.connection)
        case 'send':
          return sockets.get(effect.connection)?.send(effect.bytes)
        case 'close':
          return sockets.get(effect.connection)?.close(effect.cause)
        case 'signHello':
          return void signHello(effect)
        case 'verify':
          return void verify(effect)
        case 'verifyBatch':
          return void verifyBatch(effect)
        case 'fetchConstants':
          return void fetchConstants(effect)
        case 'execute':
          return void execute(effect)
        case 'executeBatch':
          return void executeBatch(effect)
        case 'commitSums':
          return void commitSums(effect)
        case 'proveBlock':
          return void proveBlock(effect)
        case 'runBenchmark':
          return void runChain(effect)
        case 'abort':
          return running.get(effect.run)?.abort()
        case 'signResult':
          return void signResult(effect)
        case 'report':
          return log(effect.event)
      }
    },
  }
}
