/**
 * Finds out whether answers are right (docs/spec/checks.md), and which floats are the same. What is cheap is done at once, so
 * that the verdict travels in the same commit as the answer; the rest waits its turn beside everything else.
 */
import { decodeWork, type Work } from '@shardy/compute/work'
import type { CheckVerdict, Delivery, Task, TaskSpec } from '@shardy/dispatch'
import type { Digest, ProgramId } from '@shardy/protocol'
import { type AnswerCheckAdapters, checkAnswer } from '@shardy/sdk'
import type { Log } from '../log.ts'
import type { Begun, Happening } from '../tasks/dispatcher.ts'
import type { Answer, Payloads } from '../tasks/payloads.ts'
import { groupFloats } from './floats.ts'

export interface Checker {
  /** The answer when it is known at once; otherwise it is posted later. */
  begin(effect: Begun): Happening | undefined
  /** Checks that are under way. */
  waiting(): number
}

export interface CheckerParts {
  readonly payloads: Payloads
  readonly adapters: AnswerCheckAdapters
  readonly log: Log
  readBlob(digest: Digest): Promise<Uint8Array>
  readOutput(task: Task, delivery: Delivery): Promise<Uint8Array>
  post(happening: Happening): void
}

/** Work that is computed again at once: some tens of microseconds. */
const atOnceMax = 2 ** 22
const knownWorksMax = 1_000

export function createChecker(parts: CheckerParts): Checker {
  const { payloads, adapters, log } = parts
  const works = new Map<ProgramId, Work>()
  let waiting = 0
  let line: Promise<void> = Promise.resolve()

  function workOf({ kind, program, programId }: TaskSpec): Work {
    const known = works.get(programId)
    if (known !== undefined) return known
    const decoded = decodeWork(kind, program)
    if (!decoded.ok) throw new Error(`a task holds a broken program: ${decoded.reason}`)
    if (works.size >= knownWorksMax) works.clear()
    works.set(programId, decoded.work)
    return decoded.work
  }

  function judge(
    spec: TaskSpec,
    input: Uint8Array,
    answer: Answer,
    blobs?: ReadonlyMap<Digest, Uint8Array>,
  ): CheckVerdict {
    const { output, transcript } = answer
    return checkAnswer({ work: workOf(spec), input, output, transcript, ...(blobs && { blobs }) }, adapters)
  }

  const told = ({ workerId, deliveryId }: Delivery, verdict: CheckVerdict): Happening => ({
    kind: 'checked',
    workerId,
    deliveryId,
    verdict,
  })

  async function later(task: Task, delivery: Delivery): Promise<Happening> {
    try {
      const { spec } = task
      const input = await payloads.input(spec)
      const output = await parts.readOutput(task, delivery)
      const transcript = payloads.answer(delivery.deliveryId)?.transcript ?? []
      const blobs = new Map<Digest, Uint8Array>()
      for (const digest of spec.constants) blobs.set(digest, await parts.readBlob(digest))
      return told(delivery, judge(spec, input, { output, transcript }, blobs))
    } catch (error) {
      log.error('answerNotChecked', error, { deliveryId: delivery.deliveryId })
      return told(delivery, { kind: 'unknown', reason: 'the orchestrator could not check it' })
    }
  }

  async function compare(task: Task, deliveries: readonly Delivery[]): Promise<Happening> {
    const { taskId } = task.spec
    try {
      const outputs = await Promise.all(deliveries.map((delivery) => parts.readOutput(task, delivery)))
      const groups = groupFloats(outputs)
      return {
        kind: 'compared',
        taskId,
        groups: deliveries.map(({ deliveryId }, index) => ({ deliveryId, group: groups[index] ?? 0 })),
      }
    } catch (error) {
      log.error('answersNotCompared', error, { taskId })
      return {
        kind: 'compared',
        taskId,
        groups: deliveries.map(({ deliveryId }, index) => ({ deliveryId, group: index + 1 })),
      }
    }
  }

  function queue(act: () => Promise<Happening>): void {
    waiting++
    line = line.then(act).then((happening) => {
      waiting--
      parts.post(happening)
    })
  }

  return {
    begin(effect) {
      if (effect.kind === 'compare') {
        queue(() => compare(effect.task, effect.deliveries))
        return undefined
      }
      const { task, delivery } = effect
      const { spec } = task
      const input = payloads.heldInput(spec.taskId)
      const answer = payloads.answer(delivery.deliveryId)
      const isCheap = spec.complexity <= atOnceMax && spec.constants.length === 0
      if (input !== undefined && answer !== undefined && isCheap) {
        try {
          return told(delivery, judge(spec, input, answer))
        } catch (error) {
          log.error('answerNotChecked', error, { deliveryId: delivery.deliveryId })
          return told(delivery, { kind: 'unknown', reason: 'the orchestrator could not check it' })
        }
      }
      queue(() => later(task, delivery))
      return undefined
    },
    waiting: () => waiting,
  }
}
