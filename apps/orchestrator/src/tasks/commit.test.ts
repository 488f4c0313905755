import { expect, test } from 'bun:test'
import type { BookEffect } from '@shardy/dispatch'
import { taskIdOf } from '../../test/dispatchTask.ts'
import { createManualClock } from '../../test/manualClock.ts'
import { createCommit } from './commit.ts'
import type { Changes } from './dispatcher.ts'

/** A store whose writes end when they are told to, and a commit of nothing but one row each. */
function open() {
  const writes: (PromiseWithResolvers<void> & { readonly name: string })[] = []
  let rows = 0
  const told: string[] = []
  const commit = createCommit({
    store: {
      write([operation]: readonly { readonly table: string }[]) {
        const ending = { ...Promise.withResolvers<void>(), name: operation?.table ?? '' }
        writes.push(ending)
        return ending.promise
      },
    } as never,
    clock: createManualClock(0),
    archive: { operations: () => [] },
    bookkeeper: {
      entryOf: () => ({ kind: 'refund', taskId: taskIdOf(1) }) as never,
      post() {
        const name = `row ${++rows}`
        return { operations: [{ table: name } as never], committed: () => void told.push(name) }
      },
    },
    evidenceOf: () => Promise.reject(new Error('no evidence is asked for')),
    eventLog: { append: () => ({ operations: [], committed() {}, abandoned() {} }) },
  })
  const entry = { kind: 'verdict' } as BookEffect
  const changes = { entries: [entry], offences: [], published: [] } as unknown as Changes
  return { writes, told, commit: () => commit(changes) }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
const names = (writes: readonly { readonly name: string }[]) => writes.map(({ name }) => name)

test('commits reach the store one after the other, in the order of the calls', async () => {
  const { writes, told, commit } = open()
  const both = [commit(), commit()]
  await settled()
  expect(names(writes)).toEqual(['row 1'])
  writes[0]?.resolve()
  await settled()
  expect([names(writes), told]).toEqual([['row 1', 'row 2'], ['row 1']])
  writes[1]?.resolve()
  await Promise.all(both)
  expect(told).toEqual(['row 1', 'row 2'])
})

test('what rests on a commit that failed is never written', async () => {
  const { writes, told, commit } = open()
  const outcomes = Promise.allSettled([commit(), commit()])
  await settled()
  writes[0]?.reject(new Error('disk'))
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect([names(writes), told]).toEqual([['row 1'], []])
})
