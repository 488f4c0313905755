/**
 * What is around the campaigns of an orchestrator, for tests of their driver: a dispatch that only remembers and outlives every
 * crash, and checks that no item is paid twice and no budget exceeded. Nothing in it is told what to say.
 */
import {
  type CampaignEvent,
  type CampaignId,
  type CampaignPolicy,
  defaultPolicy,
  type ItemAttempt,
  itemTaskId,
  type Manifest,
  readManifest,
  type TaskEnd,
} from '@shardy/campaign'
import { sha256 } from '@shardy/crypto/native'
import type { Task } from '@shardy/dispatch'
import { encodeLite, parseLite } from '@shardy/lite'
import { type Digest, encodeHex, type MicroCredit, type RequesterId, type TaskId } from '@shardy/protocol'
import { type BlobStore, openBlobStore, type Store } from '@shardy/storage'
import { type CampaignOrder, type Campaigns, createCampaigns } from '../src/campaigns/campaigns.ts'
import type { Submitter } from '../src/campaigns/submitter.ts'
import { verifyForm } from '../src/campaigns/work.ts'
import { silentLog } from '../src/log.ts'
import type { Table } from '../src/tables.ts'
import { createManualClock, type ManualClock } from './manualClock.ts'

export const requesterId = 'ab'.repeat(32) as RequesterId

/** Eight bytes, a few rounds over them: the smallest work that there is. */
export function smallProgram(): Uint8Array {
  const parsed = parseLite({ kind: 'superLite', rounds: 3, inputLength: 8 })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal))
  return encodeLite(parsed.value)
}

export const manifestJson = (changes: Readonly<Record<string, unknown>> = {}) => ({
  name: 'a sweep',
  work: { kind: 'superLite', program: { base64: smallProgram().toBase64() } },
  inputs: { range: { to: 10 } },
  rewardMicroCredit: '100',
  budgetMicroCredit: '1000000',
  deadlineMs: 80_000_000,
  ...changes,
})

export function manifestOf(changes: Readonly<Record<string, unknown>> = {}): Manifest {
  const read = readManifest(manifestJson(changes), verifyForm)
  if (!read.ok) throw new Error(JSON.stringify(read.refusal))
  return read.value
}

export class FakeTasks implements Submitter {
  readonly ended = new Map<TaskId, TaskEnd>()
  readonly live = new Map<TaskId, { readonly item: ItemAttempt; readonly campaignId: CampaignId }>()
  readonly verifiedItems = new Set<string>()
  spent = 0n
  submissions = 0
  /** How a task ends; a reason makes it die. */
  fate: (item: ItemAttempt) => string | undefined = () => undefined
  budget = 10n ** 18n
  /** Submissions wait for it. */
  gate: Promise<void> = Promise.resolve()
  reward = 100n

  taskIdOf({ campaignId }: { readonly campaignId: CampaignId }, { index, attempt }: ItemAttempt): TaskId {
    return itemTaskId(campaignId, index, attempt, sha256)
  }

  async submit(...[work, items, mayGoOn]: Parameters<Submitter['submit']>) {
    await this.gate
    const { answers, ends } = await this.look(work, items)
    return {
      ends,
      answers: answers.map((answer) => {
        if (answer.kind !== 'unknown') return answer
        const { index, attempt } = answer
        if (!mayGoOn()) return { index, attempt, kind: 'later' as const, retryAfterMs: 1 as never }
        this.live.set(this.taskIdOf(work, answer), { item: { index, attempt }, campaignId: work.campaignId })
        this.submissions++
        if (this.spent + this.reward * BigInt(this.live.size) > this.budget)
          throw new Error('more than the budget')
        return { index, attempt, kind: 'accepted' as const }
      }),
    }
  }

  async look(...[work, items]: Parameters<Submitter['look']>) {
    const said = items.map((item) => ({ item, id: this.taskIdOf(work, item) }))
    return {
      ends: said.flatMap(({ id }) => this.ended.get(id) ?? []),
      answers: said.flatMap(({ id, item }) => {
        if (this.ended.has(id)) return []
        return [{ ...item, kind: this.live.has(id) ? ('accepted' as const) : ('unknown' as const) }]
      }),
    }
  }

  async cancel(...[work, items]: Parameters<Submitter['cancel']>) {
    for (const item of items)
      if (this.live.has(this.taskIdOf(work, item))) this.end(this.taskIdOf(work, item), true)
  }

  endOf(work: { readonly campaignId: CampaignId }, item: ItemAttempt): TaskEnd {
    const end = this.ended.get(this.taskIdOf(work, item))
    if (end === undefined) throw new Error('it has not ended')
    return end
  }

  /** What a campaign hears of it, if it is there to hear. */
  end(taskId: TaskId, isCancelled = false): Task {
    const task = this.live.get(taskId)
    if (task === undefined) throw new Error('no such live task')
    const { item, campaignId } = task
    const code = this.fate(item)
    const about = { ...item, costMicroCredit: 0n as MicroCredit }
    this.live.delete(taskId)
    if (isCancelled) this.ended.set(taskId, { ...about, status: 'cancelled', code: 'cancelled' })
    else if (code !== undefined) this.ended.set(taskId, { ...about, status: 'dead', code })
    else {
      const key = `${campaignId} ${item.index}`
      if (this.verifiedItems.has(key)) throw new Error(`item ${key} is paid twice`)
      this.verifiedItems.add(key)
      this.spent += this.reward
      const outputDigest = encodeHex(sha256(Uint8Array.of(item.index & 255))) as Digest
      this.ended.set(taskId, {
        ...about,
        costMicroCredit: this.reward as MicroCredit,
        status: 'verified',
        outputDigest,
      })
    }
    const { status } = this.ended.get(taskId) as TaskEnd
    return { status, spec: { taskId, campaignId, campaignItem: item.index } } as unknown as Task
  }

  endSome(campaigns: Campaigns, most: number): void {
    for (const taskId of [...this.live.keys()].slice(0, most)) campaigns.taskEnded(this.end(taskId))
  }
}

export interface CampaignWorld {
  readonly clock: ManualClock
  readonly tasks: FakeTasks
  readonly blobs: BlobStore
  readonly queued: CampaignEvent[]
  open(store: Store<Table>, fatal?: (error: unknown) => void): Campaigns
}

export async function createCampaignWorld(policy: Partial<CampaignPolicy> = {}): Promise<CampaignWorld> {
  const clock = createManualClock()
  const tasks = new FakeTasks()
  const blobs = await openBlobStore({ kind: 'memory', blobBytesMax: 64 * 1024 * 1024 })
  const queued: CampaignEvent[] = []
  return {
    clock,
    tasks,
    blobs,
    queued,
    open: (
      store,
      fatal = (error) => {
        throw error
      },
    ) =>
      createCampaigns({
        store,
        blobs,
        keeper: { pinned: (_, act) => act() },
        clock,
        log: silentLog,
        sha256,
        submitter: tasks,
        feePermille: 50,
        proofKinds: () => [],
        policy: { ...defaultPolicy, ...policy },
        webhook: (event) => void queued.push(event),
        fatal,
      }),
  }
}

export const orderOf = (manifest: Manifest, changes: Partial<CampaignOrder> = {}): CampaignOrder => ({
  requesterId,
  manifest,
  idempotencyKey: 'first',
  secretDigest: '',
  admit: async () => [],
  ...changes,
})

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
