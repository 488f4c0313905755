/** What must be so after every crash: of what was promised nothing is missing, and the money is where the tasks say. */
import { expect } from 'bun:test'
import { isEnded, type TaskRecord } from '@shardy/dispatch'
import { feeOf } from '@shardy/ledger'
import type { RequesterId, TaskId, WorkerId } from '@shardy/protocol'
import { decodeHex } from '@shardy/protocol'
import { payloadKey } from '../../src/tables.ts'
import { isInline } from '../../src/tasks/payloads.ts'
import { type Asked, answerTo, grantMicroCredit, type Life, parameters, requesterOf } from './life.ts'
import type { Promised } from './witness.ts'

/** Everything that the store has, live or ended. */
async function allTasks({ orchestrator }: Life): Promise<readonly TaskRecord[]> {
  const { archive } = orchestrator.services
  const tasks: TaskRecord[] = []
  for (const requester of [1, 2]) {
    const page = await archive.list({ requesterId: requesterOf(requester), limit: 1_000 })
    tasks.push(...page.tasks)
  }
  return tasks
}

const add = <Id>(sums: Map<Id, bigint>, id: Id, amount: bigint): void =>
  void sums.set(id, (sums.get(id) ?? 0n) + amount)

/** The book says of everybody what the tasks' records say. */
export async function judgeMoney(life: Life): Promise<void> {
  const { book } = life.orchestrator.services.bookkeeper
  expect(book.total()).toBe(0n)
  const earned = new Map<WorkerId, bigint>()
  const spent = new Map<RequesterId, bigint>()
  let fees = 0n
  for (const task of await allTasks(life)) {
    const { taskId, requesterId, rewardMicroCredit: reward } = task.spec
    const fee = feeOf(reward, parameters.feePermille)
    const escrow = book.balance({ kind: 'escrow', taskId })
    const paid = task.deliveries.reduce((sum, each) => sum + each.rewardMicroCredit, 0n)
    const isPaid = task.status === 'verified' || task.status === 'accepted'
    expect(escrow).toBe(isEnded(task.status) ? 0n : reward + fee)
    expect(paid).toBe(isPaid ? reward : 0n)
    if (isPaid) fees += fee
    if (isPaid || !isEnded(task.status)) add(spent, requesterId, reward + fee)
    for (const { workerId, rewardMicroCredit } of task.deliveries) add(earned, workerId, rewardMicroCredit)
  }
  for (const requester of [1, 2]) {
    const requesterId = requesterOf(requester)
    const balance = book.balance({ kind: 'requester', requesterId })
    // Whoever never came was given nothing.
    if (balance === 0n && !spent.has(requesterId)) continue
    expect(balance).toBe(grantMicroCredit - (spent.get(requesterId) ?? 0n))
  }
  const slashed = book.balance({ kind: 'slashed' })
  let held = 0n
  for (const [workerId, amount] of earned) {
    const has =
      book.balance({ kind: 'worker', workerId }) +
      book.balance({ kind: 'stake', workerId }) +
      book.balance({ kind: 'vesting', workerId })
    expect(has).toBeLessThanOrEqual(amount)
    held += amount - has
  }
  expect(held).toBe(slashed)
  expect(book.balance({ kind: 'fees' })).toBe(fees)
}

export async function judgePromises(life: Life, promises: readonly Promised[]): Promise<void> {
  const { archive } = life.orchestrator.services
  const requeued = new Set<TaskId>()
  const ended = new Map<TaskId, string>()
  for (const promised of promises) {
    if (promised.kind === 'requeued') {
      requeued.add(promised.taskId)
      ended.delete(promised.taskId)
    }
    if (promised.kind === 'ended') ended.set(promised.taskId, promised.status)
  }
  const dead = (await archive.deadLetters(1_000, undefined)).tasks.map(({ spec }) => spec.taskId)
  for (const promised of promises) {
    switch (promised.kind) {
      case 'accepted':
        expect(await life.task(promised.taskId)).toBeDefined()
        break
      case 'settled': {
        if (promised.outcome !== 'wrong') break
        const { store } = life.orchestrator.services
        const key = decodeHex(promised.deliveryId) as Uint8Array
        expect(await store.get('offences', key)).toBeDefined()
        break
      }
      default:
    }
  }
  for (const [taskId, status] of ended) {
    const task = await life.task(taskId)
    // Somebody may have been about to put it back to work: that was not told yet.
    if (status === 'dead' && task !== undefined && task.revivals > 0 && !requeued.has(taskId)) continue
    expect(task?.status).toBe(status as never)
    if (status === 'dead') expect(dead).toContain(taskId)
  }
}

/** After all has ended well: what was asked is there, right, and was paid once. */
export async function judgeOutputs(
  life: Life,
  asked: readonly Asked[],
  ids: ReadonlyMap<string, TaskId>,
): Promise<void> {
  const { store, keeper } = life.orchestrator.services
  for (const one of asked) {
    const taskId = ids.get(one.key) as TaskId
    const task = await life.task(taskId)
    if (task === undefined) throw new Error(`${one.key} is not there`)
    expect(isEnded(task.status)).toBe(true)
    if (task.status !== 'verified' && task.status !== 'accepted') continue
    if (!task.spec.keepOutput || task.outputDigest === undefined) continue
    const inline = isInline(task.spec.outputLength)
      ? await store.get('taskOutputs', payloadKey(task.spec))
      : undefined
    const output = inline ?? (await keeper.bytes(task.outputDigest))
    expect(Buffer.compare(output, answerTo(one))).toBe(0)
  }
}
