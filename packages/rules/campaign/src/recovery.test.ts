import { describe, expect, test } from 'bun:test'
import { credits, manifestOf } from '../test/identity.ts'
import { World } from '../test/world.ts'
import { nextDueMs, type OpenItem, recover } from './index.ts'

const worldWithOpen = () => {
  const world = new World(manifestOf())
  world.create()
  world.finish(0)
  return world
}

describe('after a restart', () => {
  test('open items are asked about before anything else is submitted', () => {
    const world = worldWithOpen()
    world.restart()
    expect(world.asked.map(({ index }) => index)).toEqual([1, 2, 3, 4])
    expect([...world.state.open.values()].map(({ phase }) => phase)).toEqual(Array(4).fill('live'))
    expect(world.live.size).toBe(4)
  })

  test('a first tick asks as well', () => {
    const world = worldWithOpen()
    if (world.record === undefined) throw new Error('nothing was saved')
    const state = recover(world.manifest, world.record, [...world.openRows.values()])
    expect(nextDueMs(state)).toBeLessThanOrEqual(world.atMs)
  })

  test('what was saved and never submitted is submitted under the same id', () => {
    const world = new World(manifestOf())
    world.effectsLeft = 1
    world.create()
    expect(world.openRows.size).toBe(4)
    expect(world.tasks.size).toBe(0)
    world.restart()
    expect(world.live.size).toBe(4)
    expect(world.tasks.size).toBe(4)
  })

  test('an end that nobody heard is found', () => {
    const world = worldWithOpen()
    const [taskId] = world.live
    if (taskId === undefined) throw new Error('nothing lives')
    world.endTask(taskId, 'verified', 10n)
    world.restart()
    expect(world.record?.verified).toBe(2)
  })

  test('a paused campaign stays paused', () => {
    const world = worldWithOpen()
    world.say('pause')
    world.restart()
    world.finish(1)
    expect(world.state.open.size).toBe(3)
  })

  const item = (index: number, attempt = 1): OpenItem => ({ index, attempt, costMicroCredit: credits(0) })
  const torn: readonly (readonly [string, readonly OpenItem[], string])[] = [
    ['a row too few', [item(1), item(2), item(3)], '3 open items and 1 results are not the 5 of 10'],
    ['a row of an item that was never opened', [1, 2, 3, 9].map((index) => item(index)), 'item 9, attempt 1'],
    ['a row twice', [item(1), item(1), item(2), item(3)], 'item 1, attempt 1'],
    ['an attempt too many', [item(1), item(2), item(3), item(4, 4)], 'item 4, attempt 4'],
  ]
  for (const [name, rows, message] of torn) {
    test(`a torn store is no campaign: ${name}`, () => {
      const { manifest, record } = worldWithOpen()
      if (record === undefined) throw new Error('nothing was saved')
      expect(() => recover(manifest, record, rows)).toThrow(message)
    })
  }
})

describe('a task that is not heard of', () => {
  test('is asked about after a while, and submitted again when there is none', () => {
    const world = worldWithOpen()
    const [lost] = world.live
    if (lost === undefined) throw new Error('nothing lives')
    world.tasks.delete(lost)
    world.live.delete(lost)
    world.tick(59_999)
    expect(world.asked).toEqual([])
    world.tick(1)
    expect(world.asked).toHaveLength(4)
    world.tick(1)
    expect(world.live.has(lost)).toBe(true)
  })
})
