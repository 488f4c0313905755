import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { FairQueue } from './fairQueue.ts'

function drain(queue: FairQueue<string>): string[] {
  const items: string[] = []
  for (let item = queue.pop(); item !== undefined; item = queue.pop()) items.push(item)
  return items
}

describe('a fair queue', () => {
  test('keeps the order of what belongs to one', () => {
    const queue = new FairQueue<string>(10)
    for (const name of ['a', 'b', 'c']) queue.push(name, ['ann'], 5)
    expect(drain(queue)).toEqual(['a', 'b', 'c'])
  })

  test('lets nobody wait behind a flood of others', () => {
    const queue = new FairQueue<string>(100)
    for (let index = 0; index < 50; index++) queue.push(`flood ${index}`, ['ann'], 1000)
    queue.push('bob', ['bob'], 1000)
    expect(drain(queue).indexOf('bob')).toBe(1)
  })

  test('counts what checks cost, not how many they are', () => {
    const queue = new FairQueue<string>(100)
    for (const name of ['heavy', 'heavy', 'heavy']) queue.push(name, ['ann'], 100)
    for (let index = 0; index < 10; index++) queue.push('light', ['bob'], 10)
    expect(drain(queue).indexOf('heavy', 1)).toBeGreaterThan(9)
  })

  test('a flood over many workers is still its requester’s', () => {
    const queue = new FairQueue<string>(100)
    for (let index = 0; index < 50; index++) queue.push('flood', [`worker ${index}`, 'requester r'], 10)
    queue.push('other', ['worker x', 'requester s'], 10)
    expect(drain(queue).indexOf('other')).toBe(1)
  })

  test('who has waited is not behind who begins later', () => {
    const queue = new FairQueue<string>(100)
    queue.push('one', ['ann'], 1)
    queue.push('two', ['ann'], 1)
    expect(queue.pop()).toBe('one')
    for (let index = 0; index < 5; index++) queue.push('late', ['bob'], 1)
    expect(drain(queue).indexOf('two')).toBeLessThan(2)
  })

  test('is bounded, and what goes is the flood’s', () => {
    const queue = new FairQueue<string>(3)
    const dropped = ['1', '2', '3', '4'].map((name) => queue.push(name, ['ann'], 1))
    expect(dropped).toEqual([undefined, undefined, undefined, '4'])
    expect(queue.push('bob', ['bob'], 1)).toBe('3')
    expect(drain(queue).sort()).toEqual(['1', '2', 'bob'])
  })

  test('gives back everything once, whatever comes and goes', () => {
    const push = fc.record({ flow: fc.nat(5), cost: fc.integer({ min: 1, max: 9 }) })
    const step = fc.option(push, { nil: undefined })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new FairQueue<string>(20)
        const inside = new Set<string>()
        const leave = (item: string | undefined) => {
          if (item !== undefined) expect(inside.delete(item)).toBe(true)
        }
        for (const [index, each] of steps.entries()) {
          if (each === undefined) leave(queue.pop())
          else {
            inside.add(`${index}`)
            leave(queue.push(`${index}`, [`${each.flow}`], each.cost))
          }
          expect(queue.length).toBe(inside.size)
        }
        for (const item of drain(queue)) leave(item)
        expect(inside.size).toBe(0)
      }),
    )
  })
})
