import { expect, test } from 'bun:test'
import { createTurns } from './turns.ts'

test('acts on one key do not overlap, acts on two do', async () => {
  const turns = createTurns<string>()
  const log: string[] = []
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const first = turns.take('a', async () => {
    log.push('first begins')
    await held
    log.push('first ends')
  })
  const second = turns.take('a', async () => void log.push('second'))
  await turns.take('b', async () => void log.push('other'))
  expect(log).toEqual(['first begins', 'other'])
  release()
  await turns.ended('a')
  expect(log).toEqual(['first begins', 'other', 'first ends', 'second'])
  await Promise.all([first, second])
})

test('an act that fails fails for its own caller alone', async () => {
  const turns = createTurns<string>()
  const failed = turns.take('a', () => Promise.reject(new Error('mine')))
  const after = turns.take('a', async () => 'done')
  expect(failed).rejects.toThrow('mine')
  expect(await after).toBe('done')
  await turns.ended('a')
  await turns.ended('never asked for')
})
