import { expect, test } from 'bun:test'
import { campaignIdOf, sha256 } from '../test/identity.ts'
import { itemTaskId } from './itemTask.ts'

test('the same attempt is the same task, and any other is another', () => {
  const [a, b] = [campaignIdOf('a'), campaignIdOf('b')]
  const ids = [
    itemTaskId(a, 0, 1, sha256),
    itemTaskId(a, 0, 2, sha256),
    itemTaskId(a, 1, 1, sha256),
    itemTaskId(b, 0, 1, sha256),
  ]
  expect(new Set(ids).size).toBe(4)
  expect(itemTaskId(a, 0, 1, sha256)).toBe(ids[0] as (typeof ids)[0])
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/)
})

test('keeps its value', () => {
  expect<string>(itemTaskId('11'.repeat(16) as never, 5, 1, sha256)).toMatchInlineSnapshot(
    `"d0bf00e6c9bcb5f6c0d55a9cbf93d7aa"`,
  )
})

test('of an item that no campaign has is a bug', () => {
  expect(() => itemTaskId(campaignIdOf('a'), -1, 1, sha256)).toThrow()
  expect(() => itemTaskId(campaignIdOf('a'), 0, 0, sha256)).toThrow()
  expect(() => itemTaskId(campaignIdOf('a'), 0, 17, sha256)).toThrow()
})
