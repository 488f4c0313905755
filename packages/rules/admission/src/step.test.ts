import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { admit, answer, arrive, only, openDesk, someLikeness, workerId } from '../test/desk.ts'
import type { Effect } from './effect.ts'
import { computingMs } from './rate.ts'

const kinds = (effects: readonly Effect[]) => effects.map(({ kind }) => kind)
const one = workerId(1)

describe('the first measurement', () => {
  test('chains grow until one takes long enough, and cells of the last are opened', () => {
    const desk = openDesk()
    const first = only(arrive(desk, 1), 'ask')
    expect(first.plan.operations).toBe(2 ** 26)
    desk.pass(10)
    const second = only(desk.say({ ...first, kind: 'root', stableBytes: 1 }), 'ask')
    expect(second.plan.operations).toBe(Math.round(2 ** 26 * 30))
    expect(second.benchmarkId).not.toBe(first.benchmarkId)
    desk.pass(300)
    const { benchmarkId } = second
    const opened = desk.say({ kind: 'root', workerId: one, benchmarkId, stableBytes: 77 })
    expect(opened).toEqual([{ kind: 'open', workerId: one, benchmarkId, cells: 8 }])
    const judged = desk.say({ kind: 'opened', workerId: one, benchmarkId, roundTripMs: 5 })
    expect(judged).toEqual([{ kind: 'judge', workerId: one, benchmarkId }])
    const admitted = desk.say({ kind: 'judged', workerId: one, benchmarkId, verdict: { kind: 'right' } })
    const { measurement } = only(admitted, 'admit')
    expect(measurement).toMatchObject({ tier: 1, stableBytes: 77, reason: 'arrival', shared: undefined })
    expect(measurement.operationsPerSecond).toBe(Math.floor((second.plan.operations * 1_000) / 300))
  })

  test('what is fast and steady is of tier 3; a lite host computes the lite chain', () => {
    expect(admit(openDesk(), 1, 3e12).measurement.tier).toBe(3)
    const desk = openDesk()
    const lite = admit(desk, 1, 50e6, { chain: 'lite', device: 'cpu', groups: [] })
    expect(lite.measurement).toMatchObject({ chain: 'lite', tier: 1 })
    expect(lite.measurement.operationsPerSecond).toBeWithin(49e6, 51e6)
  })

  test('a chain that was far faster than the one before tells that neither filled the device', () => {
    const desk = openDesk()
    let asked = only(arrive(desk, 1), 'ask')
    for (const rate of [0.5e9, 1e9, 2e9]) {
      desk.pass(Math.round((asked.plan.operations * 1_000) / rate))
      asked = only(desk.say({ ...asked, kind: 'root', stableBytes: 0 }), 'ask')
    }
    desk.pass(Math.round((asked.plan.operations * 1_000) / 2.5e9))
    expect(kinds(desk.say({ ...asked, kind: 'root', stableBytes: 0 }))).toEqual(['open'])
  })

  test('a chain that took very long is not repeated', () => {
    const desk = openDesk()
    const asked = only(arrive(desk, 1), 'ask')
    desk.pass(1_200)
    expect(kinds(desk.say({ ...asked, kind: 'root', stableBytes: 0 }))).toEqual(['open'])
  })

  test('no more chains than the policy says, however short they are', () => {
    const desk = openDesk({ chainsMax: 3 })
    let asked = only(arrive(desk, 1), 'ask')
    for (let chain = 1; chain < 3; chain++) {
      asked = only(desk.say({ ...asked, kind: 'root', stableBytes: 0 }), 'ask')
    }
    expect(kinds(desk.say({ ...asked, kind: 'root', stableBytes: 0 }))).toEqual(['open'])
  })

  test('a wrong opening is refused with its reason, and the identity kept out for a while', () => {
    const desk = openDesk()
    const asked = only(arrive(desk, 1), 'ask')
    const { benchmarkId } = asked
    desk.pass(1_200)
    desk.say({ kind: 'root', workerId: one, benchmarkId, stableBytes: 0 })
    desk.say({ kind: 'opened', workerId: one, benchmarkId, roundTripMs: 0 })
    const verdict = { kind: 'wrong', reason: 'row 3 ends otherwise' } as const
    const refused = desk.say({ kind: 'judged', workerId: one, benchmarkId, verdict })
    const message = "the benchmark's openings do not hold: row 3 ends otherwise"
    expect(refused).toEqual([{ kind: 'refuse', workerId: one, code: 'benchmarkFailed', message }])
    desk.pass(5_000)
    expect(only(arrive(desk, 1), 'refuse').message).toBe('your last benchmark failed; come back in 10000 ms')
    desk.pass(10_000)
    expect(kinds(arrive(desk, 1))).toEqual(['ask'])
  })

  test('who is below the minimum is refused with the value and the bound', () => {
    const desk = openDesk({ slackMs: 600_000 })
    const effects = answer(desk, only(arrive(desk, 1), 'ask'), 10e6)
    expect(only(effects, 'refuse')).toMatchObject({ code: 'belowMinimum' })
    expect(only(effects, 'refuse').message).toMatch(
      /^measured 9999\d\d\d operations a second, the least is 20000000$/,
    )
    const strict = openDesk({
      tiers: [
        { operationsPerSecondMin: 1, memoryBytesMin: 9 },
        ...openDesk().state.policy.tiers.slice(1),
      ] as never,
    })
    const little = answer(strict, only(arrive(strict, 1), 'ask'), 1e9, 8)
    expect(only(little, 'refuse').message).toBe('measured 8 bytes of steady memory, the least is 9')
  })

  test('who is silent is refused when the time is over, with it', () => {
    const desk = openDesk()
    const { withinMs } = only(arrive(desk, 1), 'ask')
    expect(desk.pass(withinMs - 1)).toEqual([])
    const { code, message } = only(desk.pass(1), 'refuse')
    expect(code).toBe('benchmarkFailed')
    expect(message).toBe(
      `no root of 67108864 operations within ${withinMs} ms; the least is 20000000 operations a second`,
    )
  })

  test('who does not open is refused', () => {
    const desk = openDesk()
    const { benchmarkId } = only(arrive(desk, 1), 'ask')
    desk.pass(1_200)
    desk.say({ kind: 'root', workerId: one, benchmarkId, stableBytes: 0 })
    expect(only(desk.pass(5_000), 'refuse').message).toStartWith('no opening of all cells within 6200 ms')
  })

  test('when the check itself fails, once more, and then the worker may come again', () => {
    const desk = openDesk()
    let asked = only(arrive(desk, 1), 'ask')
    const verdict = { kind: 'unknown', reason: 'no memory' } as const
    for (const kind of ['ask', 'refuse']) {
      desk.pass(1_200)
      desk.say({ ...asked, kind: 'root', stableBytes: 0 })
      desk.say({ ...asked, kind: 'opened', roundTripMs: 0 })
      const effects = desk.say({ ...asked, kind: 'judged', verdict })
      expect(kinds(effects)).toEqual([kind as 'ask'])
      if (kind === 'ask') asked = only(effects, 'ask')
    }
  })

  test('who leaves in the middle is forgotten, and makes room', () => {
    const desk = openDesk({ underwayMax: 1, roundMax: 1 })
    const { benchmarkId } = only(arrive(desk, 1), 'ask')
    expect(arrive(desk, 2)).toEqual([{ kind: 'wait', workerId: workerId(2), position: 1 }])
    expect(only(desk.say({ kind: 'left', workerId: one }), 'ask').workerId).toBe(workerId(2))
    const late = desk.say({ kind: 'root', workerId: one, benchmarkId, stableBytes: 0 })
    expect(late).toEqual([{ kind: 'ignored', reason: 'unknownWorker' }])
  })

  test('a newer connection of the same identity is asked anew, and the older answer is void', () => {
    const desk = openDesk()
    const older = only(arrive(desk, 1), 'ask')
    const newer = only(arrive(desk, 1), 'ask')
    expect(newer.benchmarkId).not.toBe(older.benchmarkId)
    expect(kinds(desk.say({ ...older, kind: 'root', stableBytes: 0 }))).toEqual(['ignored'])
    desk.pass(1_200)
    expect(kinds(desk.say({ ...newer, kind: 'root', stableBytes: 0 }))).toEqual(['open'])
  })
})

describe('frames out of place', () => {
  test('late, repeated and invented ones change nothing, and too many end it', () => {
    const desk = openDesk()
    const { benchmarkId } = only(arrive(desk, 1), 'ask')
    desk.pass(1_200)
    const root = { kind: 'root', workerId: one, benchmarkId, stableBytes: 0 } as const
    const opened = { kind: 'opened', workerId: one, benchmarkId, roundTripMs: 0 } as const
    expect(desk.say(opened)).toEqual([{ kind: 'ignored', reason: 'late' }])
    expect(kinds(desk.say(root))).toEqual(['open'])
    expect(desk.say(root)).toEqual([{ kind: 'ignored', reason: 'late' }])
    expect(kinds(desk.say(opened))).toEqual(['judge'])
    expect(kinds(desk.say(opened))).toEqual(['ignored'])
    for (let count = 3; count < 64; count++) expect(kinds(desk.say(root))).toEqual(['ignored'])
    expect(only(desk.say(root), 'refuse').code).toBe('unexpectedFrame')
  })
})

describe('a queue', () => {
  test('so many at once, others in line with their place, and no more than that', () => {
    const desk = openDesk({ underwayMax: 2, roundMax: 2, waitingMax: 2 })
    const first = only(arrive(desk, 1), 'ask')
    arrive(desk, 2)
    expect(only(arrive(desk, 3), 'wait').position).toBe(1)
    expect(only(arrive(desk, 4), 'wait').position).toBe(2)
    expect(only(arrive(desk, 5), 'refuse')).toMatchObject({ code: 'overloaded' })
    expect(desk.state.workers.has(workerId(5))).toBe(false)
    const effects = answer(desk, first, 200e6)
    expect(kinds(effects)).toEqual(['admit', 'ask'])
    expect(only(effects, 'ask').workerId).toBe(workerId(3))
  })
})

describe('measured anew', () => {
  for (const reason of ['drift', 'quarantine'] as const) {
    test(`on ${reason}: held, quiet, asked at its known size, told`, () => {
      const desk = openDesk({ meanIntervalMs: 86_400_000 })
      admit(desk, 1, 1e9)
      desk.pass(10_000)
      expect(desk.say({ kind: 'wanted', workerId: one, reason })).toEqual([{ kind: 'hold', workerId: one }])
      const asked = only(desk.say({ kind: 'quiet', workerId: one }), 'ask')
      expect(asked.plan.operations).toBeWithin(290e6, 310e6)
      const { measurement } = only(answer(desk, asked, 0.5e9, 1), 'remeasured')
      expect(measurement).toMatchObject({ reason, tier: 1, stableBytes: 1 })
      expect(measurement.operationsPerSecond).toBeWithin(0.49e9, 0.51e9)
      expect(desk.say({ kind: 'quiet', workerId: one })).toEqual([
        { kind: 'ignored', reason: 'nothingChanged' },
      ])
    })
  }

  test('not sooner than the pause, and once for several reasons', () => {
    const desk = openDesk({ meanIntervalMs: 86_400_000 })
    admit(desk, 1, 1e9)
    desk.pass(4_000)
    expect(desk.say({ kind: 'wanted', workerId: one, reason: 'drift' })).toEqual([])
    expect(desk.say({ kind: 'wanted', workerId: one, reason: 'quarantine' })).toEqual([])
    expect(desk.say({ kind: 'changed', workerId: one, likeness: someLikeness })).toEqual([])
    expect(desk.pass(5_999)).toEqual([])
    expect(kinds(desk.pass(1))).toEqual(['hold'])
    const effects = answer(desk, only(desk.say({ kind: 'quiet', workerId: one }), 'ask'), 1e9)
    expect(only(effects, 'remeasured').measurement.reason).toBe('quarantine')
  })

  test('a profile that names another chain is measured by that', () => {
    const desk = openDesk({ meanIntervalMs: 86_400_000 })
    admit(desk, 1, 1e9)
    desk.pass(10_000)
    desk.say({ kind: 'changed', workerId: one, likeness: { chain: 'lite', device: 'cpu', groups: [] } })
    const asked = only(desk.say({ kind: 'quiet', workerId: one }), 'ask')
    expect(asked.plan).toEqual({ chain: 'lite', operations: 2 ** 22 })
    const { measurement } = only(answer(desk, asked, 20e6), 'remeasured')
    expect(measurement).toMatchObject({ chain: 'lite', reason: 'profile' })
    expect(measurement.operationsPerSecond).toBeWithin(19e6, 21e6)
  })

  test('a quarantine that begins while a chain is under way is not ended by that chain', () => {
    const desk = openDesk({ meanIntervalMs: 86_400_000 })
    admit(desk, 1, 1e9)
    desk.pass(10_000)
    desk.say({ kind: 'wanted', workerId: one, reason: 'drift' })
    const asked = only(desk.say({ kind: 'quiet', workerId: one }), 'ask')
    desk.say({ kind: 'wanted', workerId: one, reason: 'quarantine' })
    expect(kinds(answer(desk, asked, 1e9))).toEqual(['hold'])
    const again = answer(desk, only(desk.say({ kind: 'quiet', workerId: one }), 'ask'), 1e9)
    expect(only(again, 'remeasured').measurement.reason).toBe('quarantine')
  })

  test('an admitted worker that does not answer has one more try', () => {
    const desk = openDesk({ meanIntervalMs: 86_400_000 })
    admit(desk, 1, 1e9)
    desk.pass(10_000)
    desk.say({ kind: 'wanted', workerId: one, reason: 'drift' })
    const { withinMs } = only(desk.say({ kind: 'quiet', workerId: one }), 'ask')
    const again = only(desk.pass(withinMs), 'ask')
    expect(only(desk.pass(again.withinMs), 'refuse').code).toBe('benchmarkFailed')
    expect(desk.state.admitted).toBe(0)
  })

  test('not in a hidden tab; and hiding in the middle only helps twice', () => {
    const desk = openDesk({ meanIntervalMs: 86_400_000 })
    admit(desk, 1, 1e9)
    const show = (isShown: boolean) =>
      desk.say({ kind: 'presence', workerId: one, state: isShown ? 'available' : 'hidden' })
    show(false)
    desk.pass(20_000)
    expect(desk.say({ kind: 'wanted', workerId: one, reason: 'drift' })).toEqual([])
    expect(desk.pass(60_000)).toEqual([])
    expect(kinds(show(true))).toEqual(['hold'])
    for (let time = 0; time < 2; time++) {
      const asked = only(desk.say({ kind: 'quiet', workerId: one }), 'ask')
      show(false)
      expect(kinds(answer(desk, asked, 0.2e9))).toEqual(['release'])
      show(true)
      expect(kinds(desk.pass(10_000))).toEqual(['hold'])
    }
    const asked = only(desk.say({ kind: 'quiet', workerId: one }), 'ask')
    show(false)
    const { measurement } = only(answer(desk, asked, 0.2e9), 'remeasured')
    expect(measurement.operationsPerSecond).toBeWithin(0.19e9, 0.21e9)
  })

  test('who comes paused is measured when it goes on, and who comes hidden again when it shows', () => {
    const desk = openDesk({ meanIntervalMs: 86_400_000 })
    const show = (state: 'available' | 'hidden' | 'paused') =>
      desk.say({ kind: 'presence', workerId: one, state })
    const first = only(arrive(desk, 1), 'ask')
    expect(show('paused')).toEqual([])
    expect(kinds(desk.say({ ...first, kind: 'root', stableBytes: 0 }))).toEqual(['ignored'])
    expect(desk.pass(3_600_000)).toEqual([])
    const { measurement } = only(answer(desk, only(show('hidden'), 'ask'), 0.2e9), 'admit')
    expect(measurement.operationsPerSecond).toBeWithin(0.19e9, 0.21e9)
    expect(desk.pass(3_600_000)).toEqual([])
    expect(kinds(show('available'))).toEqual(['hold'])
  })

  test('who hides while it is held is let go, and due when it shows', () => {
    const desk = openDesk({ meanIntervalMs: 86_400_000 })
    admit(desk, 1, 1e9)
    desk.pass(10_000)
    desk.say({ kind: 'wanted', workerId: one, reason: 'drift' })
    expect(kinds(desk.say({ kind: 'presence', workerId: one, state: 'paused' }))).toEqual(['release'])
    expect(kinds(desk.say({ kind: 'presence', workerId: one, state: 'available' }))).toEqual(['hold'])
  })

  test('what cannot be wanted: strangers, and who is measured for the first time', () => {
    const desk = openDesk()
    expect(desk.say({ kind: 'wanted', workerId: one, reason: 'drift' })).toEqual([
      { kind: 'ignored', reason: 'unknownWorker' },
    ])
    arrive(desk, 1)
    expect(desk.say({ kind: 'wanted', workerId: one, reason: 'quarantine' })).toEqual([
      { kind: 'ignored', reason: 'nothingChanged' },
    ])
  })
})

describe('the way there and back', () => {
  test('is taken off, but never more than a quarter and a bound', () => {
    const { policy } = openDesk().state
    expect(computingMs(400, 50, policy)).toBe(350)
    expect(computingMs(400, 390, policy)).toBe(300)
    expect(computingMs(60_000, 9_000, policy)).toBe(59_000)
    expect(computingMs(0, 0, policy)).toBe(1)
  })

  test('who answers openings late gains a third and no more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 100_000 }), fc.nat(1_000_000), (elapsedMs, roundTripMs) => {
        expect(computingMs(elapsedMs, roundTripMs, openDesk().state.policy)).toBeGreaterThanOrEqual(
          0.75 * elapsedMs,
        )
      }),
    )
  })
})

describe('whatever happens', () => {
  const presences = ['available', 'hidden', 'paused'] as const
  const word = fc.record({
    index: fc.nat(5),
    act: fc.nat(11),
    ms: fc.oneof(fc.nat(50), fc.nat(20_000), fc.nat(400_000)),
    isCurrent: fc.integer({ min: 0, max: 4 }).map((dice) => dice > 0),
  })

  test('bounds hold, everybody measured is heard of, and nobody is both asked and forgotten', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 120 }), fc.nat(255), (words, seed) => {
        const desk = openDesk({ underwayMax: 2, roundMax: 2, waitingMax: 1, meanIntervalMs: 5_000 }, seed)
        const { state } = desk
        const held = new Set<string>()
        const admitted = new Set<string>()
        const follow = (effects: readonly Effect[]): void => {
          for (const effect of effects) {
            if (effect.kind === 'ignored') continue
            if (effect.kind === 'hold') held.add(effect.workerId)
            if (effect.kind === 'release' || effect.kind === 'remeasured') held.delete(effect.workerId)
            if (effect.kind === 'remeasured') expect(admitted.has(effect.workerId)).toBe(true)
            if (effect.kind === 'admit') {
              expect(admitted.has(effect.workerId)).toBe(false)
              admitted.add(effect.workerId)
            }
            if (effect.kind === 'refuse') {
              admitted.delete(effect.workerId)
              held.delete(effect.workerId)
            }
          }
        }
        for (const { index, act, ms, isCurrent } of words) {
          const id = workerId(index)
          const { phase } = state.workers.get(id) ?? {}
          const current =
            phase?.kind === 'underway' && isCurrent ? phase.attempt.benchmarkId : 'ab'.repeat(16)
          const said = { workerId: id, benchmarkId: current }
          if (act === 0) {
            admitted.delete(id)
            held.delete(id)
            follow(arrive(desk, index))
          } else if (act === 1) {
            admitted.delete(id)
            held.delete(id)
            follow(desk.say({ kind: 'left', workerId: id }))
          } else if (act < 4) follow(desk.say({ ...said, kind: 'root', stableBytes: ms }))
          else if (act < 6) follow(desk.say({ ...said, kind: 'opened', roundTripMs: ms }))
          else if (act < 8) {
            const verdict = (['right', 'right', 'wrong', 'unknown'] as const)[ms % 4] ?? 'right'
            follow(desk.say({ ...said, kind: 'judged', verdict: { kind: verdict, reason: 'x' } }))
          } else if (act === 8)
            follow(desk.say({ kind: 'wanted', workerId: id, reason: ms % 2 ? 'drift' : 'quarantine' }))
          else if (act === 9)
            follow(desk.say({ kind: 'presence', workerId: id, state: presences[ms % 3] ?? 'available' }))
          else if (act === 10) follow(desk.say({ kind: 'quiet', workerId: id }))
          else follow(desk.pass(ms))
          expect(state.underway.size).toBeLessThanOrEqual(2)
          // Those that come for the first time; who is measured anew has its place in line beside them.
          expect([...state.line].filter((each) => each.measurement === undefined).length).toBeLessThanOrEqual(
            1,
          )
          expect(state.admitted).toBe(admitted.size)
          for (const candidate of state.workers.values()) {
            const { kind } = candidate.phase
            expect(state.underway.has(candidate)).toBe(kind === 'underway')
            expect(state.line.has(candidate)).toBe(kind === 'inLine')
            expect(state.due.has(candidate)).toBe(kind === 'due')
            if (candidate.measurement !== undefined) {
              expect(held.has(candidate.workerId)).toBe(['holding', 'inLine', 'underway'].includes(kind))
            }
          }
          for (const each of [...state.underway, ...state.line, ...state.due]) {
            expect(state.workers.get(each.workerId)).toBe(each)
          }
        }
        // Left alone, everything that is asked comes to an end.
        for (let round = 0; round < 3; round++) follow(desk.pass(700_000))
        expect(
          [...state.underway].filter(
            ({ phase }) => phase.kind === 'underway' && phase.attempt.dueMs !== undefined,
          ),
        ).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})

test('the same words from the same seed have the same effects', () => {
  const run = () => {
    const desk = openDesk({ meanIntervalMs: 60_000 })
    for (let index = 0; index < 20; index++) admit(desk, index, 1e9 + index)
    return desk.pass(600_000)
  }
  expect(run()).toEqual(run())
  expect(run().length).toBeGreaterThan(10)
})
