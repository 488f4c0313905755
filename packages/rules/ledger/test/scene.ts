/** A book with short delays, people with names, and entries in one line each. */
import { createHash } from 'node:crypto'
import type { DeliveryId, Digest, MicroCredit, RequesterId, TaskId, TimeMs, WorkerId } from '@shardy/protocol'
import {
  type BookEntry,
  type BookParameters,
  bookParameters,
  createBook,
  defaultParameters,
  type EntryOf,
  type NormalisedWork,
  type RefusedEntry,
} from '../src/index.ts'

export const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())
const hashed = (text: string) => createHash('sha256').update(text).digest('hex')

export const taskIdOf = (name: string) => hashed(`task ${name}`).slice(0, 32) as TaskId
export const deliveryIdOf = (name: string) => hashed(`delivery ${name}`).slice(0, 32) as DeliveryId
export const requesterIdOf = (name: string) => hashed(`requester ${name}`) as RequesterId
export const workerIdOf = (name: string) => hashed(`worker ${name}`) as WorkerId
export const digestOf = (name: string) => hashed(`digest ${name}`) as Digest
export const micro = (amount: bigint | number) => BigInt(amount) as MicroCredit
export const at = (ms: number) => ms as TimeMs

export const ann = workerIdOf('ann')
export const bob = workerIdOf('bob')
export const rita = requesterIdOf('rita')
export const rolf = requesterIdOf('rolf')
export const t = taskIdOf('t')

/** Epochs of 100 ms: what is earned at 0 vests at 1,100, stake asked back at 0 leaves at 600. */
export const parameters: BookParameters = {
  ...defaultParameters,
  feePermille: 50,
  vestingPermille: 500,
  vestingMs: 1000 as BookParameters['vestingMs'],
  unstakeMs: 500 as BookParameters['unstakeMs'],
  epochMs: 100 as BookParameters['epochMs'],
  guardMs: 2000 as BookParameters['guardMs'],
  guardBucketMs: 250 as BookParameters['guardBucketMs'],
  guardIdsMax: 4096,
}

export const issue = (amount: bigint | number, requesterId = rita): EntryOf<'issue'> => ({
  kind: 'issue',
  requesterId,
  amount: micro(amount),
})
export const escrow = (amount: bigint | number, taskId = t, requesterId = rita): EntryOf<'escrow'> => ({
  kind: 'escrow',
  taskId,
  requesterId,
  amount: micro(amount),
})
export const payout = (delivery: string, amount: bigint | number, workerId = ann) => ({
  deliveryId: deliveryIdOf(delivery),
  workerId,
  amount: micro(amount),
})
export const verdict = (
  payouts: readonly ReturnType<typeof payout>[],
  taskId = t,
  requesterId = rita,
): EntryOf<'verdict'> => ({ kind: 'verdict', taskId, requesterId, payouts, spent: 7n as NormalisedWork })
export const refund = (taskId = t, requesterId = rita): EntryOf<'refund'> => ({
  kind: 'refund',
  taskId,
  requesterId,
})
export const deposit = (amount: bigint | number, workerId = ann): EntryOf<'deposit'> => ({
  kind: 'deposit',
  workerId,
  source: 'issuance',
  requesterId: undefined,
  amount: micro(amount),
})
export const unstake = (amount: bigint | number, workerId = ann): EntryOf<'unstake'> => ({
  kind: 'unstake',
  workerId,
  amount: micro(amount),
})
export const withdraw = (amount: bigint | number, workerId = ann): EntryOf<'withdraw'> => ({
  kind: 'withdraw',
  workerId,
  requesterId: rolf,
  amount: micro(amount),
})
export const vest = (workerId = ann): EntryOf<'vest'> => ({ kind: 'vest', workerId })
export const slash = (delivery: string, amount: bigint | number, workerId = ann): EntryOf<'slash'> => ({
  kind: 'slash',
  workerId,
  deliveryId: deliveryIdOf(delivery),
  evidenceDigest: digestOf(delivery),
  amount: micro(amount),
})

/** A book that numbers its own outbox. */
export function openScene(changes: Partial<BookParameters> = {}) {
  const own = { ...parameters, ...changes }
  // Parameters that cannot be encoded are a mistake of the test.
  bookParameters.encode(own)
  const book = createBook(own)
  const play = (atMs: number, ...entries: readonly BookEntry[]): readonly RefusedEntry[] =>
    book.apply(book.appliedSequence + 1, at(atMs), entries)
  return {
    book,
    play,
    /** Plays entries that must all be taken. */
    take(atMs: number, ...entries: readonly BookEntry[]): void {
      const refused = play(atMs, ...entries)
      if (refused.length > 0) throw new Error(Bun.inspect(refused))
    },
    worker: (workerId = ann) => ({
      free: book.balance({ kind: 'worker', workerId }),
      vesting: book.balance({ kind: 'vesting', workerId }),
      stake: book.balance({ kind: 'stake', workerId }),
    }),
    requester: (requesterId = rita) => book.balance({ kind: 'requester', requesterId }),
  }
}
