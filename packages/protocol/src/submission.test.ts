import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { TaskId } from './ids.ts'
import {
  batchSubmissionMax,
  inlinePayloadBytesMax,
  messageLengthMax,
  outcomeBytesMax,
  retryAfterMsMax,
  submissionProgramsMax,
} from './limits.ts'
import {
  type BatchSubmission,
  batchOutcome,
  batchSubmission,
  type SubmittedOutcome,
  type SubmittedTask,
  takenOutcome,
} from './submission.ts'
import { adaptive, audited, checked, quorum } from './verify.ts'

const task: SubmittedTask = { program: 0, idempotencyKey: '', seed: 0n, input: new Uint8Array(0) }
const batch: BatchSubmission = {
  programs: [{ kind: 'program', program: Uint8Array.of(1) }],
  terms: {
    verify: undefined,
    proof: undefined,
    priority: undefined,
    tierMin: 0,
    features: [],
    region: '',
    rewardMicroCredit: undefined,
    timeoutMs: undefined,
    digestOnly: false,
    allowInexact: false,
  },
  tasks: [task],
}

const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined })
const ascii = (maxLength: number) => fc.string({ unit: 'grapheme-ascii', maxLength })
const batches = fc
  .record({
    programs: fc.array(
      fc.record({
        kind: fc.constantFrom('program', 'shader', 'lite', 'superLite'),
        program: fc.uint8Array(),
      }),
      { minLength: 1, maxLength: submissionProgramsMax },
    ),
    terms: fc.record({
      verify: maybe(fc.constantFrom(checked, adaptive, quorum(3, 2), audited(50))),
      proof: maybe(fc.constantFrom('none', 'v2', 'v3')),
      priority: maybe(fc.nat(9)),
      tierMin: fc.nat(3),
      features: fc.array(ascii(64), { maxLength: 32 }),
      region: ascii(16),
      rewardMicroCredit: maybe(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })),
      timeoutMs: maybe(fc.integer({ min: 1_000, max: 86_400_000 })),
      digestOnly: fc.boolean(),
      allowInexact: fc.boolean(),
    }),
    tasks: fc.array(
      fc.record({
        program: fc.nat(submissionProgramsMax - 1),
        idempotencyKey: ascii(128),
        seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        input: fc.uint8Array({ maxLength: 200 }),
      }),
      { minLength: 1, maxLength: 20 },
    ),
  })
  .map(({ programs, tasks, ...rest }) => ({
    ...rest,
    programs,
    tasks: tasks.map((each) => ({ ...each, program: each.program % programs.length })),
  })) as fc.Arbitrary<BatchSubmission>

test('a batch reads back as it was written, and is refused when cut anywhere', () => {
  fc.assert(
    fc.property(batches, fc.nat(), (value, cut) => {
      const bytes = batchSubmission.encode(value)
      expect(batchSubmission.decode(bytes)).toEqual({ ok: true, value })
      const at = cut % bytes.length
      const decoded = batchSubmission.decode(bytes.subarray(0, at))
      // A cut between two tasks leaves a batch of fewer.
      if (decoded.ok) expect(batchSubmission.encode(decoded.value)).toEqual(bytes.slice(0, at))
    }),
    { numRuns: 200 },
  )
})

describe('refused', () => {
  const wrong: readonly (readonly [string, Partial<BatchSubmission>])[] = [
    ['no task', { tasks: [] }],
    ['a program that is not listed', { tasks: [{ ...task, program: 1 }] }],
    ['no program', { programs: [] }],
    ['too many tasks', { tasks: Array.from({ length: batchSubmissionMax + 1 }, () => task) }],
    [
      'too many programs',
      { programs: Array.from({ length: submissionProgramsMax + 1 }, () => batch.programs[0] as never) },
    ],
    ['an input too long', { tasks: [{ ...task, input: new Uint8Array(inlinePayloadBytesMax + 1) }] }],
    ['a key too long', { tasks: [{ ...task, idempotencyKey: 'x'.repeat(129) }] }],
    ['a key that is not printable', { tasks: [{ ...task, idempotencyKey: '\n' }] }],
    ['a priority too high', { terms: { ...batch.terms, priority: 10 } }],
    ['a timeout too short', { terms: { ...batch.terms, timeoutMs: 999 } }],
    ['a quorum of one', { terms: { ...batch.terms, verify: quorum(2, 1) } }],
  ]
  for (const [story, change] of wrong) {
    test(story, () => expect(() => batchSubmission.encode({ ...batch, ...change })).toThrow())
  }

  const taskId = 'ab'.repeat(16) as TaskId
  const taken = takenOutcome(taskId, true)
  const problem: SubmittedOutcome = { ...taken, taskId: undefined, isNew: false, code: 'overloaded' }
  const outcomes: readonly (readonly [string, SubmittedOutcome])[] = [
    ['neither a task nor a problem', { ...problem, code: '' }],
    ['both a task and a problem', { ...problem, taskId }],
    ['a new problem', { ...problem, isNew: true }],
    ['a task of which a field was wrong', { ...taken, field: 'input' }],
    ['a task of which a value was wrong', { ...taken, value: '7 bytes' }],
    ['a task that broke a bound', { ...taken, bound: '8 bytes' }],
    ['a task that is to be asked for later', { ...taken, retryAfterMs: 0 }],
    ['a wait that is longer than may be', { ...problem, retryAfterMs: retryAfterMsMax + 1 }],
    ['a bound that is not printable', { ...problem, bound: 'first ≤ last' }],
  ]
  for (const [story, outcome] of outcomes) {
    test(story, () => expect(() => batchOutcome.encode({ outcomes: [outcome] })).toThrow())
  }
})

test('an answer to a full batch of which everything is said fits what clients read', () => {
  const long = 'x'.repeat(messageLengthMax)
  const told = { detail: long, field: long, value: long, bound: long, retryAfterMs: retryAfterMsMax }
  const refused: SubmittedOutcome = { taskId: undefined, isNew: false, code: 'x'.repeat(64), ...told }
  const outcomes = Array.from({ length: batchSubmissionMax }, () => refused)
  const bytes = batchOutcome.encode({ outcomes })
  expect(bytes.length).toBeLessThan(outcomeBytesMax)
  expect(batchOutcome.decode(bytes)).toEqual({ ok: true, value: { outcomes } })
})
