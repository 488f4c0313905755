/** Performs a session's effects over the adapters and hands back what comes of them as inputs. It decides nothing. */
import { ComputeError, type Executor, runWork } from '@shardy/compute'
import { type Identity, verifySignature } from '@shardy/crypto'
import { type Digest, encodeHex, type Sha256 } from '@shardy/protocol'
import type { Constants } from './constants.ts'
import type { Effect } from './session/effect.ts'
import type { WorkerEvent } from './session/event.ts'
import type { Input, InputOf } from './session/input.ts'
import type { Connect, Socket } from './socket.ts'

export interface PerformerAdapters {
  readonly connect: Connect
  readonly identity: Identity
  readonly sha256: Sha256
  readonly executor: Executor
  readonly constants: Constants
  /** So many bytes that nobody can guess. */
  readonly random: (length: number) => Uint8Array
  readonly log: (event: WorkerEvent) => void
}

export interface Performer {
  perform(effect: Effect): void
  /** Whether a socket is still open or closing. */
  readonly connected: boolean
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

function failureOf(thrown: unknown): InputOf<'notExecuted'>['reason'] {
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
  const { connect, identity, sha256, executor, constants, random, log } = adapters
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

  async function execute(effect: Extract<Effect, { kind: 'execute' }>): Promise<void> {
    const { run, work, input, blobs } = effect
    const controller = new AbortController()
    running.set(run, controller)
    try {
      const { signal } = controller
      const onProgress = (permille: number) => reply({ kind: 'progressed', run, permille })
      const output = await runWork(executor, work, input, { blobs, signal, onProgress })
      const outputDigest = digestOf(output)
      running.delete(run)
      reply({ kind: 'executed', run, output, outputDigest, salt: encodeHex(random(32)) })
    } catch (thrown) {
      running.delete(run)
      reply({ kind: 'notExecuted', run, reason: failureOf(thrown), text: textOf(thrown) })
    }
  }

  async function fetchConstants(effect: Extract<Effect, { kind: 'fetchConstants' }>): Promise<void> {
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

  async function signHello({ connection, payload }: Extract<Effect, { kind: 'signHello' }>): Promise<void> {
    let input: Input
    try {
      input = { kind: 'helloSigned', connection, signature: await identity.sign(payload) }
    } catch (thrown) {
      input = { kind: 'helloUnsigned', connection, text: textOf(thrown) }
    }
    reply(input)
  }

  async function signResult({ run, payload }: Extract<Effect, { kind: 'signResult' }>): Promise<void> {
    let input: Input
    try {
      input = { kind: 'resultSigned', run, signature: await identity.sign(payload) }
    } catch (thrown) {
      input = { kind: 'resultUnsigned', run, text: textOf(thrown) }
    }
    reply(input)
  }

  async function verify(effect: Extract<Effect, { kind: 'verify' }>): Promise<void> {
    const { run, input, publicKey, payload, signature } = effect
    const attestationHolds = await verifySignature(publicKey, payload, signature)
    reply({ kind: 'verified', run, inputDigest: digestOf(input), attestationHolds })
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
        case 'fetchConstants':
          return void fetchConstants(effect)
        case 'execute':
          return void execute(effect)
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
