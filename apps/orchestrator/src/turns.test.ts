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

test('one act for several keys waits for each of them, and two such acts never for each other', async () => {
  const turns = createTurns<string>()
  const done: string[] = []
  const act = (name: string) => async () => {
    await new Promise<void>((resolve) => setImmediate(resolve))
    done.push(name)
  }
  await Promise.all([
    turns.take('a', act('a')),
    turns.takeAll(['a', 'b'], act('ab')),
    turns.takeAll(['b', 'a', 'b'], act('ba')),
    turns.take('b', act('b')),
    turns.takeAll([], act('none')),
  ])
  expect(done.filter((name) => name !== 'none')).toEqual(['a', 'ab', 'ba', 'b'])
})
