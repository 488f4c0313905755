/**
 * Finds out whether answers are right (docs/spec/checks.md), and which floats are the same. What takes a moment is done at once, so
 * that the verdict travels in the same commit as the answer, as far as a turn of the loop has time for it; the rest goes to threads.
 */
import { decodeWork, type Work } from '@shardy/compute/work'
import type { CheckVerdict, Delivery, Task, TaskSpec } from '@shardy/dispatch'
import type { DeliveryId, Digest, ProgramId, TaskId } from '@shardy/protocol'
import { type AnswerCheckAdapters, type AnswerVerdict, checkAnswer } from '@shardy/sdk'
import type { Log } from '../log.ts'
import type { Begun, Happening } from '../tasks/dispatcher.ts'
import type { Answer, Payloads } from '../tasks/payloads.ts'
import { costOf, momentCostMax, turnCostMax } from './moment.ts'
import type { Job, Pool } from './pool.ts'
import type { Claimed, Question } from './question.ts'

export interface Checker {
  /** The answer when it is known at once; otherwise it is posted later. */
  begin(effect: Begun): Happening | undefined
  /** Checks that have no verdict yet. */
  waiting(): number
  close(): void
}

export type CheckResult = 'right' | 'wrong' | 'failed'

export interface CheckerParts {
  readonly payloads: Pick<Payloads, 'input' | 'heldInput' | 'answer'>
  readonly adapters: AnswerCheckAdapters
  readonly pool: Pool
  readonly log: Log
  readBlob(digest: Digest): Promise<Uint8Array>
  /** Somebody still waits for what is found of it. */
  isWanted(deliveryId: DeliveryId): boolean
  isOpen(taskId: TaskId): boolean
  post(happening: Happening): void
  /** Calls once when so much time has passed, unless it is cancelled. */
  after(ms: number, act: () => void): () => void
  /** Calls once when the loop has turned. */
  afterTurn(act: () => void): void
  /** In milliseconds and parts of them. */
  nowMs(): number
  checked?(result: CheckResult, ms: number): void
}

/** Twice as long each time: what threads die of must not have them all day. */
const againMsMin = 1_000
const againMsMax = 600_000

const knownWorksMax = 1_000

interface Known {
  readonly work: Work
  readonly cost: number
}

const notChecked: CheckVerdict = { kind: 'unknown', reason: 'the orchestrator could not check it' }
const resultOf = ({ kind }: AnswerVerdict | CheckVerdict): CheckResult =>
  kind === 'unknown' ? 'failed' : kind

export function createChecker(parts: CheckerParts): Checker {
  const { payloads, adapters, log, pool } = parts
  const works = new Map<ProgramId, Known>()
  let spentInTurn = 0

  function knownOf({ kind, program, programId }: TaskSpec): Known {
    const known = works.get(programId)
    if (known !== undefined) return known
    const decoded = decodeWork(kind, program)
    if (!decoded.ok) throw new Error(`a task holds a broken program: ${decoded.reason}`)
    if (works.size >= knownWorksMax) works.clear()
    const made = { work: decoded.work, cost: costOf(decoded.work) }
    works.set(programId, made)
    return made
  }

  const cancels = new Set<() => void>()

  /** Asks again after a while. */
  function again(tries: number, act: (tries: number) => void): void {
    const cancel = parts.after(Math.min(againMsMin * 2 ** tries, againMsMax), () => {
      cancels.delete(cancel)
      act(tries + 1)
    })
    cancels.add(cancel)
  }

  /** Chosen for an audit, or its task has ended: nobody else would give an answer, and crowding checks out must not help. */
  const isAudit = ({ spec }: Task, { state }: Delivery): boolean =>
    spec.verify.mode === 'audited' || spec.verify.mode === 'adaptive' || state === 'settled'

  const told = ({ workerId, deliveryId }: Delivery, verdict: CheckVerdict): Happening => ({
    kind: 'checked',
    workerId,
    deliveryId,
    verdict,
  })

  /** Takes so much of this turn, if there is that much left. */
  function takesMoment(cost: number): boolean {
    if (cost > momentCostMax || spentInTurn + cost > turnCostMax) return false
    if (spentInTurn === 0) {
      parts.afterTurn(() => {
        spentInTurn = 0
      })
    }
    spentInTurn += cost
    return true
  }

  function atOnce(
    delivery: Delivery,
    input: Uint8Array,
    { output, transcript }: Answer,
  ): Happening | undefined {
    const { spec } = delivery.task
    if (spec.constants.length > 0) return undefined
    const startedMs = parts.nowMs()
    let verdict: CheckVerdict
    try {
      const { work, cost } = knownOf(spec)
      if (!takesMoment(cost)) return undefined
      verdict = checkAnswer({ work, input, output, transcript }, adapters)
    } catch (error) {
      log.error('answerNotChecked', error, { deliveryId: delivery.deliveryId })
      verdict = notChecked
    }
    parts.checked?.(resultOf(verdict), parts.nowMs() - startedMs)
    return told(delivery, verdict)
  }

  /** With the bytes where they are at hand, since that may spare computing everything; otherwise by digest. */
  async function claimedOf({ deliveryId, outputDigest }: Delivery): Promise<Claimed> {
    const held = payloads.answer(deliveryId)
    if (held !== undefined) return { kind: 'bytes', ...held }
    if (outputDigest === undefined) throw new Error(`delivery ${deliveryId} is not answered`)
    try {
      return { kind: 'bytes', output: await parts.readBlob(outputDigest), transcript: [] }
    } catch {
      return { kind: 'digest', outputDigest }
    }
  }

  function checkLater(task: Task, delivery: Delivery, tries = 0): void {
    const { spec } = task
    const { deliveryId, workerId } = delivery
    let startedMs = 0
    pool.add({
      flows: [`worker ${workerId}`, `requester ${spec.requesterId}`],
      isAudit: isAudit(task, delivery),
      cost: spec.complexity + spec.inputLength + spec.outputLength + spec.constantBytes,
      async load(): Promise<Question | undefined> {
        if (!parts.isWanted(deliveryId)) return undefined
        startedMs = parts.nowMs()
        const { kind: taskKind, program, programId, constants } = spec
        const input = await payloads.input(spec)
        const claimed = await claimedOf(delivery)
        return { kind: 'answer', taskKind, program, programId, input, claimed, constants }
      },
      blob: parts.readBlob,
      done(finding) {
        if (finding.kind === 'unwanted') return
        if (finding.kind === 'postponed' && isAudit(task, delivery)) {
          log.warn('checkPostponed', { deliveryId, reason: finding.reason })
          return again(tries, (next) => {
            if (parts.isWanted(deliveryId)) checkLater(task, delivery, next)
          })
        }
        const verdict = verdictOf(finding, deliveryId)
        parts.checked?.(resultOf(verdict), startedMs === 0 ? 0 : parts.nowMs() - startedMs)
        parts.post(told(delivery, verdict))
      },
    })
  }

  type Told = Exclude<Parameters<Job['done']>[0], { readonly kind: 'unwanted' }>
  function verdictOf(finding: Told, deliveryId: DeliveryId): CheckVerdict {
    if (finding.kind === 'verdict') return finding.verdict
    const reason = finding.kind === 'groups' ? 'it was taken for floats' : finding.reason
    log.error('answerNotChecked', new Error(reason), { deliveryId })
    return notChecked
  }

  function compareLater(task: Task, deliveries: readonly Delivery[], tries = 0): void {
    const { taskId, requesterId, outputLength } = task.spec
    pool.add({
      flows: [`requester ${requesterId}`],
      cost: outputLength * deliveries.length,
      async load() {
        if (!parts.isOpen(taskId)) return undefined
        const outputs: Uint8Array[] = []
        for (const delivery of deliveries) {
          const claimed = await claimedOf(delivery)
          if (claimed.kind === 'digest') throw new Error(`the output of ${delivery.deliveryId} is gone`)
          outputs.push(claimed.output)
        }
        return { kind: 'floats', outputs }
      },
      blob: parts.readBlob,
      done(finding) {
        if (finding.kind === 'unwanted') return
        if (finding.kind === 'postponed') {
          log.warn('comparisonPostponed', { taskId, reason: finding.reason })
          return again(tries, (next) => {
            if (parts.isOpen(taskId)) compareLater(task, deliveries, next)
          })
        }
        if (finding.kind === 'failed') log.error('answersNotCompared', new Error(finding.reason), { taskId })
        const groups = finding.kind === 'groups' ? finding.groups : []
        parts.post({
          kind: 'compared',
          taskId,
          // What could not be compared agrees with nobody.
          groups: deliveries.map(({ deliveryId }, index) => ({
            deliveryId,
            group: groups[index] ?? index + 1,
          })),
        })
      },
    })
  }

  return {
    begin(effect) {
      if (effect.kind === 'compare') {
        compareLater(effect.task, effect.deliveries)
        return undefined
      }
      const { task, delivery } = effect
      const input = payloads.heldInput(task.spec.taskId)
      const answer = payloads.answer(delivery.deliveryId)
      const now = input && answer && atOnce(delivery, input, answer)
      if (now === undefined) checkLater(task, delivery)
      return now
    },
    waiting: () => pool.waiting() + pool.running(),
    close() {
      for (const cancel of cancels) cancel()
      pool.close()
    },
  }
}
