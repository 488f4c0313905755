import { expect, test } from 'bun:test'
import { createPlaces } from './places.ts'

test('nobody alone takes all places, and one given back twice is one', () => {
  const places = createPlaces(3, 2)
  const give = [places.take('a'), places.take('a')]
  expect(places.take('a')).toBeUndefined()
  expect(places.take('b')).toBeDefined()
  expect(places.take('c')).toBeUndefined()
  give[0]?.()
  give[0]?.()
  expect(places.size()).toBe(2)
  expect(places.take('a')).toBeDefined()
  expect(places.take('b')).toBeUndefined()
})
