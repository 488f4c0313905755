import { expect, test } from 'bun:test'
import type { BookEffect } from '@shardy/dispatch'
import type { Digest } from '@shardy/protocol'
import { attestation, taskIdOf, workerIdOf } from '../../test/dispatchTask.ts'
import { createManualClock } from '../../test/manualClock.ts'
import { createCommit } from './commit.ts'
import type { Changes } from './dispatcher.ts'
import type { Evidence } from './offences.ts'

/** A store whose writes end when they are told to, and a commit of nothing but one row each. */
function open() {
  const writes: (PromiseWithResolvers<void> & { readonly name: string })[] = []
  let rows = 0
  const told: string[] = []
  const taken = { count: 0 }
  const evidence = Promise.withResolvers<Evidence>()
  const commit = createCommit({
    store: {
      write([operation]: readonly { readonly table: string }[]) {
        const ending = { ...Promise.withResolvers<void>(), name: operation?.table ?? '' }
        writes.push(ending)
        return ending.promise
      },
    } as never,
    clock: createManualClock(0),
    archive: {
      operations() {
        taken.count++
        return []
      },
    },
    bookkeeper: {
      entryOf: () => ({ kind: 'refund', taskId: taskIdOf(1) }) as never,
      post() {
        const name = `row ${++rows}`
        return { operations: [{ table: name } as never], committed: () => void told.push(name) }
      },
    },
    evidenceOf: () => evidence.promise,
    eventLog: { append: () => ({ operations: [], committed() {}, abandoned() {} }) },
  })
  const entry = { kind: 'verdict' } as BookEffect
  const changesOf = (offences: readonly unknown[]) =>
    ({ entries: [entry], offences, published: [] }) as unknown as Changes
  return {
    writes,
    told,
    taken,
    evidence,
    commit: () => commit(changesOf([])),
    punish: () => commit(changesOf([offence])),
  }
}

const offence = {
  deliveryId: 'ab'.repeat(16),
  taskId: taskIdOf(1),
  workerId: workerIdOf(1),
  outputDigest: 'ab'.repeat(32),
  rightDigest: undefined,
  answer: attestation,
  detail: 'off',
  consequence: { kind: 'unpaid' },
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

test('what comes behind an offence is taken at once, and numbered and written behind it', async () => {
  const { writes, told, taken, evidence, commit, punish } = open()
  const all = [punish(), commit(), commit()]
  await settled()
  expect([taken.count, names(writes)]).toEqual([3, []])
  evidence.resolve({ bytes: new Uint8Array(1), digest: 'ab'.repeat(32) as Digest })
  for (let count = 1; count <= 3; count++) {
    await settled()
    writes[count - 1]?.resolve()
  }
  await Promise.all(all)
  expect(names(writes)).toEqual(['offences', 'row 2', 'row 3'])
  expect(told).toEqual(['row 1', 'row 2', 'row 3'])
})

test('nothing is written behind an offence whose evidence could not be gathered', async () => {
  const { writes, evidence, commit, punish } = open()
  const outcomes = Promise.allSettled([punish(), commit()])
  evidence.reject(new Error('no key'))
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(names(writes)).toEqual([])
})
