import { describe, expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import { defaultPolicy, type Effect, type NewTask, type Row, recover } from '@shardy/dispatch'
import type { Digest, MicroCredit, ProgramId, RequesterId, TaskId, TimeMs, WorkerId } from '@shardy/protocol'
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
  redundancy: 2,
  rewardMicroCredit: 10n as MicroCredit,
  keepOutput: true,
  deadlineMs: 2_000_000 as TimeMs,
})

function open(overrides: { save?: (rows: readonly Row[]) => Promise<void> } = {}) {
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
        performed.push(effect)
        log.push(effect.kind)
      },
      fatal: (error) => fatal.push(error),
    },
    recover(defaultPolicy, nothing, clock.nowMs(), sha256),
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

  test('finishes what is queued when it closes', async () => {
    const { dispatcher } = open()
    const posted = dispatcher.post({ kind: 'submit', task: newTask(1) })
    await dispatcher.close()
    expect((await posted)?.[0]).toMatchObject({ kind: 'save' })
    expect(dispatcher.post({ kind: 'tick' })).toBeUndefined()
  })
})
