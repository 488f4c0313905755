import { describe, expect, test } from 'bun:test'
import { generateIdentity, type Identity, verifySignature } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import {
  type Challenge,
  type DeliveryId,
  type Digest,
  decodeFrame,
  encodeFrame,
  encodeHex,
  type Frame,
  type Hello,
  helloPayload,
  metaFrameBytesMax,
  orchestratorIdOf,
  type Result,
  type Signature,
} from '@shardy/protocol'
import { createManualClock } from '../../test/manualClock.ts'
import { rawProfile } from '../../test/rawWorker.ts'
import { silentLog } from '../log.ts'
import { closeCodes } from './closeCode.ts'
import { defaultGatewayLimits, type GatewayLimits, openConnection, type WorkerEvents } from './connection.ts'

const orchestrator = await generateIdentity({ extractable: false })
const worker = await generateIdentity({ extractable: false })
const stranger = await generateIdentity({ extractable: false })
const orchestratorId = orchestratorIdOf(orchestrator.publicKey, sha256)
const deliveryId = '0d'.repeat(16) as DeliveryId
const attestation = { signature: new Uint8Array(64).fill(1) as Signature, index: 0, count: 1, path: [] }
const result: Result = {
  deliveryId,
  outputDigest: 'ab'.repeat(32) as Digest,
  outputLength: 3,
  outputIncluded: true,
  attestation,
  traceRoot: undefined,
  salt: undefined,
  partLengths: [],
  proof: undefined,
}

function open(
  limits: Partial<GatewayLimits> = {},
  parts: Partial<WorkerEvents> = {},
  drained?: Promise<void>,
) {
  const clock = createManualClock()
  const sent: Frame[] = []
  const happened: string[] = []
  let closed: { code: number; reason: string } | undefined
  let wake = (): void => {}
  const notice = (what?: string): void => {
    if (what !== undefined) happened.push(what)
    wake()
  }
  const events: WorkerEvents = {
    arrived: (_, { address, roundTripMs }) => notice(`arrived from ${address}, ${roundTripMs} ms`),
    changed: () => notice('changed'),
    measured: (_, { type }) => notice(`measured ${type}`),
    left: () => notice('left'),
    said(_, { type }) {
      notice(`said ${type}`)
      return undefined
    },
    awaits: () => true,
    answered: async (_, result, output) => notice(`answered ${result.outputLength} ${output?.length}`),
    ...parts,
  }
  const connection = openConnection(
    {
      send(bytes) {
        const decoded = decodeFrame(bytes, 'orchestrator')
        if (!decoded.ok) throw new Error('the orchestrator sent a malformed frame')
        sent.push(decoded.value)
        notice()
      },
      drained: () => drained,
      close(code, reason) {
        closed = { code, reason }
        notice()
      },
    },
    {
      clock,
      identity: orchestrator,
      orchestratorId,
      sha256,
      verify: verifySignature,
      events,
      log: silentLog,
      randomHex: (bytes) => encodeHex(crypto.getRandomValues(new Uint8Array(bytes))),
      closed() {},
    },
    { ...defaultGatewayLimits, ...limits },
  )
  /** Resolves once the condition holds; every visible act of the connection looks again. */
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        if (condition()) resolve()
      }
      wake()
    })
  const challenge = (): Challenge => {
    const [first] = sent
    if (first?.type !== 'challenge') throw new Error('no challenge')
    return first.body
  }
  return { clock, sent, happened, connection, until, challenge, closedWith: () => closed }
}

async function sign(
  challenge: Challenge,
  overrides: Partial<Omit<Hello, 'signature'>> = {},
  identity: Identity = worker,
  nonce = challenge.nonce,
): Promise<Uint8Array> {
  const content: Omit<Hello, 'signature'> = {
    version: 1,
    publicKey: worker.publicKey,
    agent: 'test/1',
    kinds: ['program'],
    executor: 'cpu',
    adapter: 'test',
    ...overrides,
  }
  const signature = await identity.sign(helloPayload(content, nonce, orchestratorId))
  return encodeFrame('hello', { ...content, signature })
}

/** Through the handshake: it is known, and still to be measured. */
async function arrive(opened: ReturnType<typeof open>): Promise<void> {
  opened.connection.receive(await sign(opened.challenge()))
  await opened.until(() => opened.sent.some(({ type }) => type === 'welcome'))
  opened.connection.receive(encodeFrame('profileV2', rawProfile))
  await opened.until(() => opened.happened.includes('arrived from unknown, 0 ms'))
}

async function join(opened: ReturnType<typeof open>): Promise<void> {
  await arrive(opened)
  opened.connection.join()
}

const refusalOf = ({ sent }: ReturnType<typeof open>): string | undefined => {
  const last = sent.at(-1)
  return last?.type === 'refusal' ? last.body.code : undefined
}

describe('admission', () => {
  test('challenge, hello, welcome, profile, arrived', async () => {
    const opened = open()
    expect(opened.connection.isPastHandshake()).toBe(false)
    await arrive(opened)
    expect(opened.sent.map(({ type }) => type)).toEqual(['challenge', 'welcome'])
    expect(opened.happened).toEqual(['arrived from unknown, 0 ms'])
    expect(opened.connection.isPastHandshake()).toBe(true)
  })

  test('the way there and back is the shorter of the two that the handshake shows', async () => {
    const opened = open()
    opened.clock.advance(40)
    opened.connection.receive(await sign(opened.challenge()))
    await opened.until(() => opened.sent.some(({ type }) => type === 'welcome'))
    opened.clock.advance(15)
    opened.connection.receive(encodeFrame('profileV2', rawProfile))
    await opened.until(() => opened.happened.length > 0)
    expect(opened.happened).toEqual(['arrived from unknown, 15 ms'])
  })

  test('every connection has a nonce of its own', () => {
    expect(open().challenge().nonce).not.toBe(open().challenge().nonce)
  })

  const refusals: readonly {
    desc: string
    send: (challenge: Challenge) => Promise<Uint8Array> | Uint8Array
    code: keyof typeof closeCodes
  }[] = [
    { desc: 'random bytes', send: () => new Uint8Array([99, 1, 2]), code: 'malformedFrame' },
    { desc: 'an empty frame', send: () => new Uint8Array(0), code: 'malformedFrame' },
    {
      desc: 'a frame that only the orchestrator sends',
      send: (challenge) => encodeFrame('challenge', challenge),
      code: 'unexpectedFrame',
    },
    {
      desc: 'a frame over the size limit',
      send: () => new Uint8Array(metaFrameBytesMax + 1).fill(2),
      code: 'frameTooLarge',
    },
    {
      desc: 'a heartbeat before hello',
      send: () => encodeFrame('heartbeat', { sequence: 0, inFlight: 0 }),
      code: 'unexpectedFrame',
    },
    { desc: 'a version from the future', send: (c) => sign(c, { version: 2 }), code: 'unsupportedVersion' },
    { desc: 'a hello signed by another key', send: (c) => sign(c, {}, stranger), code: 'badSignature' },
    {
      desc: "a hello replayed from another connection's nonce",
      send: (c) => sign(c, {}, worker, '11'.repeat(32)),
      code: 'badSignature',
    },
    {
      desc: 'a hello whose signature is all ones',
      send: async (c) => {
        const decoded = decodeFrame(await sign(c), 'worker')
        if (!decoded.ok || decoded.value.type !== 'hello') throw new Error('not a hello')
        return encodeFrame('hello', {
          ...decoded.value.body,
          signature: new Uint8Array(64).fill(1) as Signature,
        })
      },
      code: 'badSignature',
    },
  ]
  for (const { desc, send, code } of refusals) {
    test(`refuses ${desc} as ${code}`, async () => {
      const opened = open()
      opened.connection.receive(await send(opened.challenge()))
      await opened.until(() => opened.closedWith() !== undefined)
      expect(refusalOf(opened)).toBe(code)
      expect(opened.closedWith()).toEqual({ code: closeCodes[code], reason: code })
      expect(opened.happened).toEqual([])
    })
  }

  test('refuses who does not finish the handshake in time', () => {
    const opened = open()
    opened.clock.advance(defaultGatewayLimits.handshakeMs)
    expect(refusalOf(opened)).toBe('handshakeTimeout')
  })
})

describe('a worker that waits to be measured', () => {
  const benchmarkId = 'be'.repeat(16)
  const heard: readonly [string, Uint8Array, string][] = [
    ['its presence', encodeFrame('presence', { state: 'hidden' }), 'said presence'],
    [
      'a root',
      encodeFrame('benchmarkRoot', { benchmarkId, root: 'ab'.repeat(32) as Digest, stableBytes: 0 }),
      'measured benchmarkRoot',
    ],
    [
      'an opening',
      encodeFrame('benchmarkOpening', { benchmarkId, index: 0, opening: new Uint8Array(3) }),
      'measured benchmarkOpening',
    ],
  ]
  for (const [what, frame, noticed] of heard) {
    test(`is heard on ${what}`, async () => {
      const opened = open()
      await arrive(opened)
      opened.connection.receive(frame)
      await opened.until(() => opened.happened.length === 2)
      expect(opened.happened.at(-1)).toBe(noticed)
      opened.connection.join()
      opened.connection.receive(frame)
      await opened.until(() => opened.happened.length === 3)
      expect(opened.happened.at(-1)).toBe(noticed)
    })
  }

  test('has its heartbeat echoed, and leaves as others do', async () => {
    const opened = open()
    await arrive(opened)
    opened.connection.receive(encodeFrame('heartbeat', { sequence: 3, inFlight: 0 }))
    await opened.until(() => opened.sent.length === 3)
    expect(opened.sent.at(-1)).toEqual({ type: 'heartbeat', body: { sequence: 3, inFlight: 0 } })
    opened.connection.closed()
    expect(opened.happened).toEqual(['arrived from unknown, 0 ms', 'left'])
  })

  const outOfPlace: readonly [string, Uint8Array][] = [
    ['ack', encodeFrame('ack', { deliveryId })],
    ['a result', encodeFrame('result', result)],
    ['commits', encodeFrame('commits', { commits: [] })],
    ['another profile', encodeFrame('profileV2', rawProfile)],
    ['sums of an audit', encodeFrame('auditSums', { deliveryId, commitments: [1n] })],
  ]
  for (const [what, frame] of outOfPlace) {
    test(`is refused when it sends ${what}: it was given nothing`, async () => {
      const opened = open()
      await arrive(opened)
      opened.connection.receive(frame)
      await opened.until(() => opened.closedWith() !== undefined)
      expect(refusalOf(opened)).toBe('unexpectedFrame')
    })
  }

  test('is refused when it says hello again', async () => {
    const opened = open()
    await arrive(opened)
    opened.connection.receive(await sign(opened.challenge()))
    await opened.until(() => opened.closedWith() !== undefined)
    expect(refusalOf(opened)).toBe('replayedHello')
  })
})

describe('a joined worker', () => {
  test('may say something else of itself', async () => {
    const opened = open()
    await join(opened)
    opened.connection.receive(encodeFrame('profileV2', { ...rawProfile, slots: 1 }))
    await opened.until(() => opened.happened.includes('changed'))
    expect(opened.closedWith()).toBeUndefined()
  })

  test('hears its heartbeat back', async () => {
    const opened = open()
    await join(opened)
    opened.connection.receive(encodeFrame('heartbeat', { sequence: 7, inFlight: 1 }))
    await opened.until(() => opened.sent.length === 3)
    expect(opened.sent.at(-1)).toEqual({ type: 'heartbeat', body: { sequence: 7, inFlight: 1 } })
  })

  test('is refused when nothing was heard for three heartbeats, and has left', async () => {
    const opened = open()
    await join(opened)
    opened.clock.advance(3 * defaultGatewayLimits.heartbeatMs)
    expect(refusalOf(opened)).toBe('heartbeatMissed')
    expect(opened.happened).toEqual(['arrived from unknown, 0 ms', 'left'])
  })

  test('says hello once', async () => {
    const opened = open()
    await join(opened)
    opened.connection.receive(await sign(opened.challenge()))
    await opened.until(() => opened.closedWith() !== undefined)
    expect(refusalOf(opened)).toBe('replayedHello')
  })

  test('sends a raw frame only behind the result that announced it', async () => {
    const opened = open()
    await join(opened)
    opened.connection.receive(encodeFrame('result', { ...result, outputIncluded: true }))
    opened.connection.receive(new Uint8Array([1, 2, 3]))
    opened.connection.receive(encodeFrame('result', { ...result, outputIncluded: false }))
    opened.connection.receive(encodeFrame('ack', { deliveryId }))
    await opened.until(() => opened.happened.length === 4)
    expect(opened.happened).toEqual([
      'arrived from unknown, 0 ms',
      'answered 3 3',
      'answered 3 undefined',
      'said ack',
    ])
    opened.connection.receive(new Uint8Array([99, 2, 3]))
    await opened.until(() => opened.closedWith() !== undefined)
    expect(refusalOf(opened)).toBe('malformedFrame')
  })

  test('is refused when it sends faster than it is heard', async () => {
    const opened = open({ framesQueuedMax: 4 })
    await join(opened)
    for (let count = 0; count < 6; count++) opened.connection.receive(encodeFrame('ack', { deliveryId }))
    expect(refusalOf(opened)).toBe('overloaded')
  })

  test('is refused when it beats without reading the echo', async () => {
    const opened = open({ framesQueuedMax: 4 }, {}, new Promise(() => {}))
    await join(opened)
    for (let sequence = 1; sequence <= 5; sequence++) {
      opened.connection.receive(encodeFrame('heartbeat', { sequence, inFlight: 0 }))
    }
    await opened.until(() => opened.closedWith() !== undefined)
    expect(refusalOf(opened)).toBe('overloaded')
    expect(opened.sent.filter(({ type }) => type === 'heartbeat')).toHaveLength(1)
  })

  test('is not heard further while what it said is undecided', async () => {
    const said: string[] = []
    const { promise: decided, resolve: decide } = Promise.withResolvers<void>()
    const opened = open(
      { undecidedMax: 3, framesQueuedMax: 5 },
      {
        said(_, { type }) {
          said.push(type)
          return decided
        },
      },
    )
    await join(opened)
    for (let count = 0; count < 5; count++) opened.connection.receive(encodeFrame('ack', { deliveryId }))
    for (let count = 0; count < 20; count++) await Promise.resolve()
    expect(said).toHaveLength(3)
    decide()
    opened.connection.receive(encodeFrame('heartbeat', { sequence: 1, inFlight: 0 }))
    await opened.until(() => opened.sent.at(-1)?.type === 'heartbeat')
    expect(said).toHaveLength(5)
  })

  test('is not heard further while a frame of many commitments is undecided', async () => {
    const said: string[] = []
    const { promise: decided, resolve: decide } = Promise.withResolvers<void>()
    const opened = open(
      { undecidedMax: 3 },
      {
        said(_, { type }) {
          said.push(type)
          return decided
        },
      },
    )
    await join(opened)
    const commits = [1, 2, 3].map((digit) => ({
      deliveryId: `0${digit}`.repeat(16) as DeliveryId,
      commitment: 'ab'.repeat(32) as Digest,
    }))
    opened.connection.receive(encodeFrame('commits', { commits }))
    opened.connection.receive(encodeFrame('ack', { deliveryId }))
    for (let count = 0; count < 20; count++) await Promise.resolve()
    expect(said).toEqual(['commits'])
    decide()
    opened.connection.receive(encodeFrame('heartbeat', { sequence: 1, inFlight: 0 }))
    await opened.until(() => opened.sent.at(-1)?.type === 'heartbeat')
    expect(said).toEqual(['commits', 'ack'])
  })

  test('an announced output that nobody awaits is passed over, and gets no more time than silence', async () => {
    const opened = open({ rawFrameMs: 100_000 }, { awaits: () => false })
    await join(opened)
    opened.connection.receive(encodeFrame('result', result))
    opened.connection.receive(new Uint8Array([1, 2, 3]))
    opened.connection.receive(encodeFrame('ack', { deliveryId }))
    await opened.until(() => opened.happened.includes('said ack'))
    expect(opened.happened.slice(1)).toEqual(['answered 3 undefined', 'said ack'])
    opened.connection.receive(encodeFrame('result', result))
    await opened.until(() => opened.happened.length === 4)
    opened.clock.advance(3 * defaultGatewayLimits.heartbeatMs)
    expect(refusalOf(opened)).toBe('heartbeatMissed')
  })

  const rawCases: readonly [string, Partial<Result>, boolean][] = [
    ['an output', {}, true],
    ['an output and a transcript', { partLengths: [4, 5] }, true],
    ['a transcript behind an output of nothing', { outputLength: 0, partLengths: [4] }, true],
    ['an output of nothing', { outputLength: 0 }, false],
    ['no output', { outputIncluded: false }, false],
  ]
  for (const [what, announced, isFollowed] of rawCases) {
    test(`a result that announces ${what} is followed by ${isFollowed ? 'one raw frame' : 'none'}`, async () => {
      const opened = open(
        {},
        { answered: async (_, __, raw) => void opened.happened.push(`raw ${raw?.length}`) },
      )
      await join(opened)
      opened.connection.receive(encodeFrame('result', { ...result, ...announced }))
      if (isFollowed) opened.connection.receive(new Uint8Array(99))
      opened.connection.receive(encodeFrame('ack', { deliveryId }))
      await opened.until(() => opened.happened.includes('said ack'))
      expect(opened.happened.slice(1)).toEqual([isFollowed ? 'raw 99' : 'raw undefined', 'said ack'])
    })
  }

  test('has more time for a raw frame that it announced, and no more than that', async () => {
    const opened = open({ rawFrameMs: 100_000 })
    await join(opened)
    opened.connection.receive(encodeFrame('result', result))
    await Promise.resolve()
    opened.clock.advance(3 * defaultGatewayLimits.heartbeatMs)
    expect(opened.closedWith()).toBeUndefined()
    opened.clock.advance(100_000)
    expect(refusalOf(opened)).toBe('heartbeatMissed')
  })

  test('a refusal may say anything and is sent as printable text', async () => {
    const opened = open()
    opened.connection.refuse('malformedFrame', `\u{1f4a5}\n${'x'.repeat(500)}`)
    expect(refusalOf(opened)).toBe('malformedFrame')
  })

  test('gets frames in the order they were handed over, however long each takes to load', async () => {
    const opened = open()
    await join(opened)
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    opened.connection.enqueue(async () => {
      await held
      return [encodeFrame('closings', { deliveryIds: [deliveryId] })]
    })
    opened.connection.enqueue(async () => [encodeFrame('cancel', { deliveryId, reason: 'taskDecided' })])
    release()
    await opened.until(() => opened.sent.length === 4)
    expect(opened.sent.slice(2).map(({ type }) => type)).toEqual(['closings', 'cancel'])
  })

  test('a frame that cannot be loaded ends the connection, not the process', async () => {
    const opened = open()
    await join(opened)
    opened.connection.enqueue(async () => Promise.reject(new Error('disk')))
    await opened.until(() => opened.closedWith() !== undefined)
    expect(refusalOf(opened)).toBe('overloaded')
  })

  test('that is gone has left, once', async () => {
    const opened = open()
    await join(opened)
    opened.connection.closed()
    opened.connection.closed()
    opened.connection.receive(encodeFrame('ack', { deliveryId }))
    expect(opened.happened).toEqual(['arrived from unknown, 0 ms', 'left'])
  })
})
