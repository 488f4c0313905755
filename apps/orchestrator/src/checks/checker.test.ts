// What is checked at once, what goes to the pool, and what becomes of it there.
import { describe, expect, test } from 'bun:test'
import { openCheckTools } from '@shardy/compute'
import { sha256 } from '@shardy/crypto/native'
import type { Delivery, Task } from '@shardy/dispatch'
import { type DeliveryId, type Digest, encodeHex, programIdOf, type TaskId } from '@shardy/protocol'
import { complexity, encodeProgram, evaluate, matmulProgram } from '@shardy/tensor'
import { silentLog } from '../log.ts'
import type { Happening } from '../tasks/dispatcher.ts'
import type { Answer } from '../tasks/payloads.ts'
import { createChecker } from './checker.ts'
import { momentCostMax, turnCostMax } from './moment.ts'
import type { Job } from './pool.ts'

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
const adapters = { tools: await openCheckTools(sha256), random }
const digestOf = (bytes: Uint8Array) => encodeHex(sha256(bytes)) as Digest

function stage(size: number, mode = 'checked') {
  const program = matmulProgram({ m: size, k: size, n: size })
  const bytes = encodeProgram(program)
  const input = random(2 * size * size)
  const output = evaluate(program, input)
  const answers = new Map<DeliveryId, Answer>()
  const kept = new Map<Digest, Uint8Array>()
  const jobs: Job[] = []
  const posted: Happening[] = []
  const turns: (() => void)[] = []
  const pauses: [number, () => void][] = []
  const results: string[] = []
  let isWanted = true
  const spec = {
    taskId: '01'.repeat(16) as TaskId,
    requesterId: '02'.repeat(32),
    kind: 'program',
    program: bytes,
    programId: programIdOf('program', bytes, sha256),
    complexity: complexity(program),
    inputLength: input.length,
    outputLength: output.length,
    constantBytes: 0,
    constants: [],
    verify: { mode },
  } as unknown as Task['spec']
  const checker = createChecker({
    payloads: {
      input: async () => input,
      heldInput: () => input,
      answer: (deliveryId) => answers.get(deliveryId),
    },
    adapters,
    pool: { add: (job) => void jobs.push(job), waiting: () => jobs.length, running: () => 0, close() {} },
    log: silentLog,
    async readBlob(digest) {
      const found = kept.get(digest)
      if (found === undefined) throw new Error('it is not kept')
      return found
    },
    isWanted: () => isWanted,
    isOpen: () => isWanted,
    post: (happening) => void posted.push(happening),
    after(ms, act) {
      pauses.push([ms, act])
      return () => {}
    },
    afterTurn: (act) => void turns.push(act),
    nowMs: () => 0,
    checked: (result) => void results.push(result),
  })
  const task = { spec } as Task
  function begin(claimed: Uint8Array, holds = true): Happening | undefined {
    const deliveryId = `${answers.size}`.padStart(32, '0') as DeliveryId
    if (holds) answers.set(deliveryId, { output: claimed, transcript: [] })
    const delivery = { task, deliveryId, workerId: '03'.repeat(32), outputDigest: digestOf(claimed) }
    return checker.begin({ kind: 'check', task, delivery: delivery as unknown as Delivery })
  }
  const nobodyWaits = () => {
    isWanted = false
  }
  return { begin, output, jobs, posted, turns, pauses, results, kept, nobodyWaits }
}

const flip = (bytes: Uint8Array) => bytes.with(0, (bytes[0] ?? 0) ^ 1)

describe('a check', () => {
  test('of a small product is made at once', () => {
    const { begin, output, jobs, results } = stage(32)
    expect(begin(output)).toMatchObject({ kind: 'checked', verdict: { kind: 'right', by: 'recomputation' } })
    expect(begin(flip(output))).toMatchObject({ verdict: { kind: 'wrong', rightDigest: digestOf(output) } })
    expect(jobs).toHaveLength(0)
    expect(results).toEqual(['right', 'wrong'])
  })

  test('of a large one goes to the pool, with its bytes when its turn comes', async () => {
    const { begin, output, jobs, posted } = stage(200)
    expect(begin(output)).toBeUndefined()
    expect(posted).toEqual([])
    expect(await jobs[0]?.load()).toMatchObject({ claimed: { kind: 'bytes', output } })
    jobs[0]?.done({ kind: 'verdict', verdict: { kind: 'right', by: 'projection' } })
    expect(posted).toMatchObject([{ kind: 'checked', verdict: { kind: 'right' } }])
  })

  test('holds the loop for no more than a turn is given', () => {
    const { begin, output, jobs, turns } = stage(128)
    let madeAtOnce = 0
    while (jobs.length === 0) if (begin(output) !== undefined) madeAtOnce++
    expect(madeAtOnce).toBeGreaterThanOrEqual(turnCostMax / momentCostMax - 1)
    expect(madeAtOnce).toBeLessThan(64)
    expect(turns).toHaveLength(1)
    turns[0]?.()
    expect(begin(output)).toBeDefined()
  })

  test('of an answer whose bytes are not here rests on its digest, or on what is kept under it', async () => {
    const { begin, output, jobs, kept } = stage(32)
    expect(begin(output, false)).toBeUndefined()
    expect(await jobs[0]?.load()).toMatchObject({
      claimed: { kind: 'digest', outputDigest: digestOf(output) },
    })
    kept.set(digestOf(output), output)
    expect(await jobs[0]?.load()).toMatchObject({ claimed: { kind: 'bytes', output } })
  })

  test('that nobody waits for is not made', async () => {
    const { begin, output, jobs, posted, nobodyWaits } = stage(200)
    begin(output)
    nobodyWaits()
    expect(await jobs[0]?.load()).toBeUndefined()
    jobs[0]?.done({ kind: 'unwanted' })
    expect(posted).toEqual([])
  })

  for (const mode of ['audited', 'adaptive']) {
    test(`that there is no room for is asked again under ${mode}, and says nothing meanwhile`, () => {
      const { begin, output, jobs, posted, pauses, nobodyWaits } = stage(200, mode)
      begin(output)
      expect(jobs[0]?.isAudit).toBe(true)
      jobs[0]?.done({ kind: 'postponed', reason: 'too many checks wait' })
      pauses[0]?.[1]()
      jobs[1]?.done({ kind: 'postponed', reason: 'too many checks wait' })
      expect(pauses.map(([ms]) => ms)).toEqual([1_000, 2_000])
      nobodyWaits()
      pauses[1]?.[1]()
      expect(jobs).toHaveLength(2)
      expect(posted).toEqual([])
    })
  }

  test('that there is no room for is given up under checked: somebody else gets the task', () => {
    const { begin, output, jobs, posted } = stage(200)
    begin(output)
    jobs[0]?.done({ kind: 'postponed', reason: 'too many checks wait' })
    expect(posted).toMatchObject([{ kind: 'checked', verdict: { kind: 'unknown' } }])
  })

  test('that failed says nothing about the answer', () => {
    const { begin, output, jobs, posted, results } = stage(200)
    begin(output)
    jobs[0]?.done({ kind: 'failed', reason: 'its thread was lost' })
    expect(posted).toMatchObject([{ kind: 'checked', verdict: { kind: 'unknown' } }])
    expect(results).toEqual(['failed'])
  })
})
