/**
 * What is around a campaign, for tests: a store that keeps what is saved, and dispatch with its tasks and their ends.
 * It carries out effects, can fall over between any two of them, and checks after each what must always hold.
 */
import type { Digest, DurationMs, MicroCredit, TaskId, TimeMs } from '@shardy/protocol'
import {
  type Answered,
  type CampaignEvent,
  type CampaignRecord,
  type CampaignState,
  type Effect,
  hasOutput,
  type Input,
  type ItemAttempt,
  type ItemResult,
  itemTaskId,
  type Manifest,
  newCampaign,
  type OpenItem,
  packResults,
  recover,
  resultSegment,
  type Save,
  segmentOf,
  settledOf,
  step,
  type TaskEnd,
} from '../src/index.ts'
import { segmentItems } from '../src/limits.ts'
import { Broken } from './broken.ts'
import { campaignIdOf, digestOf, requesterIdOf, sha256, startMs } from './identity.ts'

interface Task extends ItemAttempt {
  end: TaskEnd | undefined
}

export const campaignId = campaignIdOf('c')

export class World {
  readonly manifest: Manifest
  atMs: TimeMs = startMs
  state: CampaignState
  record: CampaignRecord | undefined
  readonly openRows = new Map<number, OpenItem>()
  readonly results = new Map<number, ItemResult>()
  readonly segments = new Set<number>()
  readonly events: CampaignEvent[] = []
  readonly webhooks: CampaignEvent[] = []
  readonly tasks = new Map<TaskId, Task>()
  readonly live = new Set<TaskId>()
  readonly asked: ItemAttempt[] = []
  readonly ignored: string[] = []
  readonly inputs: Input[] = []
  costMicroCredit = 0n
  /** Answers for what is submitted; accepted unless a test wants another. */
  answer: (item: ItemAttempt) => Answered = (item) => ({ ...item, kind: 'accepted' })
  /** How many effects of a step are carried out before the process dies; for ever, unless set. */
  effectsLeft = Number.POSITIVE_INFINITY
  private readonly answers: Answered[] = []

  constructor(manifest: Manifest) {
    this.manifest = manifest
    this.state = newCampaign(campaignId, requesterIdOf('r'), manifest)
  }

  /** One input and all that follows from it at once. False when the process died of it. */
  post(input: Input, answers = true): boolean {
    this.inputs.push(input)
    const effects = step(this.state, input)
    this.checkState(effects)
    for (const effect of effects) {
      if (this.effectsLeft-- <= 0) return false
      this.carryOut(effect)
    }
    this.checkStore()
    return !answers || this.flush()
  }

  flush(): boolean {
    const answers = this.answers.splice(0)
    return answers.length === 0 || this.post({ kind: 'tasksAnswered', atMs: this.atMs, answers })
  }

  create(): void {
    this.post({ kind: 'created', atMs: this.atMs })
  }

  tick(ms = 0): void {
    this.atMs = (this.atMs + ms) as TimeMs
    this.post({ kind: 'tick', atMs: this.atMs })
  }

  say(kind: 'pause' | 'resume' | 'cancel'): void {
    this.post({ kind, atMs: this.atMs })
  }

  /** Dispatch ends a task; whoever wants the campaign to hear of it posts the answer. */
  endTask(taskId: TaskId, status: TaskEnd['status'], cost: bigint): TaskEnd {
    const task = this.tasks.get(taskId)
    if (task === undefined || task.end !== undefined) throw new Error('no such live task')
    const { index, attempt } = task
    const costMicroCredit = cost as MicroCredit
    const outputDigest = digestOf(`output ${index}`) as Digest
    task.end = hasOutput(status)
      ? { index, attempt, costMicroCredit, status: status as 'verified', outputDigest }
      : { index, attempt, costMicroCredit, status: status as 'dead', code: status }
    this.live.delete(taskId)
    this.costMicroCredit += cost
    return task.end
  }

  /** Ends the task of an item and tells the campaign. */
  finish(index: number, status: TaskEnd['status'] = 'verified', cost = 10n): TaskEnd {
    const attempt = this.state.open.get(index)?.attempt ?? 0
    const end = this.endTask(itemTaskId(campaignId, index, attempt, sha256), status, cost)
    this.post({ kind: 'tasksEnded', atMs: this.atMs, ends: [end] })
    return end
  }

  /** Everything that is not in the store is gone; dispatch keeps its tasks. */
  restart(): void {
    this.effectsLeft = Number.POSITIVE_INFINITY
    this.answers.length = 0
    if (this.record === undefined) {
      this.state = newCampaign(campaignId, requesterIdOf('r'), this.manifest)
      this.create()
      return
    }
    this.state = recover(this.manifest, this.record, [...this.openRows.values()])
    this.post({ kind: 'recovered', atMs: this.atMs })
  }

  private carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'save':
        return this.save(effect)
      case 'submitItems':
        for (const item of effect.items) this.submit(item)
        return
      case 'cancelItems':
        for (const item of effect.items) {
          const taskId = this.taskIdOf(item)
          if (this.live.has(taskId)) this.endTask(taskId, 'cancelled', 0n)
        }
        return
      case 'checkItems': {
        this.asked.push(...effect.items)
        const ends: TaskEnd[] = []
        for (const { index, attempt } of effect.items) {
          const task = this.tasks.get(this.taskIdOf({ index, attempt }))
          if (task?.end !== undefined) ends.push(task.end)
          else this.answers.push({ index, attempt, kind: task === undefined ? 'unknown' : 'accepted' })
        }
        if (ends.length > 0) this.post({ kind: 'tasksEnded', atMs: this.atMs, ends }, false)
        return
      }
      case 'publish':
        return
      case 'webhook':
        this.webhooks.push(effect.event)
        return
      case 'ignored':
        this.ignored.push(effect.reason)
        return
    }
  }

  private taskIdOf({ index, attempt }: ItemAttempt): TaskId {
    return itemTaskId(campaignId, index, attempt, sha256)
  }

  private submit(item: ItemAttempt): void {
    const row = this.openRows.get(item.index)
    if (row?.attempt !== item.attempt) throw new Broken('submitted before it was durable', item)
    const taskId = this.taskIdOf(item)
    const answer: Answered = this.tasks.has(taskId) ? { ...item, kind: 'accepted' } : this.answer(item)
    if (answer.kind === 'accepted' && !this.tasks.has(taskId)) {
      this.tasks.set(taskId, { ...item, end: undefined })
      this.live.add(taskId)
    }
    this.answers.push(answer)
  }

  private save({ record, opened, settled, complete, events }: Save): void {
    this.record = record
    for (const item of opened) this.openRows.set(item.index, item)
    for (const result of settled) {
      if (this.results.has(result.index)) throw new Broken('an item got a second result', result)
      this.results.set(result.index, result)
      this.openRows.delete(result.index)
    }
    for (const segment of complete) this.compact(segment)
    for (const event of events) {
      if (event.sequence !== this.events.length + 1) throw new Broken('an event is missing', event)
      this.events.push(event)
    }
  }

  /** The rows of a segment that is complete have no gap, and fit into one row. */
  private compact(segment: number): void {
    if (this.segments.has(segment)) throw new Broken('a segment was complete twice', segment)
    const rows: ItemResult[] = []
    for (let index = segment * segmentItems; segmentOf(index) === segment; index++) {
      const row = this.results.get(index)
      if (row === undefined) break
      rows.push(row)
    }
    const end = Math.min((segment + 1) * segmentItems, this.record?.next ?? 0)
    if (rows.length !== end - segment * segmentItems) throw new Broken('a segment has a gap', segment)
    const decoded = resultSegment.decode(resultSegment.encode(packResults(rows)))
    if (!decoded.ok) throw new Broken('a segment cannot be read', decoded.refusal)
    this.segments.add(segment)
  }

  private checkState(effects: readonly Effect[]): void {
    const { record, open, waiting, openInSegment, plan } = this.state
    if (open.size > plan.window) throw new Broken('more items are open than the window holds', open.size)
    if (waiting.size > open.size || openInSegment.size > open.size)
      throw new Broken('memory beyond the window')
    if (settledOf(record) + open.size !== record.next) throw new Broken('items do not add up', record)
    const kept = record.spentMicroCredit + plan.rewardMicroCredit * BigInt(open.size)
    if (kept > plan.budgetMicroCredit) throw new Broken('more is kept than the budget', kept)
    const place = effects.findIndex(({ kind }) => kind === 'save')
    if (place > 0) throw new Broken('something is done before it is saved', effects)
    if (record.status !== 'running' && effects.some(({ kind }) => kind === 'submitItems')) {
      throw new Broken('submitted while it does not run', record.status)
    }
  }

  private checkStore(): void {
    const { live, manifest } = this
    const { rewardMicroCredit, budgetMicroCredit, window } = manifest
    if (live.size > window) throw new Broken('more tasks live than the window holds', live.size)
    if (this.costMicroCredit + rewardMicroCredit * BigInt(live.size) > budgetMicroCredit) {
      throw new Broken('tasks may cost more than the budget', this.costMicroCredit)
    }
  }

  /** Of an ended campaign: every opened item has one result, and the costs are those that dispatch took. */
  checkEnded(): void {
    const { record, results, openRows, costMicroCredit } = this
    if (record?.status !== 'ended') throw new Broken('it has not ended', record)
    if (openRows.size > 0 || this.live.size > 0) throw new Broken('something was left open', [...openRows])
    if (results.size !== record.next) throw new Broken('an item has no result', results.size)
    const costs = [...results.values()].reduce((sum, result) => sum + result.costMicroCredit, 0n)
    if (costs !== record.spentMicroCredit || costs !== costMicroCredit) {
      throw new Broken('costs differ', [costs, record.spentMicroCredit, costMicroCredit])
    }
    if (this.segments.size !== Math.ceil(record.next / segmentItems))
      throw new Broken('a segment is left over')
    for (const { index, status, attempts } of results.values()) {
      const ended = this.tasks.get(this.taskIdOf({ index, attempt: Math.max(attempts, 1) }))?.end
      if (hasOutput(status) && ended?.status !== status) throw new Broken('a result that no task gave', index)
    }
  }
}

export const later = (ms: number): DurationMs => ms as DurationMs
