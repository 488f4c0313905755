// The pool with threads that a test plays, and with real ones.
import { describe, expect, test } from 'bun:test'
import { openCheckTools } from '@shardy/compute'
import { sha256 } from '@shardy/crypto/native'
import { type Digest, encodeHex, programIdOf } from '@shardy/protocol'
import { buildProgram, encodeProgram, evaluate, matmulProgram } from '@shardy/tensor'
import { createManualClock } from '../../test/manualClock.ts'
import { systemClock } from '../clock.ts'
import { openHostThread, openLocalThread } from './openThread.ts'
import { ownCopy, sliceBytes } from './ownCopy.ts'
import { createPool, type Job, type OpenThread, type ThreadEvents } from './pool.ts'
import type { Asked, Finding, Question } from './question.ts'

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const digestOf = (bytes: Uint8Array) => encodeHex(sha256(bytes)) as Digest
const flip = (bytes: Uint8Array) => bytes.with(0, (bytes[0] ?? 0) ^ 1)

const right: Finding = { kind: 'verdict', verdict: { kind: 'right', by: 'recomputation' } }
const floats: Question = { kind: 'floats', outputs: [] }

/** Threads that do nothing on their own. */
function stage(threads = 1, queuedMax?: number) {
  const clock = createManualClock()
  const opened: { readonly events: ThreadEvents; readonly asked: Asked[]; closed: boolean }[] = []
  const replaced: string[] = []
  const open: OpenThread = (events) => {
    const thread = { events, asked: [] as Asked[], closed: false }
    opened.push(thread)
    return {
      post: (asked) => void thread.asked.push(asked),
      close: () => {
        thread.closed = true
      },
    }
  }
  const parts = { open, threads, clock, pause: turn, replaced: (reason: string) => replaced.push(reason) }
  const pool = createPool({ ...parts, ...(queuedMax !== undefined && { queuedMax }) })
  const found: [string, string][] = []
  const add = (name: string, more: Partial<Job> = {}) =>
    pool.add({
      flows: [name],
      cost: 1,
      load: async () => floats,
      blob: () => Promise.reject(new Error('no blob is wanted')),
      done: (finding) => void found.push([name, finding.kind]),
      ...more,
    })
  const answerLast = (thread: number): void => {
    const { asked, events } = opened[thread] as (typeof opened)[number]
    events.said({ kind: 'found', id: asked.at(-1)?.id ?? -1, finding: right })
  }
  return { clock, opened, replaced, pool, found, add, answerLast }
}

describe('a pool', () => {
  test('asks each thread one question at a time', async () => {
    const { pool, opened, found, add, answerLast } = stage(2)
    for (const name of ['a', 'b', 'c']) add(name)
    await turn()
    expect(opened.map(({ asked }) => asked.length)).toEqual([1, 1])
    expect([pool.waiting(), pool.running()]).toEqual([1, 2])
    answerLast(1)
    await turn()
    expect(opened.map(({ asked }) => asked.length)).toEqual([1, 2])
    answerLast(0)
    answerLast(1)
    expect(found.map(([name]) => name)).toEqual(['b', 'a', 'c'])
    expect(pool.running()).toBe(0)
  })

  test('opens no thread before it is needed', async () => {
    const { opened, add, found } = stage()
    expect(opened).toHaveLength(0)
    add('a', { load: async () => undefined })
    await turn()
    expect(found).toEqual([['a', 'unwanted']])
    expect(opened).toHaveLength(0)
  })

  test('asks nothing for whom nobody waits any more', async () => {
    const { opened, found, add, answerLast } = stage()
    let isWanted = true
    add('a')
    add('b', { load: async () => (isWanted ? floats : undefined) })
    isWanted = false
    await turn()
    answerLast(0)
    await turn()
    expect(found).toEqual([
      ['a', 'verdict'],
      ['b', 'unwanted'],
    ])
    expect(opened[0]?.asked).toHaveLength(1)
  })

  test('replaces a thread that dies, and tries its check once more', async () => {
    const { opened, replaced, found, add, answerLast } = stage()
    add('a')
    await turn()
    opened[0]?.events.died('out of memory')
    await turn()
    expect(opened).toHaveLength(2)
    expect(replaced).toEqual(['out of memory'])
    answerLast(1)
    expect(found).toEqual([['a', 'verdict']])
  })

  test('says nothing about an answer that two threads die of', async () => {
    const { opened, found, add, answerLast } = stage()
    add('a')
    await turn()
    opened[0]?.events.died('x')
    await turn()
    opened[1]?.events.died('x')
    add('b')
    await turn()
    answerLast(2)
    expect(found).toEqual([
      ['a', 'postponed'],
      ['b', 'verdict'],
    ])
  })

  test('replaces a thread that hangs; what it says later is not heard', async () => {
    const { clock, opened, found, add, answerLast } = stage()
    add('a')
    await turn()
    clock.advance(59_000)
    expect(opened).toHaveLength(1)
    clock.advance(2_000)
    await turn()
    expect(opened[0]?.closed).toBe(true)
    opened[0]?.events.said({ kind: 'found', id: opened[1]?.asked[0]?.id ?? 0, finding: right })
    opened[0]?.events.died('too late')
    expect(found).toEqual([])
    answerLast(1)
    expect(found).toEqual([['a', 'verdict']])
    clock.advance(1_000_000)
    await turn()
    expect(opened).toHaveLength(2)
  })

  test('is bounded: the flood loses its last', async () => {
    const { found, add } = stage(1, 2)
    add('running')
    await turn()
    for (const name of ['1', '2', '3']) add(name, { flows: ['flood'] })
    add('other')
    expect(found).toEqual([
      ['3', 'postponed'],
      ['2', 'postponed'],
    ])
  })

  test('loses no audit while there is anything else to lose', async () => {
    const { found, add } = stage(1, 2)
    add('running')
    await turn()
    for (const name of ['1', '2']) add(name, { flows: ['convict'], isAudit: true })
    for (const name of ['3', '4']) add(name)
    expect(found).toEqual([
      ['3', 'postponed'],
      ['4', 'postponed'],
    ])
  })

  test('what cannot be read fails alone', async () => {
    const { found, add, answerLast } = stage()
    add('a', { load: () => Promise.reject(new Error('the disk is gone')) })
    add('b')
    await turn()
    answerLast(0)
    expect(found).toEqual([
      ['a', 'failed'],
      ['b', 'verdict'],
    ])
  })

  test('closed, it ends its threads and says nothing more', async () => {
    const { pool, opened, found, add, answerLast } = stage()
    add('a')
    await turn()
    pool.close()
    answerLast(0)
    add('b')
    await turn()
    expect(opened[0]?.closed).toBe(true)
    expect(found).toEqual([])
  })
})

test('bytes are copied in slices, with a turn of the loop between', async () => {
  let turns = 0
  const bytes = random(65_536)
  const large = new Uint8Array(3 * sliceBytes + 5)
  large.set(bytes, large.length - bytes.length)
  const copy = await ownCopy(large, async () => {
    turns++
  })
  expect(turns).toBe(3)
  expect(Buffer.compare(copy, large)).toBe(0)
  expect(copy.buffer).not.toBe(large.buffer)
})

const weights = random(64 * 64)
const digest = digestOf(weights)
const weighted = buildProgram((b) => b.input('i8', [64, 64]).matmul(b.weights(digest, 'i8', [64, 64])))
const plain = matmulProgram({ m: 40, k: 50, n: 60 })

function questionOf(program: typeof plain, input: Uint8Array, output: Uint8Array): Question {
  const bytes = encodeProgram(program)
  return {
    kind: 'answer',
    taskKind: 'program',
    program: bytes,
    programId: programIdOf('program', bytes, sha256),
    input,
    claimed: { kind: 'bytes', output, transcript: [] },
    constants: program.constants.flatMap(({ digest: named }) => named ?? []),
  }
}

for (const [name, open] of [
  ['threads of the host', openHostThread],
  ['the loop itself', openLocalThread({ tools: await openCheckTools(sha256), random })],
] as const) {
  test(`answers are judged on ${name}, and blobs are brought once`, async () => {
    let brought = 0
    const pool = createPool({ open, threads: 1, clock: systemClock, pause: turn })
    const ask = (question: Question) =>
      new Promise<Parameters<Job['done']>[0]>((done) => {
        pool.add({
          flows: ['w'],
          cost: 1,
          load: async () => question,
          async blob() {
            brought++
            return weights
          },
          done,
        })
      })
    const input = random(plain.inputs.reduce((sum, { shape }) => sum + (shape[0] ?? 0) * (shape[1] ?? 0), 0))
    const output = evaluate(plain, input)
    expect(await ask(questionOf(plain, input, output))).toEqual(right)
    // The caller's bytes are still its own.
    expect(await ask(questionOf(plain, input, flip(output)))).toMatchObject({
      verdict: { kind: 'wrong', rightDigest: digestOf(output) },
    })
    const x = random(64 * 64)
    const y = evaluate(weighted, x, new Map([[digest, weights]]))
    expect(await ask(questionOf(weighted, x, y))).toMatchObject({ verdict: { kind: 'right' } })
    expect(await ask(questionOf(weighted, x, flip(y)))).toMatchObject({ verdict: { kind: 'wrong' } })
    expect(brought).toBe(1)
    const byDigest = { kind: 'digest', outputDigest: digestOf(y) } as const
    expect(await ask({ ...questionOf(weighted, x, y), claimed: byDigest } as Question)).toEqual(right)
    const broken = { ...questionOf(plain, input, output), program: random(9), programId: 'ff' } as Question
    expect(await ask(broken)).toMatchObject({ kind: 'failed' })
    expect(await ask({ kind: 'floats', outputs: [new Uint8Array(4), new Uint8Array(4)] })).toEqual({
      kind: 'groups',
      groups: [1, 1],
    })
    pool.close()
  })
}
