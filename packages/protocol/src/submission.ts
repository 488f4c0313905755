/**
 * Many tasks in one request, and what became of each (spec W36, W37). Programs are listed once and terms are shared, so that
 * what is alike is read, checked and accounted for once. Inputs lie within; larger ones go one by one, as blobs.
 */
import type { TaskId } from './ids.ts'
import {
  batchSubmissionMax,
  featureLengthMax,
  featuresMax,
  idempotencyKeyLengthMax,
  inlinePayloadBytesMax,
  messageLengthMax,
  priorityMax,
  regionLengthMax,
  retryAfterMsMax,
  submissionProgramsMax,
  taskTimeoutMsMax,
  taskTimeoutMsMin,
  tierMax,
} from './limits.ts'
import { bits64, blob, flag, list, optional, text, whole } from './schema/codec.ts'
import { field, type Infer, message } from './schema/message.ts'
import { microCredit, proofKind, taskId } from './values.ts'
import { verifyPolicy } from './verify.ts'
import { batchProgram } from './wire/batch.ts'

export const batchContentType = 'application/vnd.shardy.tasks'

/** What is not said is as when one task is submitted. */
export const sharedTerms = message('SharedTerms', {
  verify: field(1, optional(verifyPolicy.codec)),
  proof: field(2, optional(proofKind)),
  priority: field(3, optional(whole(0, priorityMax))),
  tierMin: field(4, whole(0, tierMax)),
  features: field(5, list(text(featureLengthMax), featuresMax)),
  region: field(6, text(regionLengthMax)),
  /** For each task. */
  rewardMicroCredit: field(7, optional(microCredit)),
  timeoutMs: field(8, optional(whole(taskTimeoutMsMin, taskTimeoutMsMax))),
  /** Only the output's digest is wanted. */
  digestOnly: field(9, flag()),
  allowInexact: field(10, flag()),
})
export type SharedTerms = Infer<typeof sharedTerms>

export const submittedTask = message('SubmittedTask', {
  /** Its place in the list of programs. */
  program: field(1, whole(0, submissionProgramsMax - 1)),
  /** Empty: none, and asking again makes another task. */
  idempotencyKey: field(2, text(idempotencyKeyLengthMax)),
  seed: field(3, bits64()),
  input: field(4, blob(inlinePayloadBytesMax)),
})
export type SubmittedTask = Infer<typeof submittedTask>

export const batchSubmission = message(
  'BatchSubmission',
  {
    programs: field(1, list(batchProgram.codec, submissionProgramsMax)),
    terms: field(2, sharedTerms.codec),
    tasks: field(3, list(submittedTask.codec, batchSubmissionMax)),
  },
  ({ programs, tasks }) => {
    if (tasks.length === 0) return { field: 'tasks', rule: 'a batch has a task' }
    const isListed = tasks.every(({ program }) => program < programs.length)
    return isListed ? undefined : { field: 'tasks', rule: 'every program is listed' }
  },
)
export type BatchSubmission = Infer<typeof batchSubmission>

/** Taken, with its id, or not, with what is told when one task is refused. */
export const submittedOutcome = message(
  'SubmittedOutcome',
  {
    taskId: field(1, optional(taskId)),
    /** False: it was taken earlier, under the same idempotency key. */
    isNew: field(2, flag()),
    code: field(3, text(64)),
    detail: field(4, text(messageLengthMax)),
    /** Which field was wrong, what it was, and what it may be. */
    field: field(5, optional(text(messageLengthMax))),
    value: field(6, optional(text(messageLengthMax))),
    bound: field(7, optional(text(messageLengthMax))),
    /** Set when asking again later may help. */
    retryAfterMs: field(8, optional(whole(0, retryAfterMsMax))),
  },
  ({ taskId, isNew, code, ...told }) => {
    if ((taskId === undefined) !== (code !== '')) {
      return { field: 'code', rule: 'a task is taken, or there is a problem' }
    }
    if (taskId !== undefined) {
      for (const name of ['field', 'value', 'bound', 'retryAfterMs'] as const) {
        if (told[name] !== undefined) return { field: name, rule: 'only a problem says more' }
      }
    }
    return isNew && taskId === undefined ? { field: 'isNew', rule: 'only a task is new' } : undefined
  },
)
export type SubmittedOutcome = Infer<typeof submittedOutcome>

export const takenOutcome = (taskId: TaskId, isNew: boolean): SubmittedOutcome => ({
  taskId,
  isNew,
  code: '',
  detail: '',
  ...nothingTold,
})

const nothingTold = { field: undefined, value: undefined, bound: undefined, retryAfterMs: undefined } as const

/** In the order of the tasks. */
export const batchOutcome = message('BatchOutcome', {
  outcomes: field(1, list(submittedOutcome.codec, batchSubmissionMax)),
})
export type BatchOutcome = Infer<typeof batchOutcome>
