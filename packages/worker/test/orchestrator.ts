/**
 * The other side for tests of the driver: a real WebSocket server with real signatures that speaks the protocol's
 * frames and says only what the test tells it to.
 */
import { generateIdentity, type Identity } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import {
  type BatchDelivery,
  batchStatements,
  type Delivery,
  decodeFrame,
  deliveryStatement,
  encodeFrame,
  encodeHex,
  type Frame,
  type FrameType,
  type Hello,
  orchestratorIdOf,
  type WorkerId,
  workerIdOf,
} from '@shardy/protocol'
import { encodeProgram, inputLength, type Program, programId } from '@shardy/tensor'

type BodyOf<Type extends FrameType> = Extract<Frame, { readonly type: Type }>['body']
type ServerSocket = Bun.ServerWebSocket<unknown>

/** What arrived, in order, for tests to wait for. */
class Mailbox<T> {
  private readonly values: T[] = []
  private readonly waiting: ((value: T) => void)[] = []

  put(value: T): void {
    const waiter = this.waiting.shift()
    if (waiter === undefined) this.values.push(value)
    else waiter(value)
  }

  async take(): Promise<T> {
    const value = this.values.shift()
    return value ?? new Promise((resolve) => this.waiting.push(resolve))
  }
}

export class Line {
  readonly messages = new Mailbox<Uint8Array | string>()
  /** The close code and text that the worker gave. */
  readonly closed = new Mailbox<{ readonly code: number; readonly text: string }>()
  readonly nonce = encodeHex(crypto.getRandomValues(new Uint8Array(32)))
  workerId: WorkerId | undefined

  readonly socket: ServerSocket
  readonly identity: Identity
  constructor(socket: ServerSocket, identity: Identity) {
    this.socket = socket
    this.identity = identity
  }

  send<Type extends FrameType>(type: Type, body: BodyOf<Type>): void {
    this.sendRaw(encodeFrame(type, body as never))
  }

  sendRaw(bytes: Uint8Array): void {
    this.socket.sendBinary(bytes)
  }

  async raw(): Promise<Uint8Array> {
    const message = await this.messages.take()
    if (typeof message === 'string') throw new Error(`the worker sent text: ${message}`)
    return message
  }

  /** The next frame, which must be of this type. Heartbeats are answered on the way. */
  async expect<Type extends FrameType>(type: Type): Promise<BodyOf<Type>> {
    for (;;) {
      const decoded = decodeFrame(await this.raw(), 'worker')
      if (!decoded.ok) throw new Error(`the worker sent a bad frame: ${JSON.stringify(decoded.refusal)}`)
      const frame = decoded.value
      if (frame.type === type) return frame.body as BodyOf<Type>
      if (frame.type === 'heartbeat') this.send('heartbeat', frame.body)
      else throw new Error(`the worker sent ${frame.type}, expected ${type}`)
    }
  }

  challenge(): void {
    this.send('challenge', {
      versionMin: 1,
      versionMax: 1,
      nonce: this.nonce,
      publicKey: this.identity.publicKey,
      timeMs: Date.now() as never,
    })
  }

  async admit(heartbeatMs = 60_000): Promise<Hello> {
    this.challenge()
    const hello = await this.expect('hello')
    this.workerId = workerIdOf(hello.publicKey, sha256)
    const sessionId = encodeHex(crypto.getRandomValues(new Uint8Array(16)))
    this.send('welcome', { sessionId, heartbeatMs, payloadBytesMax: 2 ** 26 } as never)
    await this.expect('profileV2')
    await this.expect('presence')
    return hello
  }

  get orchestratorId() {
    return orchestratorIdOf(this.identity.publicKey, sha256)
  }

  /** A delivery of this work, signed; `changes` are made before the signature. */
  async deliveryOf(program: Program, input: Uint8Array, changes: Partial<Delivery> = {}): Promise<Delivery> {
    if (this.workerId === undefined) throw new Error('nobody was admitted')
    if (input.length !== inputLength(program)) throw new Error('the input does not fit the program')
    const random = (length: number) => encodeHex(crypto.getRandomValues(new Uint8Array(length))) as never
    const content: Omit<Delivery, 'attestation'> = {
      taskId: random(16),
      deliveryId: random(16),
      kind: 'program',
      program: encodeProgram(program),
      seed: 1n,
      complexity: 1,
      payloadLength: input.length,
      payloadDigest: encodeHex(sha256(input)) as never,
      deadlineMs: (Date.now() + 600_000) as never,
      proof: undefined,
      commitFirst: false,
      returnOutput: true,
      returnTranscript: false,
      ...changes,
    }
    const statement = deliveryStatement(content, programId(program, sha256), this.workerId)
    const batch = batchStatements([statement], sha256)
    const [attestation] = batch.attest(await this.identity.sign(batch.payload))
    if (attestation === undefined) throw new Error('a batch of one has one attestation')
    return { ...content, attestation }
  }

  /** Many small deliveries of one program in a frame, under one signature. */
  async deliverMany(
    program: Program,
    inputs: readonly Uint8Array[],
    changes: Partial<BatchDelivery> = {},
  ): Promise<readonly BatchDelivery[]> {
    const workerId = this.workerId
    if (workerId === undefined) throw new Error('nobody was admitted')
    const random = (length: number) => encodeHex(crypto.getRandomValues(new Uint8Array(length))) as never
    const deliveries = inputs.map(
      (payload): BatchDelivery => ({
        taskId: random(16),
        deliveryId: random(16),
        program: 0,
        seed: 1n,
        deadlineMs: (Date.now() + 600_000) as never,
        payload,
        commitFirst: false,
        returnOutput: true,
        proof: undefined,
        ...changes,
      }),
    )
    const id = programId(program, sha256)
    const statements = deliveries.map((delivery) => {
      const payloadDigest = encodeHex(sha256(delivery.payload)) as never
      return deliveryStatement({ ...delivery, payloadDigest }, id, workerId)
    })
    const signature = await this.identity.sign(batchStatements(statements, sha256).payload)
    const programs = [{ kind: 'program' as const, program: encodeProgram(program) }]
    this.send('deliveries', { programs, deliveries, signature })
    return deliveries
  }

  async deliver(program: Program, input: Uint8Array, changes: Partial<Delivery> = {}): Promise<Delivery> {
    const delivery = await this.deliveryOf(program, input, changes)
    this.send('delivery', delivery)
    this.sendRaw(input)
    return delivery
  }
}

export interface FakeOrchestrator {
  readonly url: string
  /** The next connection that a worker opens. */
  line(): Promise<Line>
  close(): Promise<void>
}

export async function startOrchestrator(): Promise<FakeOrchestrator> {
  const identity = await generateIdentity({ extractable: false })
  const opened = new Mailbox<Line>()
  const lines = new Map<ServerSocket, Line>()
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request, instance) {
      const { pathname } = new URL(request.url)
      if (pathname === '/v1/worker' && instance.upgrade(request, { data: undefined })) return undefined
      return new Response('not here', { status: 404 })
    },
    websocket: {
      maxPayloadLength: 128 * 1024 * 1024,
      open(socket) {
        const line = new Line(socket, identity)
        lines.set(socket, line)
        opened.put(line)
      },
      message(socket, data) {
        lines.get(socket)?.messages.put(typeof data === 'string' ? data : new Uint8Array(data))
      },
      close(socket, code, text) {
        lines.get(socket)?.closed.put({ code, text })
        lines.delete(socket)
      },
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    line: () => opened.take(),
    close: () => server.stop(true),
  }
}
