import { describe, expect, test } from 'bun:test'
import { campaignIdOf, credits, manifestOf, requesterIdOf, startMs } from '../test/identity.ts'
import { World } from '../test/world.ts'
import { itemsMax } from './limits.ts'
import { campaignEvent, campaignRecord, itemResult, openItem } from './record.ts'

describe('what is kept', () => {
  test('reads back as it was written', () => {
    const world = new World(manifestOf())
    world.create()
    world.finish(0)
    world.finish(1, 'dead', 3n)
    const { record } = world
    if (record === undefined) throw new Error('nothing was saved')
    expect(campaignRecord.decode(campaignRecord.encode(record))).toEqual({ ok: true, value: record })
    for (const event of world.events) {
      expect(campaignEvent.decode(campaignEvent.encode(event))).toEqual({ ok: true, value: event })
    }
    for (const result of world.results.values()) {
      expect(itemResult.decode(itemResult.encode(result))).toEqual({ ok: true, value: result })
    }
    for (const item of world.openRows.values()) {
      expect(openItem.decode(openItem.encode(item))).toEqual({ ok: true, value: item })
    }
  })

  test('is of bounded size', () => {
    const longest = campaignRecord.encode({
      campaignId: campaignIdOf('c'),
      requesterId: requesterIdOf('r'),
      createdAtMs: startMs,
      status: 'ended',
      reason: 'cancelled',
      next: itemsMax,
      verified: itemsMax,
      accepted: itemsMax,
      dead: itemsMax,
      refused: itemsMax,
      cancelled: itemsMax,
      spentMicroCredit: (2n ** 63n - 1n) as never,
      events: Number.MAX_SAFE_INTEGER,
      endedAtMs: Number.MAX_SAFE_INTEGER as never,
    })
    expect(longest.length).toBeLessThan(128)
  })

  test('refuses what no campaign has', () => {
    const item = { index: 0, attempt: 1, costMicroCredit: credits(0) }
    expect(() => openItem.encode({ ...item, index: itemsMax })).toThrow('2097151')
    expect(() => openItem.encode({ ...item, attempt: 0 })).toThrow('1 to 16')
    expect(() => openItem.encode({ ...item, attempt: 17 })).toThrow('1 to 16')
  })
})
