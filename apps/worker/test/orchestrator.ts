/**
 * The other side of the page for its tests: serves the built page as the orchestrator does (same headers, same
 * origin), and speaks the real frames with real signatures, saying only what a test tells it to.
 */
import { join } from 'node:path'
import { generateIdentity, type KeyedIdentity } from '@shardy/crypto'
import { sha256, verifySignatureSync } from '@shardy/crypto/native'
import {
  attestedPayload,
  batchStatements,
  type Delivery,
  decodeFrame,
  deliveryStatement,
  encodeFrame,
  encodeHex,
  type Frame,
  type FrameType,
  type Hello,
  helloPayload,
  type Outcome,
  orchestratorIdOf,
  type ProfileV2,
  type RefusalCode,
  type Result,
  resultStatement,
  type Settlement,
  type WorkerId,
  workerIdOf,
} from '@shardy/protocol'
import { complexity, decodeProgram, encodeProgram, type Program, programId } from '@shardy/tensor'

type BodyOf<Type extends FrameType> = Extract<Frame, { readonly type: Type }>['body']

const headers = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'content-security-policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws: wss:; worker-src 'self' blob:",
}

function randomHex(length: number): string {
  return encodeHex(crypto.getRandomValues(new Uint8Array(length)))
}

interface Mailbox<T> {
  put(value: T): void
  take(): Promise<T>
}

/** Shorter than a test may take, so that a test that waits in vain says what for. */
const patienceMs = 40_000

function within<T>(waiting: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${patienceMs} ms`)), patienceMs)
  })
  return Promise.race([waiting, over]).finally(() => clearTimeout(timer))
}

function openMailbox<T>(): Mailbox<T> {
  const values: T[] = []
  const waiting: ((value: T) => void)[] = []
  return {
    put(value) {
      const waiter = waiting.shift()
      if (waiter === undefined) values.push(value)
      else waiter(value)
    },
    take: () => {
      const value = values.shift()
      return value === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(value)
    },
  }
}

export interface Answered {
  readonly result: Result
  readonly output: Uint8Array
  /** Whether the worker's signature holds over what it was given and what it gave. */
  readonly isAttested: boolean
}

export interface Line {
  send<Type extends FrameType>(type: Type, body: BodyOf<Type>): void
  /** The next frame of this type; heartbeats are answered and progress is passed over on the way. */
  expect<Type extends FrameType>(type: Type): Promise<BodyOf<Type>>
  admit(): Promise<{ readonly hello: Hello; readonly workerId: WorkerId; readonly profile: ProfileV2 }>
  refuse(code: RefusalCode, message: string): void
  /** Hands work over and waits for the acknowledgement. */
  deliver(program: Program, input: Uint8Array): Promise<Delivery>
  /** Takes commitment, result and output of a delivery. */
  answer(delivery: Delivery): Promise<Answered>
  settle(delivery: Delivery, outcome: Outcome, rewardMicroCredit: bigint): void
  readonly closed: Promise<void>
}

interface SocketData {
  readonly messages: Mailbox<Uint8Array>
  readonly end: () => void
  readonly ended: Promise<void>
}

function openLine(socket: Bun.ServerWebSocket<SocketData>, identity: KeyedIdentity): Line {
  const { messages, ended } = socket.data
  const nonce = randomHex(32)
  let worker: { readonly id: WorkerId; readonly hello: Hello } | undefined

  const line: Line = {
    get closed() {
      return within(ended, 'the page did not hang up')
    },
    send(type, body) {
      socket.sendBinary(encodeFrame(type, body as never))
    },
    async expect(type) {
      for (;;) {
        const bytes = await within(messages.take(), `the page did not send ${type}`)
        const decoded = decodeFrame(bytes, 'worker')
        if (!decoded.ok) throw new Error(`the page sent a bad frame: ${JSON.stringify(decoded.refusal)}`)
        const frame = decoded.value
        if (frame.type === type) return frame.body as BodyOf<typeof type>
        if (frame.type === 'heartbeat') line.send('heartbeat', frame.body)
        else if (frame.type !== 'progress' && frame.type !== 'presence') {
          throw new Error(`the page sent ${frame.type}, expected ${type}: ${JSON.stringify(frame.body)}`)
        }
      }
    },
    async admit() {
      const timeMs = Date.now() as Delivery['deadlineMs']
      line.send('challenge', { versionMin: 1, versionMax: 1, nonce, publicKey: identity.publicKey, timeMs })
      const hello = await line.expect('hello')
      const { signature, ...content } = hello
      const payload = helloPayload(content, nonce, orchestratorIdOf(identity.publicKey, sha256))
      if (!verifySignatureSync(hello.publicKey, payload, signature))
        throw new Error('the hello is not signed')
      worker = { id: workerIdOf(hello.publicKey, sha256), hello }
      const sessionId = randomHex(16) as BodyOf<'welcome'>['sessionId']
      const heartbeatMs = 5_000 as BodyOf<'welcome'>['heartbeatMs']
      line.send('welcome', { sessionId, heartbeatMs, payloadBytesMax: 2 ** 26 })
      return { hello, workerId: worker.id, profile: await line.expect('profileV2') }
    },
    refuse(code, message) {
      line.send('refusal', { code, message })
      socket.close(4003, code)
    },
    async deliver(program, input) {
      if (worker === undefined) throw new Error('nobody was admitted')
      const content: Omit<Delivery, 'attestation'> = {
        taskId: randomHex(16) as Delivery['taskId'],
        deliveryId: randomHex(16) as Delivery['deliveryId'],
        kind: 'program',
        program: encodeProgram(program),
        seed: 1n,
        complexity: complexity(program),
        payloadLength: input.length,
        payloadDigest: encodeHex(sha256(input)) as Delivery['payloadDigest'],
        deadlineMs: (Date.now() + 600_000) as Delivery['deadlineMs'],
        proof: undefined,
        commitFirst: true,
        returnOutput: true,
        returnTranscript: false,
      }
      const statement = deliveryStatement(content, programId(program, sha256), worker.id)
      const batch = batchStatements([statement], sha256)
      const [attestation] = batch.attest(await identity.sign(batch.payload))
      if (attestation === undefined) throw new Error('a batch of one has one attestation')
      const delivery = { ...content, attestation }
      line.send('delivery', delivery)
      socket.sendBinary(input)
      await line.expect('ack')
      return delivery
    },
    async answer(delivery) {
      if (worker === undefined) throw new Error('nobody was admitted')
      const { deliveryId } = delivery
      await line.expect('commits')
      line.send('closings', { deliveryIds: [deliveryId] })
      const result = await line.expect('result')
      const output = await messages.take()
      const program = decodeProgram(delivery.program)
      if (!program.ok) throw new Error('the program was ours')
      const id = programId(program.value, sha256)
      const statement = resultStatement(delivery, id, worker.id, result)
      const payload = attestedPayload(statement, result.attestation, sha256)
      const isAttested =
        payload !== undefined &&
        verifySignatureSync(worker.hello.publicKey, payload, result.attestation.signature)
      return { result, output, isAttested }
    },
    settle({ deliveryId }, outcome, rewardMicroCredit) {
      const reward = rewardMicroCredit as Settlement['rewardMicroCredit']
      line.send('settlements', { settlements: [{ deliveryId, outcome, rewardMicroCredit: reward }] })
    },
  }
  return line
}

export interface PageServer {
  readonly url: string
  /** The next connection that the page opens. */
  line(): Promise<Line>
  close(): Promise<void>
}

export async function openPageServer(dist: string): Promise<PageServer> {
  const identity = await generateIdentity({ extractable: false })
  const lines = openMailbox<Line>()
  const server = Bun.serve<SocketData>({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request, self) {
      const { pathname } = new URL(request.url)
      if (pathname === '/v1/worker') {
        const { promise: ended, resolve: end } = Promise.withResolvers<void>()
        const data = { messages: openMailbox<Uint8Array>(), end, ended }
        return self.upgrade(request, { data })
          ? undefined
          : new Response('expected a WebSocket', { status: 426 })
      }
      const file = Bun.file(join(dist, pathname === '/' ? 'index.html' : pathname))
      return (await file.exists())
        ? new Response(file, { headers })
        : new Response('not here', { status: 404, headers })
    },
    websocket: {
      maxPayloadLength: 2 ** 27,
      open: (socket) => lines.put(openLine(socket, identity)),
      message: (socket, data) => socket.data.messages.put(new Uint8Array(Buffer.from(data))),
      close: (socket) => socket.data.end(),
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}/`,
    line: () => within(lines.take(), 'no page connected'),
    close: () => server.stop(true),
  }
}
