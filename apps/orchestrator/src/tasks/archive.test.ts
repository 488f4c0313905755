import { describe, expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import {
  type DispatchState,
  type Effect,
  emptyState,
  type Input,
  lateAuditRecord,
  type NewTask,
  recover,
  step,
  type Task,
} from '@shardy/dispatch'
import {
  audited,
  type DeliveryId,
  type Digest,
  encodeHex,
  inlinePayloadBytesMax,
  type MicroCredit,
  quorum,
  type TaskId,
  type TimeMs,
} from '@shardy/protocol'
import {
  attestation,
  newTaskOf,
  noStake,
  profile,
  publicKey,
  requesterId,
  settings,
  startMs,
  taskIdOf,
  workerIdOf,
} from '../../test/dispatchTask.ts'
import { openMemoryStore } from '../../test/network.ts'
import { idKey, payloadKey, type Table } from '../tables.ts'
import { createArchive } from './archive.ts'
import type { Happening } from './dispatcher.ts'
import { createPayloads } from './payloads.ts'

const atMs = startMs as TimeMs
const output = Uint8Array.from([1, 2, 3, 4])
const outputDigest = encodeHex(sha256(output)) as Digest
const worker = workerIdOf(1)

/** Dispatch and its archive without a driver: what was decided is written when a test says so. */
async function open(store?: Awaited<ReturnType<typeof openMemoryStore>>, from?: DispatchState) {
  const at = store ?? (await openMemoryStore())
  const payloads = createPayloads(at, { bytes: async () => new Uint8Array(0) })
  const archive = createArchive(at, payloads)
  const state = from ?? emptyState(settings)
  const submitted = new Set<Task>()
  const revived = new Set<Task>()
  function say(happening: Happening): readonly Effect[] {
    const effects = step(state, { ...happening, atMs } as Input)
    for (const effect of effects) {
      if (effect.kind !== 'publish') continue
      if (effect.entry.type === 'submitted') submitted.add(effect.task)
      if (effect.entry.type === 'requeued') revived.add(effect.task)
    }
    return effects
  }
  /** All that was decided since the last time, in one batch; in words, which rows it writes and removes. */
  async function commit(): Promise<readonly string[]> {
    const tasks = state.unsavedTasks
    state.unsavedTasks = []
    for (const task of tasks) task.unsaved = 'no'
    const standings = [...state.unsavedStandings]
    state.unsavedStandings.clear()
    const lateAudits = [...state.unsavedAudits.values()]
    state.unsavedAudits.clear()
    const nothing = { entries: [], offences: [], published: [] }
    const changes = { tasks, submitted, revived, standings, lateAudits, ...nothing }
    const operations = archive.operations(changes)
    submitted.clear()
    revived.clear()
    await at.write(operations, { sync: true })
    return operations.map(({ kind, table }) => `${kind} ${table}`)
  }
  function submit(number: number, about: Partial<NewTask> = {}, input = new Uint8Array(2)): void {
    if (input.length <= inlinePayloadBytesMax) payloads.holdInput(taskIdOf(number), input)
    say({ kind: 'submit', task: newTaskOf(number, { inputLength: input.length, ...about }) })
  }
  const join = (workerId = worker) => say({ kind: 'workerJoined', workerId, publicKey, profile })
  function answer(number: number, workerId = worker, digest = outputDigest): void {
    const delivery = [...state.deliveries.values()].find(
      (each) => each.workerId === workerId && each.task.spec.taskId === taskIdOf(number),
    )
    if (delivery === undefined) throw new Error(`task ${number} is not out`)
    const { deliveryId } = delivery
    payloads.holdAnswer(deliveryId, { output, transcript: [] })
    const about = { workerId, deliveryId }
    const said = { outputDigest: digest, traceRoot: undefined, salt: undefined, attestation, stake: noStake }
    say({ kind: 'answered', ...about, ...said })
    if (delivery.check === 'asked') {
      say({ kind: 'checked', ...about, verdict: { kind: 'right', by: 'recomputation' } })
    }
  }
  const rows = async (table: Table): Promise<readonly string[]> => {
    const keys: string[] = []
    for await (const { key } of at.iterate(table)) keys.push(encodeHex(key))
    return keys
  }
  return { store: at, payloads, archive, state, say, commit, submit, join, answer, rows }
}

const payloadKeyOf = (number: number) => payloadKey({ taskId: taskIdOf(number), submittedAtMs: atMs })

const tables: readonly Table[] = [
  'tasks',
  'liveTasks',
  'tasksByRequester',
  'deadLetters',
  'taskInputs',
  'taskOutputs',
  'references',
]

describe('one commit is one batch', () => {
  test('of a new task: its record, its place in the list, and its small input', async () => {
    const { submit, commit, rows, payloads } = await open()
    submit(1, {}, Uint8Array.from([7, 8]))
    expect(await commit()).toEqual(['put tasksByRequester', 'put taskInputs', 'put liveTasks'])
    expect(await rows('taskInputs')).toEqual([encodeHex(payloadKeyOf(1))])
    // From now on memory may be wanted for others.
    expect(payloads.heldInput(taskIdOf(1))).toEqual(Uint8Array.from([7, 8]))
  })

  test('of one that refers to blobs: a reference for each of them', async () => {
    const { submit, commit, rows } = await open()
    const constants = ['11'.repeat(32), '22'.repeat(32)] as Digest[]
    submit(1, { constants }, new Uint8Array(inlinePayloadBytesMax + 1))
    await commit()
    expect(await rows('taskInputs')).toEqual([])
    const referred = [...constants, 'dd'.repeat(32)].map((digest) => `${digest}${taskIdOf(1)}`)
    expect([...(await rows('references'))].sort()).toEqual(referred.sort())
  })

  test('of one that came and was cancelled within it was never live', async () => {
    const { submit, say, commit, rows, archive } = await open()
    submit(1)
    say({ kind: 'cancel', taskId: taskIdOf(1) })
    expect(await commit()).toEqual(['put tasksByRequester', 'put taskInputs', 'put tasks'])
    expect(await rows('liveTasks')).toEqual([])
    expect((await archive.task(taskIdOf(1)))?.status).toBe('cancelled')
  })

  test('of one that was checked: it leaves those that are live, with its output beside it', async () => {
    const { submit, join, answer, commit, rows, archive, store } = await open()
    submit(1)
    await commit()
    join()
    answer(1)
    expect(await commit()).toEqual(['delete liveTasks', 'put tasks', 'put taskOutputs', 'put standings'])
    expect(await rows('liveTasks')).toEqual([])
    expect(await store.get('taskOutputs', payloadKeyOf(1))).toEqual(output)
    expect(await archive.task(taskIdOf(1))).toMatchObject({ status: 'verified', outputDigest })
  })

  test('of one whose output is not kept has no output, and of a large one a reference', async () => {
    const { submit, join, answer, commit, rows } = await open()
    submit(1, { keepOutput: false })
    submit(2, { outputLength: inlinePayloadBytesMax + 1 })
    join()
    answer(1)
    answer(2)
    await commit()
    expect(await rows('taskOutputs')).toEqual([])
    expect(await rows('references')).toEqual([`${outputDigest}${taskIdOf(2)}`])
  })

  test('of one that died is found among the dead, until it is put back to work', async () => {
    const { submit, say, commit, rows, archive, state } = await open()
    submit(1, { deadlineMs: atMs })
    await commit()
    say({ kind: 'tick' })
    expect(await commit()).toEqual(['delete liveTasks', 'put tasks', 'put deadLetters'])
    const dead = (await archive.task(taskIdOf(1))) as NonNullable<Awaited<ReturnType<typeof archive.task>>>
    expect(dead.status).toBe('dead')
    expect((await archive.deadLetters(10, undefined)).tasks).toHaveLength(1)

    say({ kind: 'requeue', task: dead, deadlineMs: (atMs + 1_000) as TimeMs })
    expect(await commit()).toEqual(['delete tasks', 'delete deadLetters', 'put liveTasks'])
    expect([await rows('tasks'), await rows('deadLetters')]).toEqual([[], []])
    expect(state.tasks.size).toBe(1)
    expect((await archive.task(taskIdOf(1)))?.revivals).toBe(1)
  })

  test('of one that was put back and died again within it leaves it among the dead', async () => {
    const { submit, say, commit, rows, archive } = await open()
    submit(1, { deadlineMs: atMs })
    say({ kind: 'tick' })
    await commit()
    const dead = (await archive.task(taskIdOf(1))) as NonNullable<Awaited<ReturnType<typeof archive.task>>>
    say({ kind: 'requeue', task: dead, deadlineMs: atMs })
    say({ kind: 'tick' })
    await commit()
    expect([await rows('liveTasks'), await rows('tasks'), await rows('deadLetters')]).toEqual([
      [],
      [taskIdOf(1)],
      [taskIdOf(1)],
    ])
    expect((await archive.task(taskIdOf(1)))?.revivals).toBe(1)
  })
})

describe('a restart', () => {
  test('finds what was live, who worked, what they would lose, and answers with their bytes', async () => {
    const before = await open()
    before.submit(1, { verify: quorum(2, 2) })
    before.submit(2)
    before.join()
    before.join(workerIdOf(2))
    for (const each of [...before.state.deliveries.values()]) {
      if (each.task.spec.taskId !== taskIdOf(1)) continue
      // As if it had committed and was asked to show its answer.
      each.state = 'answered'
      each.outputDigest = outputDigest
      each.answer = attestation
      before.payloads.holdAnswer(each.deliveryId, { output, transcript: [] })
      break
    }
    await before.commit()
    const after = await open(before.store)
    const lockedMicroCredit = 5n as MicroCredit
    const records = await after.archive.live((workerId) =>
      workerId === worker ? { ...noStake, lockedMicroCredit } : noStake,
    )
    const tasks = [...records.tasks]
    expect(tasks.map(({ spec }) => spec.taskId).sort()).toEqual([taskIdOf(1), taskIdOf(2)])
    expect([...records.standings].map(({ workerId }) => workerId).sort()).toEqual(
      [worker, workerIdOf(2)].sort(),
    )
    expect([...records.stakes]).toEqual([[worker, { ...noStake, lockedMicroCredit }]])
    const answered = tasks.flatMap(({ deliveries }) => deliveries).find(({ state }) => state === 'answered')
    if (answered === undefined) throw new Error('the answer is lost')
    expect(after.payloads.answer(answered.deliveryId)?.output).toEqual(output)
    const { state } = recover({ ...settings, epoch: 2 }, { ...records, mode: 'running' }, atMs)
    expect(state.tasks.size).toBe(2)
    // It goes with the task, when that ends.
    const going = await open(before.store, state)
    await going.archive.live(() => noStake)
    going.say({ kind: 'cancel', taskId: taskIdOf(1) })
    await going.commit()
    expect(await going.rows('taskOutputs')).toEqual([])
  })

  test('goes on with an audit whose task has ended, and then leaves nothing of it', async () => {
    const before = await open()
    before.submit(1, { verify: audited(1000), outputLength: output.length })
    before.join()
    const { deliveryId } = [...before.state.deliveries.values()][0] as { deliveryId: DeliveryId }
    before.payloads.holdAnswer(deliveryId, { output, transcript: [] })
    const said = { outputDigest, traceRoot: undefined, salt: undefined, attestation, stake: noStake }
    before.say({ kind: 'answered', workerId: worker, deliveryId, ...said })
    before.say({ kind: 'cancel', taskId: taskIdOf(1) })
    expect(await before.commit()).toContain('put lateAudits')
    expect(await before.rows('lateAudits')).toEqual([deliveryId])

    const after = await open(before.store)
    const records = { ...(await after.archive.live(() => noStake)), mode: 'running' as const }
    expect(after.payloads.answer(deliveryId)?.output).toEqual(output)
    const { state, effects } = recover({ ...settings, epoch: 2 }, records, atMs)
    expect(effects.map(({ kind }) => kind)).toEqual(['check'])
    const going = await open(before.store, state)
    const verdict = { kind: 'wrong', reason: 'a sum is off' } as const
    const found = going.say({ kind: 'checked', workerId: worker, deliveryId, verdict })
    expect(found.map(({ kind }) => kind)).toContain('offence')
    await going.commit()
    expect([await going.rows('lateAudits'), await going.rows('taskOutputs')]).toEqual([[], []])
    expect((await going.archive.task(taskIdOf(1)))?.history.at(-2)?.type).toBe('wrong')
  })

  test('forgets an audit whose task is no longer there', async () => {
    const { store, archive, rows } = await open()
    const record = {
      taskId: taskIdOf(1),
      deliveryId: taskIdOf(2) as string as DeliveryId,
      submittedAtMs: atMs,
    }
    const value = lateAuditRecord.encode({ ...record, exposureMicroCredit: 0n as MicroCredit })
    await store.write([{ kind: 'put', table: 'lateAudits', key: idKey(record.deliveryId), value }], {
      sync: true,
    })
    expect([...(await archive.live(() => noStake)).lateAudits]).toEqual([])
    expect(await rows('lateAudits')).toEqual([])
  })

  test('takes no record that it did not write for granted', async () => {
    const { store, archive } = await open()
    await store.write(
      [{ kind: 'put', table: 'liveTasks', key: idKey(taskIdOf(1)), value: Uint8Array.from([1, 2, 3]) }],
      { sync: true },
    )
    await expect(archive.live(() => noStake)).rejects.toThrow('broken TaskRecord')
    await expect(archive.task(taskIdOf(1))).rejects.toThrow('broken TaskRecord')
  })
})

describe('what is asked for', () => {
  test('is known live, ended, or not at all', async () => {
    const { submit, say, commit, archive, state } = await open()
    for (const number of [1, 2, 3]) submit(number)
    say({ kind: 'cancel', taskId: taskIdOf(2) })
    await commit()
    const ids = [1, 2, 3, 4].map(taskIdOf)
    const live = (taskId: TaskId) => (taskId === taskIdOf(1) ? state.tasks.get(taskId) : undefined)
    const known = await archive.known(ids, live)
    expect(ids.map((taskId) => known.get(taskId)?.status)).toEqual([
      'waiting',
      'cancelled',
      'waiting',
      undefined,
    ])
    expect(known.get(taskIdOf(1))).toBe(state.tasks.get(taskIdOf(1)) as Task)
  })

  test('of the dead comes page by page, each once', async () => {
    const { submit, say, commit, archive } = await open()
    for (const number of [1, 2, 3, 4, 5]) submit(number, { deadlineMs: atMs })
    say({ kind: 'tick' })
    await commit()
    const seen: string[] = []
    for (let cursor: string | undefined, pages = 0; pages < 10; pages++) {
      const page = await archive.deadLetters(2, cursor)
      seen.push(...page.tasks.map(({ spec }) => spec.taskId))
      cursor = page.nextCursor
      if (cursor === undefined) break
    }
    expect(seen).toEqual([1, 2, 3, 4, 5].map(taskIdOf))
  })

  test('of one requester is nobody else’s', async () => {
    const { submit, commit, archive } = await open()
    const other = 'ab'.repeat(32) as typeof requesterId
    submit(1)
    submit(2, { requesterId: other })
    await commit()
    const { tasks } = await archive.list({ requesterId: other, limit: 10 })
    expect(tasks.map(({ spec }) => spec.taskId)).toEqual([taskIdOf(2)])
    expect((await archive.list({ requesterId, status: 'verified', limit: 10 })).tasks).toEqual([])
  })
})

test('what is forgotten leaves nothing, whatever it was', async () => {
  const { submit, say, join, answer, commit, rows, archive } = await open()
  submit(1, { constants: ['11'.repeat(32) as Digest], outputLength: 4 })
  submit(2, { outputLength: inlinePayloadBytesMax + 1 }, new Uint8Array(inlinePayloadBytesMax + 1))
  submit(3, { deadlineMs: atMs, features: ['nobody has it'] })
  join()
  answer(1)
  answer(2)
  say({ kind: 'tick' })
  await commit()
  for (const number of [1, 2, 3]) {
    const task = await archive.task(taskIdOf(number))
    if (task === undefined) throw new Error(`task ${number} is not there`)
    await archive.forget(task)
  }
  for (const table of tables) expect([table, await rows(table)]).toEqual([table, []])
})
