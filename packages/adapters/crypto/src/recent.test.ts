import { expect, test } from 'bun:test'
import { createRecent } from './recent.ts'

test('keeps what was used last and drops what was not', () => {
  const recent = createRecent<string, number>(2)
  recent.set('a', 1)
  recent.set('b', 2)
  expect(recent.get('a')).toBe(1)
  recent.set('c', 3)
  expect(recent.get('b')).toBeUndefined()
  expect(recent.get('a')).toBe(1)
  expect(recent.get('c')).toBe(3)
  expect(recent.size).toBe(2)
})

test('setting a key again replaces its value and does not grow', () => {
  const recent = createRecent<string, number>(2)
  recent.set('a', 1)
  recent.set('a', 2)
  expect(recent.get('a')).toBe(2)
  expect(recent.size).toBe(1)
})
