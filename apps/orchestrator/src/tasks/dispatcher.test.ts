import { describe, expect, test } from 'bun:test'
import {
  type Effect,
  emptyState,
  type Recovered,
  recover,
  type TaskRecord,
  taskRecord,
} from '@shardy/dispatch'
import type { Digest, TimeMs } from '@shardy/protocol'
import {
  attestation,
  newTaskOf,
  noStake,
  profile,
  publicKey,
  settings,
  startMs,
  taskIdOf,
  workerIdOf,
} from '../../test/dispatchTask.ts'
import { createManualClock } from '../../test/manualClock.ts'
import { type Changes, createDispatcher, type DispatcherParts, type Happening } from './dispatcher.ts'

const laterMs = 500
const queuedMax = 20_000
const worker = workerIdOf(1)
const outputDigest = 'ab'.repeat(32) as Digest

function open(overrides: Partial<DispatcherParts> = {}, recovered?: Recovered) {
  const clock = createManualClock(startMs)
  const log: string[] = []
  const saved: Changes[] = []
  const performed: Effect[] = []
  const fatal: unknown[] = []
  const dispatcher = createDispatcher(
    {
      clock,
      begin: () => undefined,
      fatal: (error) => fatal.push(error),
      ...overrides,
      async save(changes) {
        log.push(`save ${changes.tasks.map(({ status }) => status).join(' ')}`.trim())
        saved.push(changes)
        await overrides.save?.(changes)
      },
      perform(effects) {
        for (const effect of effects) log.push(effect.kind === 'publish' ? effect.entry.type : effect.kind)
        performed.push(...effects)
        overrides.perform?.(effects)
      },
    },
    recovered ?? { state: emptyState(settings), effects: [] },
  )
  /** The start itself saves what it recovered, here nothing. */
  const begun = async () => {
    await dispatcher.caughtUp()
    await settled()
    log.length = 0
    saved.length = 0
    performed.length = 0
  }
  return { clock, log, saved, performed, fatal, dispatcher, begun }
}

/** Everything that is on its way in this process has come. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

const submitted = (number: number, about: Parameters<typeof newTaskOf>[1] = {}): Happening => ({
  kind: 'submit',
  task: newTaskOf(number, about),
})
const joins = (workerId = worker): Happening => ({ kind: 'workerJoined', workerId, publicKey, profile })
/** Changes nothing; queued behind what was posted before it. */
const nothing: Happening = { kind: 'workerLeft', workerId: workerIdOf(99) }

function answers(dispatcher: ReturnType<typeof open>['dispatcher'], number = 1): Happening {
  const delivery = [...dispatcher.state().deliveries.values()].find(
    ({ task }) => task.spec.taskId === taskIdOf(number),
  )
  if (delivery === undefined) throw new Error(`task ${number} is not out`)
  const { workerId, deliveryId } = delivery
  const said = { outputDigest, traceRoot: undefined, salt: undefined, attestation, stake: noStake }
  return { kind: 'answered', workerId, deliveryId, ...said }
}

describe('what is durable', () => {
  test('is a submission with its escrow, before anybody hears of it', async () => {
    const { dispatcher, log, saved, begun } = open()
    await begun()
    await dispatcher.post(submitted(1))
    expect(log).toEqual(['save waiting', 'submitted'])
    const [changes] = saved
    expect(changes?.entries).toMatchObject([{ kind: 'escrow', taskId: taskIdOf(1), rewardMicroCredit: 10n }])
    expect([...(changes?.submitted ?? [])]).toEqual([...(changes?.tasks ?? [])])
    expect(changes?.published.map(({ entry }) => entry.type)).toEqual(['submitted'])
  })

  test('is one write for all that waits together', async () => {
    const { dispatcher, log, begun } = open()
    await begun()
    await Promise.all([1, 2, 3].map((number) => dispatcher.post(submitted(number))))
    expect(log).toEqual(['save waiting waiting waiting', 'submitted', 'submitted', 'submitted'])
  })

  test('is no lease: it goes out at once, and to the disk within half a second', async () => {
    const { clock, dispatcher, log, saved, begun } = open()
    await begun()
    await dispatcher.post(submitted(1))
    log.length = 0
    await dispatcher.post(joins())
    expect(log).toEqual(['delivered', 'deliver'])
    clock.advance(laterMs - 1)
    await settled()
    expect(log.filter((line) => line.startsWith('save'))).toEqual([])
    clock.advance(1)
    await settled()
    expect(log.filter((line) => line.startsWith('save'))).toEqual(['save running'])
    // What was told meanwhile is logged with it.
    expect(saved.at(-1)?.published.map(({ entry }) => entry.type)).toContain('delivered')
    clock.advance(laterMs)
    await settled()
    expect(log.filter((line) => line.startsWith('save'))).toHaveLength(1)
  })

  test('is a lease not at all when the verdict comes first', async () => {
    const { clock, dispatcher, saved, begun } = open({
      begin: (effect) =>
        effect.kind === 'check'
          ? {
              kind: 'checked',
              workerId: effect.delivery.workerId,
              deliveryId: effect.delivery.deliveryId,
              verdict: { kind: 'right', by: 'recomputation' },
            }
          : undefined,
    })
    await begun()
    await dispatcher.post(submitted(1))
    await dispatcher.post(joins())
    saved.length = 0
    await dispatcher.post(answers(dispatcher))
    // The check answered at once, so answer, verdict and pay are one write.
    expect(saved.map(({ tasks }) => tasks.map(({ status }) => status))).toEqual([['verified']])
    expect(saved[0]?.entries).toMatchObject([{ kind: 'verdict', payouts: [{ workerId: worker }] }])
    expect(saved[0]?.published.map(({ entry }) => entry.type)).toEqual([
      'delivered',
      'answered',
      'task_verified',
    ])
    clock.advance(10 * laterMs)
    await settled()
    expect(saved).toHaveLength(1)
  })

  test('is an offence, with its worker’s standing, before the worker hears what became of its answer', async () => {
    const { dispatcher, log, saved, begun } = open()
    await begun()
    await dispatcher.post(submitted(1))
    await dispatcher.post(joins())
    const answer = answers(dispatcher)
    await dispatcher.post(answer)
    saved.length = 0
    log.length = 0
    if (answer.kind !== 'answered') throw new Error('no answer')
    const { workerId, deliveryId } = answer
    const verdict = { kind: 'wrong', reason: 'a sum is off' } as const
    await dispatcher.post({ kind: 'checked', workerId, deliveryId, verdict })
    expect(log[0]).toBe('save waiting')
    expect(log).toContain('settle')
    expect(saved[0]?.offences).toMatchObject([{ workerId, deliveryId, detail: 'a sum is off' }])
    expect(saved[0]?.standings).toMatchObject([{ workerId, wrongCount: 1, conduct: { offences: 1 } }])
  })
})

describe('a commit under way', () => {
  /** Saves that end when they are told to. */
  function openHeld() {
    const held: PromiseWithResolvers<void>[] = []
    const opened = open({
      save({ tasks }) {
        if (tasks.length === 0) return Promise.resolve()
        const ending = Promise.withResolvers<void>()
        held.push(ending)
        return ending.promise
      },
    })
    return { ...opened, held }
  }

  /** An answer waits for its verdict; `convict` says that it is wrong. */
  async function openAnswered() {
    const { dispatcher, saved, held, begun } = openHeld()
    await begun()
    /** Lets every save end. */
    const free = async (posted: Promise<unknown> | undefined) => {
      await settled()
      for (const ending of held) ending.resolve()
      await posted
    }
    await free(dispatcher.post(submitted(1)))
    await free(dispatcher.post(joins()))
    const answer = answers(dispatcher)
    await free(dispatcher.post(answer))
    if (answer.kind !== 'answered') throw new Error('no answer')
    const { workerId, deliveryId } = answer
    saved.length = 0
    const verdict = { kind: 'wrong', reason: 'off' } as const
    const convict = () => dispatcher.post({ kind: 'checked', workerId, deliveryId, verdict })
    return { dispatcher, saved, free, convict }
  }

  test('lets the next be decided and handed over, and no more than that one', async () => {
    const { dispatcher, saved, held, log, begun } = openHeld()
    await begun()
    const posted: (Promise<unknown> | undefined)[] = []
    for (const number of [1, 2, 3, 4]) {
      posted.push(dispatcher.post(submitted(number)))
      await settled()
    }
    expect(saved.map(({ tasks }) => tasks.length)).toEqual([1, 1])
    expect(log.filter((line) => line === 'submitted')).toEqual([])
    // The later one is on the disk first: it is told of in its turn all the same.
    held[1]?.resolve()
    await settled()
    expect(log.filter((line) => line === 'submitted')).toEqual([])
    held[0]?.resolve()
    await settled()
    await Promise.all(posted.slice(0, 2))
    expect(log.filter((line) => line === 'submitted')).toHaveLength(2)
    // What waited meanwhile goes together.
    expect(saved.map(({ tasks }) => tasks.length)).toEqual([1, 1, 2])
    held[2]?.resolve()
    await Promise.all(posted)
  })

  test('takes what was decided meanwhile with it when it fails', async () => {
    const { dispatcher, held, performed, fatal, begun } = openHeld()
    await begun()
    const outcomes: Promise<string>[] = []
    for (const number of [1, 2, 3]) {
      const posted = dispatcher.post(submitted(number)) ?? Promise.reject(new Error('not taken'))
      outcomes.push(
        posted.then(
          () => 'durable',
          (error: Error) => error.message,
        ),
      )
      await settled()
    }
    held[1]?.resolve()
    held[0]?.reject(new Error('disk'))
    expect(await Promise.all(outcomes)).toEqual(['disk', 'disk', 'disk'])
    expect([performed, fatal.length]).toEqual([[], 1])
    await dispatcher.close()
  })

  test('with an offence is alone: its evidence is gathered first', async () => {
    const { dispatcher, saved, free, convict } = await openAnswered()
    convict()
    await settled()
    const behind = dispatcher.post(submitted(2))
    await settled()
    expect(saved.map(({ offences }) => offences.length)).toEqual([1])
    await free(undefined)
    await free(behind)
    expect(saved.length).toBeGreaterThan(1)
  })

  test('with an offence hands over all that it writes before an earlier one is carried out', async () => {
    const { dispatcher, saved, free, convict } = await openAnswered()
    convict()
    const large = { inputLength: 16_384, outputLength: 16_384 }
    const last = Array.from({ length: 1_000 }, (_, index) => dispatcher.post(submitted(2 + index, large))).at(
      -1,
    )
    await settled()
    // Whatever is let go of meanwhile: all of it has been handed over.
    expect(saved.reduce((sum, { tasks }) => sum + tasks.length, 0)).toBe(1_001)
    expect(saved.length).toBeGreaterThan(1)
    await free(last)
  })
})

describe('readers', () => {
  test('who wait until all is caught up are told nothing that is not saved', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    const { dispatcher } = open({ save: ({ tasks }) => (tasks.length > 0 ? held : Promise.resolve()) })
    const posted = dispatcher.post(submitted(1))
    let isCaughtUp = false
    const caughtUp = dispatcher.caughtUp().then(() => {
      isCaughtUp = true
    })
    await settled()
    // Decided, and still only so.
    expect([dispatcher.state().tasks.size, isCaughtUp]).toEqual([1, false])
    release()
    await Promise.all([caughtUp, posted])
    expect(isCaughtUp).toBe(true)
  })

  test('have caught up also when the store failed', async () => {
    const { dispatcher, fatal } = open({ save: async () => Promise.reject(new Error('disk')) })
    dispatcher.post(submitted(1))?.catch(() => {})
    await dispatcher.caughtUp()
    expect(fatal).toHaveLength(1)
  })
})

describe('a failure', () => {
  test('of the store is fatal: the caller hears of it, nothing is carried out, and nothing more is taken', async () => {
    const failing = async ({ tasks }: Changes) => {
      if (tasks.length > 0) throw new Error('disk')
    }
    const { dispatcher, fatal, performed, begun } = open({ save: failing })
    await begun()
    const posted = dispatcher.post(submitted(1))
    expect(posted).rejects.toThrow('disk')
    await posted?.catch(() => {})
    expect(fatal).toHaveLength(1)
    expect(performed).toEqual([])
    expect(dispatcher.isClosed()).toBe(true)
    for (const kind of ['tick'] as const) expect(dispatcher.post({ kind })).toBeUndefined()
    expect(dispatcher.post(nothing)).toBeUndefined()
  })

  test('of the store when leases are written late is fatal too', async () => {
    let isBroken = false
    const { clock, dispatcher, fatal, begun } = open({
      save: async () => {
        if (isBroken) throw new Error('disk')
      },
    })
    await begun()
    await dispatcher.post(submitted(1))
    await dispatcher.post(joins())
    isBroken = true
    clock.advance(laterMs)
    await settled()
    expect(fatal).toHaveLength(1)
    expect(dispatcher.isClosed()).toBe(true)
  })

  test('of a rule is fatal, and everybody who waits hears of it', async () => {
    const { dispatcher, fatal } = open({
      perform(effects) {
        if (effects.length > 0) throw new Error('a bug')
      },
    })
    const posted = [1, 2, 3].map((number) => dispatcher.post(submitted(number)))
    const ended = await Promise.allSettled(posted)
    expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(fatal).toHaveLength(1)
    expect(dispatcher.isClosed()).toBe(true)
    await dispatcher.caughtUp()
    await dispatcher.close()
    expect(fatal).toHaveLength(1)
  })
})

describe('the queue', () => {
  test('is bounded, but for what there are as many of as connections and checks', async () => {
    const { dispatcher, fatal, begun } = open()
    await begun()
    const posted = Array.from({ length: queuedMax }, () =>
      dispatcher.post({ kind: 'cancel', taskId: taskIdOf(1) }),
    )
    expect(posted.at(-1)).toBeDefined()
    const about = { workerId: worker, deliveryId: taskIdOf(7) as string as never }
    const refused: readonly Happening[] = [
      submitted(1),
      joins(),
      { kind: 'acked', ...about },
      { kind: 'presence', workerId: worker, state: 'paused' },
    ]
    for (const each of refused) expect(dispatcher.post(each)).toBeUndefined()
    const owed = dispatcher.post({ kind: 'acked', ...about }, 'owed')
    expect(owed).toBeDefined()
    posted.push(owed)
    const heard: readonly Happening[] = [
      nothing,
      { kind: 'tick' },
      { kind: 'checked', ...about, verdict: { kind: 'unknown', reason: '' } },
      { kind: 'compared', taskId: taskIdOf(1), groups: [] },
    ]
    for (const each of heard) {
      const decided = dispatcher.post(each)
      expect(decided).toBeDefined()
      posted.push(decided)
    }
    expect(dispatcher.queued()).toBe(queuedMax + 1 + heard.length)
    await Promise.all(posted)
    expect(dispatcher.queued()).toBe(0)
    await dispatcher.post(submitted(1))
    expect(fatal).toEqual([])
  }, 20_000)

  test('is decided in its order, each once, in writes that hold many', async () => {
    const { dispatcher, saved, performed, begun } = open()
    await begun()
    const count = 5_000
    const posted = Array.from({ length: count }, (_, index) => dispatcher.post(submitted(index)))
    const effects = await Promise.all(posted)
    expect(dispatcher.state().tasks.size).toBe(count)
    expect(saved.length).toBeLessThan(20)
    const ids = saved.flatMap(({ tasks }) => tasks.map(({ spec }) => spec.taskId))
    expect(ids).toEqual(Array.from({ length: count }, (_, index) => taskIdOf(index)))
    expect(saved.flatMap(({ entries }) => entries)).toHaveLength(count)
    expect(performed.filter(({ kind }) => kind === 'publish')).toHaveLength(count)
    // Everybody has the effects of its own input.
    effects.forEach((own, index) => {
      const [published] = own?.filter((effect) => effect.kind === 'publish') ?? []
      expect(published?.task.spec.taskId).toBe(taskIdOf(index))
    })
  }, 20_000)

  test('is finished on closing, and what could wait is written', async () => {
    const { dispatcher, saved } = open()
    dispatcher.post(submitted(1))
    const posted = dispatcher.post(joins())
    await dispatcher.close()
    expect((await posted)?.some(({ kind }) => kind === 'deliver')).toBe(true)
    expect(saved.flatMap(({ tasks }) => tasks.map(({ status }) => status)).at(-1)).toBe('running')
    expect(dispatcher.post({ kind: 'tick' })).toBeUndefined()
    await dispatcher.close()
  })
})

describe('time', () => {
  test('wakes for what falls due, and for nothing before it', async () => {
    const { clock, dispatcher, log, begun } = open()
    await begun()
    await dispatcher.post(submitted(1))
    await dispatcher.post(submitted(2, { deadlineMs: (startMs + 5_000) as TimeMs }))
    log.length = 0
    clock.advance(4_999)
    await settled()
    expect(log.filter((line) => line === 'task_dead')).toEqual([])
    clock.advance(1)
    await settled()
    expect(log.filter((line) => line === 'task_dead')).toHaveLength(1)
    clock.advance(1_000_000)
    await settled()
    expect(log.filter((line) => line === 'task_dead')).toHaveLength(2)
    expect(dispatcher.state().tasks.size).toBe(0)
  })

  test('is looked at again when something earlier falls due', async () => {
    const { clock, dispatcher, log, begun } = open()
    await begun()
    await dispatcher.post(submitted(1))
    await dispatcher.post(joins())
    const [delivery] = dispatcher.state().deliveries.values()
    expect(delivery?.dueMs).toBeLessThan(startMs + 1_000_000)
    clock.advance((delivery?.dueMs ?? 0) - startMs)
    await settled()
    expect(log).toContain('lost')
  })

  test('never runs backwards, even when the clock is set back', async () => {
    const { clock, dispatcher, performed, begun } = open()
    await begun()
    await dispatcher.post(submitted(1))
    clock.advance(-1_000)
    await dispatcher.post(submitted(2))
    const times = performed.flatMap((effect) =>
      effect.kind === 'publish' ? [effect.entry.atMs as number] : [],
    )
    expect(times).toEqual([startMs, startMs])
  })
})

describe('a restart', () => {
  test('saves and carries out what it recovered before it takes any input', async () => {
    const before = open()
    await before.begun()
    await before.dispatcher.post(submitted(1))
    await before.dispatcher.post(joins())
    await before.dispatcher.close()
    const tasks = before.saved.at(-1)?.tasks as readonly TaskRecord[]
    const standings = [...before.dispatcher.state().standings.values()]
    const recovered = recover(
      { ...settings, epoch: 2 },
      { tasks: tasks.map(asSaved), standings, stakes: new Map(), lateAudits: [], mode: 'running' },
      (startMs + 10) as TimeMs,
    )
    const { dispatcher, log } = open({}, recovered)
    await dispatcher.post(submitted(2))
    expect(log.slice(0, 3)).toEqual(['save waiting', 'settle', 'lost'])
    expect(log.slice(3)).toEqual(['save waiting', 'submitted'])
  })

  test('is waited for by who tells of it, before anything is posted', async () => {
    const { promise: written, resolve: write } = Promise.withResolvers<void>()
    const { dispatcher, log } = open({ save: () => written })
    let told = false
    const telling = dispatcher.caughtUp().then(() => {
      told = true
    })
    await settled()
    expect(log).toEqual(['save'])
    expect(told).toBe(false)
    write()
    await telling
  })
})

/** Without what dispatch derives from a record. */
function asSaved(task: TaskRecord): TaskRecord {
  const decoded = taskRecord.decode(taskRecord.encode(task))
  if (!decoded.ok) throw new Error('a record that cannot be read back')
  return decoded.value
}
