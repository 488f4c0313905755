/** A million items through the step, counted: what is in memory never grows beyond the window. */
import { describe, expect, test } from 'bun:test'
import {
  campaignRecord,
  type ItemAttempt,
  newCampaign,
  openItem,
  packResults,
  resultSegment,
  step,
  type TaskEnd,
} from '../src/index.ts'
import { segmentItems, windowMax } from '../src/limits.ts'
import { credits, digestOf, manifestOf, rangeOf, requesterIdOf, startMs } from './identity.ts'
import { createRandom } from './random.ts'
import { campaignId } from './world.ts'

const million = 1_000_000

/** Every value that can be reached, counted once per place. */
function valuesIn(value: unknown): number {
  if (value instanceof Map) {
    let count = 1
    for (const [, held] of value) count += 1 + valuesIn(held)
    return count
  }
  if (ArrayBuffer.isView(value)) return value.byteLength
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce((count: number, held) => count + valuesIn(held), 1)
}

function runMillion(window: number) {
  const manifest = manifestOf({
    inputs: rangeOf(million),
    window,
    budgetMicroCredit: credits(10 * million),
  })
  const state = newCampaign(campaignId, requesterIdOf('r'), manifest)
  const random = createRandom(window)
  const outputDigest = digestOf('output')
  const live: ItemAttempt[] = []
  let [steps, settled, complete, openMax, valuesMax, recordBytesMax] = [0, 0, 0, 0, 0, 0]
  let straggler: ItemAttempt | undefined
  const post = (input: Parameters<typeof step>[1]): void => {
    for (const effect of step(state, input)) {
      if (effect.kind === 'submitItems') {
        for (const item of effect.items) {
          if (item.index === 0) straggler = item
          else live.push(item)
        }
      } else if (effect.kind === 'save') {
        settled += effect.settled.length
        complete += effect.complete.length
        if (steps % 4_096 === 0) {
          recordBytesMax = Math.max(recordBytesMax, campaignRecord.encode(effect.record).length)
        }
      }
    }
    openMax = Math.max(openMax, state.open.size)
    if (steps++ % 4_096 === 0) valuesMax = Math.max(valuesMax, valuesIn(state))
  }
  const endOf = (item: ItemAttempt): TaskEnd => ({
    ...item,
    status: 'verified',
    outputDigest,
    costMicroCredit: credits(10),
  })

  post({ kind: 'created', atMs: startMs })
  while (live.length > 0) {
    const ends: TaskEnd[] = []
    while (ends.length < 50 && live.length > 0) {
      const place = random.below(live.length)
      const item = live[place] as ItemAttempt
      const last = live.pop() as ItemAttempt
      if (item !== last) live[place] = last
      ends.push(endOf(item))
    }
    post({ kind: 'tasksEnded', atMs: startMs, ends })
  }
  // The first item of all is the last to end: nothing may pile up behind it.
  if (straggler !== undefined) post({ kind: 'tasksEnded', atMs: startMs, ends: [endOf(straggler)] })
  return { state, settled, complete, openMax, valuesMax, recordBytesMax }
}

describe('a million items', () => {
  for (const window of [1_000, windowMax]) {
    test(`with a window of ${window} are no more than that in memory`, () => {
      const { state, settled, complete, openMax, valuesMax, recordBytesMax } = runMillion(window)
      expect(state.record).toMatchObject({ status: 'ended', reason: 'completed', verified: million })
      expect(settled).toBe(million)
      expect(complete).toBe(Math.ceil(million / segmentItems))
      expect(openMax).toBe(window)
      // An open item is six values: itself with four fields, and its key; a segment two.
      expect(valuesMax).toBeLessThan(8 * window + 100)
      expect(recordBytesMax).toBeLessThan(100)
    }, 60_000)
  }

  test('take 32 bytes each on disk, and 20 more for each 1,024', () => {
    const results = Array.from({ length: segmentItems }, (_, index) => ({
      index: 900 * segmentItems + index,
      status: 'verified' as const,
      attempts: 1,
      outputDigest: digestOf(`${index}`),
      costMicroCredit: credits(1_000_000),
      code: '',
    }))
    expect(resultSegment.encode(packResults(results)).length - 32 * segmentItems).toBe(20)
    expect(openItem.encode({ index: million, attempt: 1, costMicroCredit: credits(0) })).toHaveLength(6)
  })
})
