import { expect, test } from 'bun:test'
import { type MicroCredit, outcomes, refusalCodes, rejectReasons } from '@shardy/protocol'
import type { Ending } from '@shardy/worker'
import { refusalWords } from './advice.ts'
import { describeDevice } from './device.ts'
import { describeEnding } from './outcome.ts'
import { describeSmall, formatLarge } from './work.ts'

function settled(outcome: (typeof outcomes)[number]): Ending {
  return { kind: 'settled', outcome, rewardMicroCredit: 0n as MicroCredit }
}

test.each([
  [settled('accepted'), 'accepted', 'good', 'Accepted: your answer is the result of the task'],
  [
    settled('disagreed'),
    'disagreed',
    'bad',
    'Disagreed, not paid: enough other workers agreed on another answer',
  ],
  [settled('lost'), 'lost', 'bad', 'Lost, not paid: no answer arrived before the deadline'],
  [settled('superseded'), 'superseded', 'neutral', 'Not needed any more: others had settled it already'],
  [
    { kind: 'rejected', reason: 'deviceLost', text: '' },
    'rejected',
    'neutral',
    'Handed back: the device was lost while working',
  ],
  [
    { kind: 'cancelled', reason: 'taskCancelled' },
    'cancelled',
    'neutral',
    'Called off: the requester took the task back',
  ],
  [
    { kind: 'unsettled' },
    'unsettled',
    'neutral',
    'Answered, verdict unknown: the connection ended before the verdict came',
  ],
  [
    { kind: 'connectionLost' },
    'connectionLost',
    'neutral',
    'Broken off: the connection ended while it was here',
  ],
] satisfies [Ending, string, string, string][])('%#', (ending, name, tone, text) => {
  const words = describeEnding(ending)
  expect({ ...words, text: `${words.title}: ${words.detail}` }).toMatchObject({ name, tone, text })
})

test('only an accepted answer sounds like success, and only a wrong or missing one like failure', () => {
  const tones = outcomes.map((outcome) => [outcome, describeEnding(settled(outcome)).tone])
  expect(tones.filter(([, tone]) => tone === 'good')).toEqual([['accepted', 'good']])
  expect(tones.filter(([, tone]) => tone === 'bad').map(([outcome]) => outcome)).toEqual([
    'disagreed',
    'lost',
    'wrong',
  ])
  for (const reason of rejectReasons) {
    expect(describeEnding({ kind: 'rejected', reason, text: '' }).tone).toBe('neutral')
  }
})

test('every refusal says what happened and what to do', () => {
  for (const code of refusalCodes) {
    const { headline, advice } = refusalWords(code)
    expect([code, headline.length > 10, advice.endsWith('.')]).toEqual([code, true, true])
  }
})

test.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1 thousand'],
  [161_009_750, '161 million'],
  [3_418_000_000, '3.42 billion'],
  [2.5e13, '25 trillion'],
])('%p operations are %p', (value, text) => {
  expect(formatLarge(value)).toBe(text)
})

test.each([
  [{ kind: 'asked' }, 'The address of this page asks for the CPU (?cpu).'],
  [{ kind: 'refused', message: 'it offers no adapter' }, 'No GPU: it offers no adapter.'],
  [
    { kind: 'inexact', adapter: 'Bad 9000' },
    'Bad 9000 gave a wrong answer in a self-test, so the CPU does the work.',
  ],
  [{ kind: 'failed', message: 'it hung' }, 'The GPU was given up: it hung.'],
  [undefined, undefined],
] as const)('why not the GPU: %j', (cpuReason, note) => {
  const device = { executor: 'cpu', adapter: 'one core', isSoftware: false, cpuReason } as const
  expect(describeDevice(device)).toEqual({ title: 'CPU: one core', note })
})

test('a software GPU is called one', () => {
  const device = { executor: 'webgpu', adapter: 'swift', isSoftware: true, cpuReason: undefined } as const
  expect(describeDevice(device).note).toContain('software GPU')
})

test.each([
  [{ open: 0, committed: 0, answered: 0 }, undefined],
  [
    { open: 1, committed: 0, answered: 0 },
    { what: '1 small task', detail: 'computing' },
  ],
  [
    { open: 3, committed: 2, answered: 4 },
    { what: '9 small tasks', detail: 'computing' },
  ],
  [
    { open: 0, committed: 1, answered: 1 },
    { what: '2 small tasks', detail: 'answered; waiting for the verdict' },
  ],
])('small tasks by number: %j', (small, words) => {
  expect(describeSmall(small)).toEqual(words)
})
