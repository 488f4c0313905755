/** A worker written out frame by frame, so that a test can say anything at any time, over a real WebSocket. */
import { generateIdentity, type Identity } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import {
  attestedPayload,
  type BatchResult,
  batchStatements,
  commitTo,
  type Delivery,
  type DeliveryId,
  type Digest,
  decodeFrame,
  encodeFrame,
  encodeHex,
  type Frame,
  type FrameType,
  type Hello,
  helloPayload,
  type MicroCredit,
  orchestratorIdOf,
  type ProfileV2,
  type ProgramId,
  type Result,
  resultStatement,
  type Settlement,
  statementLeaf,
  type WorkerId,
  workerIdOf,
} from '@shardy/protocol'
import { decodeProgram, evaluate, programId } from '@shardy/tensor'

type FrameOf<Type extends FrameType> = Extract<Frame, { readonly type: Type }>

/** What both ways to be given a delivery have in common. */
type Given = Pick<
  Delivery,
  | 'taskId'
  | 'deliveryId'
  | 'seed'
  | 'payloadDigest'
  | 'deadlineMs'
  | 'program'
  | 'commitFirst'
  | 'returnOutput'
  | 'proof'
>

/** A delivery that has come, with its input and the honest answer to it. */
export interface Work {
  readonly delivery: Given
  readonly input: Uint8Array
  readonly output: Uint8Array
  readonly outputDigest: Digest
  readonly salt: string
}

export interface Answered {
  readonly work: Work
  /** Other than the honest answer. */
  readonly output?: Uint8Array
  readonly overrides?: Partial<BatchResult>
}

export interface RawWorker {
  readonly workerId: WorkerId
  readonly identity: Identity
  readonly frames: readonly Frame[]
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  isClosed(): boolean
  send(...frames: readonly (Uint8Array | string)[]): void
  /** The next frame of that type that was not taken yet; rejects when the connection ends before. */
  next<Type extends FrameType>(type: Type): Promise<FrameOf<Type>['body']>
  /** The next frame of any of these types. */
  nextOf<Type extends FrameType>(...types: readonly Type[]): Promise<FrameOf<Type>>
  /** It was taken, and is the next one again. */
  putBack(frame: Frame): void
  hello(overrides?: Partial<Hello>): Promise<Uint8Array>
  /** Through the handshake, up to the profile. */
  arrive(profile?: Partial<ProfileV2>, hello?: Partial<Hello>): Promise<void>
  /** Through the handshake, where workers are believed. */
  join(profile?: Partial<ProfileV2>): Promise<void>
  work(): Promise<Work>
  /** What became of a delivery that was not told of before. */
  settled(): Promise<Settlement>
  /** Commitments of the task are closed: the answer may be shown. */
  closing(work: Work): Promise<void>
  commit(work: Work, outputDigest?: Digest): void
  /** In a frame of its own; the output follows as a raw frame. */
  result(work: Work, overrides?: Partial<Result>): Promise<Uint8Array>
  /** Many in one frame. */
  results(...answers: readonly Answered[]): Promise<Uint8Array>
  /** Commits where that is asked for, and answers; `output` may be a lie. */
  answer(work: Work, output?: Uint8Array): Promise<void>
  /** Resolves when everything that was said before has been handled. */
  heard(): Promise<void>
  disconnect(): Promise<void>
}

/** What it says of itself unless a test says otherwise: enough for every small task, and nothing ahead of its turn. */
export const rawProfile: ProfileV2 = {
  operationsPerSecond: 1_000_000_000,
  payloadBytesMax: 1024 * 1024,
  slots: 4,
  prefetch: 0,
  hiddenPermille: 0,
  bufferBytesMax: 1024 * 1024,
  memoryBytes: 1024 * 1024 * 1024,
  features: [],
  hardwareClass: '',
  region: '',
  askMicroCredit: 0n as MicroCredit,
  operator: '',
}

export const digestOf = (bytes: Uint8Array): Digest => encodeHex(sha256(bytes)) as Digest

export async function connectRawWorker(url: string, identity?: Identity): Promise<RawWorker> {
  const own = identity ?? (await generateIdentity({ extractable: false }))
  const workerId = workerIdOf(own.publicKey, sha256)
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/worker`)
  socket.binaryType = 'arraybuffer'
  const frames: Frame[] = []
  const taken = new Set<Frame>()
  const works: Work[] = []
  const settlements: Settlement[] = []
  const closings = new Set<DeliveryId>()
  /** The delivery whose raw input is the next frame. */
  let announced: Delivery | undefined
  let beats = 1
  let ended = false
  const waiting = new Set<() => void>()
  const { promise: closed, resolve: end } = Promise.withResolvers<{ code: number; reason: string }>()
  const opened = new Promise<void>((resolve) => {
    socket.onopen = () => resolve()
  })
  socket.onmessage = ({ data }) => {
    const bytes = new Uint8Array(data as ArrayBuffer)
    if (announced !== undefined) {
      works.push(workOf(announced, bytes))
      announced = undefined
    } else {
      const decoded = decodeFrame(bytes, 'orchestrator')
      if (!decoded.ok) throw new Error(`the orchestrator sent nonsense: ${JSON.stringify(decoded.refusal)}`)
      frames.push(decoded.value)
      take(decoded.value)
    }
    for (const look of [...waiting]) look()
  }
  socket.onclose = ({ code, reason }) => {
    ended = true
    end({ code, reason })
    for (const look of [...waiting]) look()
  }

  function take({ type, body }: Frame): void {
    if (type === 'delivery') {
      if (body.payloadLength > 0) announced = body
      else works.push(workOf(body, new Uint8Array(0)))
    }
    if (type === 'settlements') settlements.push(...body.settlements)
    if (type === 'closings') for (const deliveryId of body.deliveryIds) closings.add(deliveryId)
    if (type !== 'deliveries') return
    for (const { program, payload, ...given } of body.deliveries) {
      const listed = body.programs[program]
      if (listed === undefined) throw new Error('a delivery without its program')
      works.push(workOf({ ...given, program: listed.program, payloadDigest: digestOf(payload) }, payload))
    }
  }

  function workOf(delivery: Given, input: Uint8Array): Work {
    const decoded = decodeProgram(delivery.program)
    if (!decoded.ok) throw new Error('a delivery with a broken program')
    const output = evaluate(decoded.value, input)
    return { delivery, input, output, outputDigest: digestOf(output), salt: 'ab'.repeat(32) }
  }

  function awaited<T>(find: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find()
        if (found === undefined && !ended) return
        waiting.delete(look)
        if (found === undefined) reject(new Error(`the connection ended before ${what}`))
        else resolve(found)
      }
      waiting.add(look)
      look()
    })
  }

  async function nextOf<Type extends FrameType>(...types: readonly Type[]): Promise<FrameOf<Type>> {
    const isWanted = (frame: Frame) => types.some((type) => type === frame.type) && !taken.has(frame)
    const found = await awaited(() => {
      const frame = frames.find(isWanted)
      if (frame !== undefined) taken.add(frame)
      return frame
    }, types.join(' or '))
    return found as FrameOf<Type>
  }

  const next = async <Type extends FrameType>(type: Type): Promise<FrameOf<Type>['body']> =>
    (await nextOf(type)).body as FrameOf<Type>['body']

  const send = (...sent: readonly (Uint8Array | string)[]): void => {
    for (const frame of sent) if (!ended) socket.send(frame as Uint8Array<ArrayBuffer>)
  }

  function programIdOf({ program }: Given): ProgramId {
    const decoded = decodeProgram(program)
    if (!decoded.ok) throw new Error('a delivery with a broken program')
    return programId(decoded.value, sha256)
  }

  const worker: RawWorker = {
    workerId,
    identity: own,
    frames,
    closed,
    isClosed: () => ended,
    send,
    next,
    nextOf,
    putBack: (frame) => void taken.delete(frame),
    async hello(overrides = {}) {
      const { nonce, publicKey } = await next('challenge')
      const content = {
        version: 1,
        publicKey: own.publicKey,
        agent: 'raw/1',
        kinds: ['program' as const],
        executor: 'cpu' as const,
        adapter: 'by hand',
        ...overrides,
      }
      const signature = await own.sign(helloPayload(content, nonce, orchestratorIdOf(publicKey, sha256)))
      // Overrides once more: a test may want another signature.
      return encodeFrame('hello', { ...content, signature, ...overrides })
    },
    async arrive(profile = {}, hello = {}) {
      send(await worker.hello(hello))
      await next('welcome')
      send(encodeFrame('profileV2', { ...rawProfile, ...profile }))
    },
    async join(profile = {}) {
      await worker.arrive(profile)
      // Answered behind the profile, so the worker has joined when the echo comes.
      await worker.heard()
    },
    async heard() {
      const sequence = beats++
      send(encodeFrame('heartbeat', { sequence, inFlight: 0 }))
      await awaited(
        () => frames.find(({ type, body }) => type === 'heartbeat' && body.sequence === sequence),
        'an echo',
      )
    },
    work: () => awaited(() => works.shift(), 'a delivery'),
    settled: () => awaited(() => settlements.shift(), 'a settlement'),
    async closing({ delivery: { deliveryId } }) {
      await awaited(() => closings.has(deliveryId) || undefined, 'the close of commitments')
    },
    commit({ delivery: { deliveryId }, salt, outputDigest: honest }, outputDigest = honest) {
      const commitment = commitTo({ workerId, deliveryId, outputDigest, traceRoot: undefined, salt }, sha256)
      send(encodeFrame('commits', { commits: [{ deliveryId, commitment }] }))
    },
    async result({ delivery, outputDigest: honest, output, salt }, overrides = {}) {
      const { deliveryId, returnOutput, commitFirst } = delivery
      const outputDigest = overrides.outputDigest ?? honest
      const answer = { outputDigest, traceRoot: overrides.traceRoot }
      const statement = resultStatement(delivery, programIdOf(delivery), workerId, answer)
      const { payload, attest } = batchStatements([statement], sha256)
      const [attestation] = attest(await own.sign(payload))
      if (attestation === undefined || attestedPayload(statement, attestation, sha256) === undefined) {
        throw new Error('a batch of one has one attestation')
      }
      return encodeFrame('result', {
        deliveryId,
        ...answer,
        outputLength: output.length,
        outputIncluded: returnOutput,
        attestation,
        salt: commitFirst ? salt : undefined,
        partLengths: [],
        proof: undefined,
        ...overrides,
      })
    },
    async results(...answers) {
      const statements = answers.map(({ work: { delivery, outputDigest }, output, overrides = {} }) => {
        const said = {
          outputDigest: overrides.outputDigest ?? (output === undefined ? outputDigest : digestOf(output)),
          traceRoot: overrides.traceRoot,
        }
        return resultStatement(delivery, programIdOf(delivery), workerId, said)
      })
      const results = answers.map(({ work, output = work.output, overrides }, index): BatchResult => {
        const { delivery, salt } = work
        const statement = statements[index] as (typeof statements)[number]
        return {
          deliveryId: delivery.deliveryId,
          outputDigest: digestOf(output),
          output: delivery.returnOutput ? output : undefined,
          salt: delivery.commitFirst ? salt : undefined,
          traceRoot: undefined,
          leaf: encodeHex(statementLeaf(statement, sha256)) as Digest,
          proof: undefined,
          ...overrides,
        }
      })
      const signature = await own.sign(batchStatements(statements, sha256).payload)
      return encodeFrame('results', { results, signature })
    },
    async answer(work, output = work.output) {
      if (work.delivery.commitFirst) {
        worker.commit(work, digestOf(output))
        await worker.closing(work)
      }
      send(await worker.results({ work, output }))
    },
    async disconnect() {
      if (!ended) socket.terminate()
      await closed
    },
  }
  await Promise.race([opened, closed])
  return worker
}
