// Who waits for which job.

import { expect, test } from 'bun:test'
import { Waiting } from './peer.ts'

test('each end reaches the one that waits for it, whatever the order', async () => {
  const waiting = new Waiting()
  const heard: string[] = []
  const trips = Array.from({ length: 3 }, () => waiting.begin())
  const all = Promise.all(trips.map(({ id, ended }) => ended.then(() => heard.push(id))))
  const ids = trips.map(({ id }) => id)
  expect(new Set(ids).size).toBe(3)
  for (const id of ids.toReversed()) waiting.end(id)
  await all
  expect(heard).toEqual(ids.toReversed())
})

test('an end that is told twice, or of nobody, is nothing', async () => {
  const waiting = new Waiting()
  const { id, ended } = waiting.begin()
  waiting.end('job-999')
  waiting.end(id)
  waiting.end(id)
  await ended
  const next = waiting.begin()
  expect(Bun.peek.status(next.ended)).toBe('pending')
})
