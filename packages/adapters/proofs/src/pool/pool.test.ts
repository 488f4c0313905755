import { afterAll, describe, expect, test } from 'bun:test'
import { proveV2, v2KeyJson } from '../../test/v2.ts'
import type { Asked } from './message.ts'
import { type OpenThread, openHostThread } from './openThread.ts'
import { openVerifierPool, type VerifierPool, type VerifierPoolParts } from './pool.ts'
import { createRespondent } from './respondent.ts'

const statements = await proveV2(12)
const [first, second] = statements as [(typeof statements)[0], (typeof statements)[0]]
const bad = { proof: first.proof, signals: second.signals }
const opened: VerifierPool[] = []
afterAll(() => {
  for (const pool of opened) pool.close()
})

async function open(parts: Partial<VerifierPoolParts> = {}): Promise<VerifierPool> {
  const pool = await openVerifierPool({ key: v2KeyJson(), threads: 1, open: openHostThread, ...parts })
  if (!pool.ok) throw new Error(pool.refusal.detail)
  opened.push(pool.value)
  return pool.value
}

/** On the calling loop; `meddle` may do something else with a message first. */
function openLocalThread(meddle: (asked: Asked, died: (reason: string) => void) => boolean): OpenThread {
  return ({ said, died }) => {
    const respondent = createRespondent()
    return {
      post: (asked) => void (meddle(asked, died) || respondent.answer(asked).then(said)),
      close() {},
    }
  }
}

describe('the pool', () => {
  test('verifies on threads, in whatever order batches end', async () => {
    const pool = await open({ threads: 2 })
    const verdicts = await Promise.all(
      statements.map((statement, index) => pool.verify(`worker ${index % 3}`, index === 4 ? bad : statement)),
    )
    expect(verdicts.map(({ ok }) => ok)).toEqual(statements.map((_, index) => index !== 4))
    expect(pool.waiting() + pool.running()).toBe(0)
  })

  test('refuses by form alone without a thread, and a key of which a point is bad', async () => {
    const batches: number[] = []
    const pool = await open({
      open: openLocalThread((asked) => {
        if (asked.kind === 'verify') batches.push(asked.id)
        return false
      }),
    })
    const { proof, signals } = first
    expect(await pool.verify('a', { proof: proof.slice(1), signals })).toMatchObject({
      refusal: { code: 'malformed' },
    })
    expect(await pool.verify('a', { proof, signals: signals.slice(1) })).toMatchObject({
      refusal: { code: 'signalCount' },
    })
    expect(await pool.verify('a', { proof, signals: signals.with(0, 1n << 300n) })).toMatchObject({
      refusal: { code: 'nonCanonical' },
    })
    expect(batches).toEqual([])
    const { vk_alpha_1, ...rest } = v2KeyJson()
    const broken = { ...rest, vk_alpha_1: ['1', '3', '1'] }
    expect(await openVerifierPool({ key: broken, threads: 1 })).toMatchObject({
      refusal: { code: 'offCurve' },
    })
    expect(vk_alpha_1).toBeDefined()
  })

  test('judges what was given, whatever is done to the bytes afterwards', async () => {
    const pool = await open()
    const blocker = pool.verify('a', first)
    const proof = second.proof.slice()
    const verdict = pool.verify('a', { proof, signals: second.signals })
    proof.fill(0)
    expect([await blocker, await verdict]).toEqual([{ ok: true }, { ok: true }])
  })

  test('a flood of bad proofs is refused when it is too much, and good ones of others get through', async () => {
    const pool = await open({ queuedMax: 24 })
    const flood = Array.from({ length: 120 }, () => pool.verify('flood', bad))
    const good = await Promise.all(statements.slice(0, 6).map((statement) => pool.verify('good', statement)))
    expect(good.every(({ ok }) => ok)).toBe(true)
    const codes = (await Promise.all(flood)).map((verdict) => (verdict.ok ? 'ok' : verdict.refusal.code))
    expect(codes.filter((code) => code === 'queueFull').length).toBeGreaterThan(80)
    expect(codes.every((code) => code === 'queueFull' || code === 'false')).toBe(true)
  })

  test('a thread that dies is replaced and its batch tried again; twice is an error, not a verdict', async () => {
    let deaths = 0
    const reasons: string[] = []
    const pool = await open({
      replaced: (reason) => reasons.push(reason),
      open: openLocalThread((asked, died) => {
        if (asked.kind !== 'verify' || deaths === 0) return false
        deaths--
        queueMicrotask(() => died('on purpose'))
        return true
      }),
    })
    deaths = 1
    expect(await pool.verify('a', first)).toEqual({ ok: true })
    deaths = 2
    expect(await pool.verify('a', first).catch((error: Error) => error.name)).toBe('VerifierPoolError')
    expect(reasons).toHaveLength(3)
    expect(await pool.verify('a', second)).toEqual({ ok: true })
  })

  test('once closed, answers nothing any more', async () => {
    const pool = await open()
    const waiting = Promise.allSettled(statements.map((statement) => pool.verify('a', statement)))
    pool.close()
    expect((await waiting).every(({ status }) => status === 'rejected')).toBe(true)
    expect(await pool.verify('a', first).catch((error: Error) => error.name)).toBe('VerifierPoolError')
  })
})
