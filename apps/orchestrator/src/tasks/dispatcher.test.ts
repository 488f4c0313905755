import { describe, expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import { defaultPolicy, type Effect, type NewTask, type Records, type Row, recover } from '@shardy/dispatch'
import type {
  Digest,
  MicroCredit,
  ProgramId,
  PublicKey,
  RequesterId,
  TaskId,
  TimeMs,
  WorkerId,
} from '@shardy/protocol'
import { createManualClock } from '../../test/manualClock.ts'
import { createDispatcher } from './dispatcher.ts'

const nothing = { tasks: [], deliveries: [], standings: [] }

const newTask = (number: number): NewTask => ({
  taskId: number.toString(16).padStart(32, '0') as TaskId,
  requesterId: 'aa'.repeat(32) as RequesterId,
  requestDigest: 'bb'.repeat(32) as Digest,
  kind: 'program',
  program: new Uint8Array([1]),
  programId: 'cc'.repeat(32) as ProgramId,
  seed: 0n,
  complexity: 1,
  inputDigest: 'dd'.repeat(32) as Digest,
  inputLength: 2,
  outputLength: 4,
  constants: [],
  constantBytes: 0,
  redundancy: 2,
  rewardMicroCredit: 10n as MicroCredit,
  keepOutput: true,
  deadlineMs: 2_000_000 as TimeMs,
})

function open(
  overrides: { save?: (rows: readonly Row[]) => Promise<void>; perform?: (effect: Effect) => void } = {},
  records: Records = nothing,
) {
  const clock = createManualClock()
  const log: string[] = []
  const performed: Effect[] = []
  const fatal: unknown[] = []
  const dispatcher = createDispatcher(
    {
      sha256,
      clock,
      save: async (rows) => {
        await overrides.save?.(rows)
        log.push(`save ${rows.filter(({ table }) => table === 'tasks').length}`)
      },
      perform(effect) {
        overrides.perform?.(effect)
        performed.push(effect)
        log.push(effect.kind)
      },
      fatal: (error) => fatal.push(error),
    },
    recover(defaultPolicy, records, clock.nowMs(), sha256),
  )
  return { clock, log, performed, fatal, dispatcher }
}

describe('dispatcher', () => {
  test('carries out effects only after they are saved', async () => {
    const { dispatcher, log } = open()
    await dispatcher.post({ kind: 'submit', task: newTask(1) })
    expect(log).toEqual(['save 1', 'publish'])
  })

  test('saves what waits together in one batch', async () => {
    const { dispatcher, log } = open()
    await Promise.all([1, 2, 3].map((number) => dispatcher.post({ kind: 'submit', task: newTask(number) })))
    expect(log).toEqual(['save 3', 'publish', 'publish', 'publish'])
  })

  test('shows readers nothing that is not saved', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let saving = (): void => {}
    const began = new Promise<void>((resolve) => {
      saving = resolve
    })
    const { dispatcher } = open({
      save: async () => {
        saving()
        await held
      },
    })
    const posted = dispatcher.post({ kind: 'submit', task: newTask(1) })
    await began
    expect(dispatcher.state().tasks.size).toBe(0)
    release()
    await posted
    expect(dispatcher.state().tasks.size).toBe(1)
  })

  test('a store that fails is fatal: the caller hears of it and nothing more is taken', async () => {
    const { dispatcher, fatal, performed } = open({ save: async () => Promise.reject(new Error('disk')) })
    const posted = dispatcher.post({ kind: 'submit', task: newTask(1) })
    expect(posted).rejects.toThrow('disk')
    await posted?.catch(() => {})
    expect(fatal).toHaveLength(1)
    expect(performed).toEqual([])
    expect(dispatcher.post({ kind: 'tick' })).toBeUndefined()
  })

  test('has a bounded queue', async () => {
    const { dispatcher } = open()
    const posted: (Promise<unknown> | undefined)[] = []
    for (let count = 0; count < 10_001; count++) posted.push(dispatcher.post({ kind: 'tick' }))
    expect(posted.at(-1)).toBeUndefined()
    // Whoever is not known to have left would be given work for ever.
    posted.push(dispatcher.post({ kind: 'workerLeft', workerId: 'ee'.repeat(32) as WorkerId }))
    expect(posted.at(-1)).toBeDefined()
    await Promise.all(posted)
    expect(dispatcher.post({ kind: 'tick' })).toBeDefined()
  })

  test('wakes for what falls due', async () => {
    const { dispatcher, clock, performed } = open()
    await dispatcher.post({ kind: 'submit', task: newTask(1) })
    clock.advance(1_000_000)
    // Queued behind the tick that the clock has just posted; it does nothing by itself.
    await dispatcher.post({ kind: 'workerLeft', workerId: 'ee'.repeat(32) as WorkerId })
    expect(performed.at(-2)).toMatchObject({
      kind: 'publish',
      event: { type: 'task_dead', detail: 'deadline' },
    })
    expect(dispatcher.state().tasks.size).toBe(0)
  })

  test('time never runs backwards, even when the clock is set back', async () => {
    const { dispatcher, clock, performed } = open()
    clock.advance(-1_000)
    await dispatcher.post({ kind: 'submit', task: newTask(1) })
    expect(performed).toMatchObject([{ kind: 'publish', event: { atMs: 1_000_000 } }])
  })

  test('finishes what is queued when it closes', async () => {
    const { dispatcher } = open()
    const posted = dispatcher.post({ kind: 'submit', task: newTask(1) })
    await dispatcher.close()
    expect((await posted)?.[0]).toMatchObject({ kind: 'save' })
    expect(dispatcher.post({ kind: 'tick' })).toBeUndefined()
  })

  test('a rule that breaks is fatal too, and everybody who waits hears of it', async () => {
    const { dispatcher, fatal } = open({
      perform() {
        throw new Error('a bug')
      },
    })
    const posted = [1, 2, 3].map((number) => dispatcher.post({ kind: 'submit', task: newTask(number) }))
    const ended = await Promise.allSettled(posted)
    expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(fatal).toHaveLength(1)
    expect(dispatcher.isClosed()).toBe(true)
    await dispatcher.caughtUp()
  })

  test('has caught up when what was posted so far is saved', async () => {
    const { dispatcher, log } = open()
    dispatcher.post({ kind: 'submit', task: newTask(1) })
    await dispatcher.caughtUp()
    expect(log[0]).toBe('save 1')
  })

  test('cuts a batch that would be more than a store takes', async () => {
    const batches: number[] = []
    const { dispatcher } = open({ save: async (rows) => void batches.push(rows.length) })
    const posted: (Promise<unknown> | undefined)[] = []
    const workerIds = Array.from(
      { length: 400 },
      (_, index) => index.toString(16).padStart(64, '0') as WorkerId,
    )
    for (let number = 0; number < 9_000; number++)
      posted.push(dispatcher.post({ kind: 'submit', task: newTask(number) }))
    await Promise.all(posted)
    const joined = { kinds: ['program'], operationsPerSecond: 1, payloadBytesMax: 100, slots: 64 } as const
    const publicKey = Uint8Array.from({ length: 65 }, () => 4) as PublicKey
    await Promise.all(
      workerIds.map((workerId) => dispatcher.post({ kind: 'workerJoined', workerId, publicKey, ...joined })),
    )
    const { deliveries } = dispatcher.state()
    expect(deliveries.size).toBe(18_000)
    batches.length = 0
    await Promise.all(workerIds.map((workerId) => dispatcher.post({ kind: 'workerLeft', workerId })))
    expect(batches.reduce((sum, rows) => sum + rows, 0)).toBeGreaterThan(30_000)
    expect(Math.max(...batches)).toBeLessThan(20_000)
    // All of that was running: a restart has as much to save, in parts that leave no task half written.
    const lost = { tasks: [...dispatcher.state().tasks.values()], deliveries: [...deliveries.values()] }
    const parts: (readonly Row[])[] = []
    const restarted = open(
      { save: async (rows) => void parts.push(rows) },
      { ...lost, standings: [...dispatcher.state().standings.values()] },
    )
    await restarted.dispatcher.post({ kind: 'tick' })
    expect(parts.length).toBeGreaterThan(1)
    expect(Math.max(...parts.map(({ length }) => length))).toBeLessThan(11_000)
    const seen = new Map<string, number>()
    parts.forEach((rows, index) => {
      for (const row of rows) {
        if (row.table === 'standings') continue
        expect(seen.get(row.record.taskId) ?? index).toBe(index)
        seen.set(row.record.taskId, index)
      }
    })
    expect(restarted.fatal).toEqual([])
  })
})
