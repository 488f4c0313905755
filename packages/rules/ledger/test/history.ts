/** Random histories over a few people and tasks: most entries make sense, many are refused, time mostly goes on. */
import type { RequesterId } from '@shardy/protocol'
import fc from 'fast-check'
import type { BookEntry, EntryOf, NormalisedWork } from '../src/index.ts'
import {
  deliveryIdOf,
  escrow,
  issue,
  micro,
  refund,
  requesterIdOf,
  slash,
  taskIdOf,
  unstake,
  vest,
  workerIdOf,
} from './scene.ts'

export const requesters = ['rita', 'rolf', 'rosa'].map(requesterIdOf)
export const workers = ['ann', 'bob', 'cyd', 'dan'].map(workerIdOf)
export const tasks = ['t', 'u', 'v'].map(taskIdOf)
const deliveries = Array.from({ length: 40 }, (_, index) => `delivery ${index}`)
const [rita] = requesters as [RequesterId]

const requester = fc.oneof({ weight: 6, arbitrary: fc.constant(rita) }, fc.constantFrom(...requesters))
const worker = fc.constantFrom(...workers)
const task = fc.constantFrom(...tasks)
const edges = fc.constantFrom(-1n, 0n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n)
const upTo = (most: bigint) =>
  fc.oneof({ weight: 20, arbitrary: fc.bigInt({ min: 1n, max: most }) }, { weight: 1, arbitrary: edges })

const payouts = fc.array(
  fc.record({
    deliveryId: fc.constantFrom(...deliveries).map(deliveryIdOf),
    workerId: worker,
    amount: upTo(600n).map(micro),
  }),
  { maxLength: 3 },
)
const verdict = fc
  .record({ payouts, taskId: task, requesterId: requester })
  .map((of): EntryOf<'verdict'> => ({ kind: 'verdict', spent: 3n as NormalisedWork, ...of }))
const deposit = fc
  .record({
    workerId: worker,
    source: fc.constantFrom('issuance', 'requester', 'earnings'),
    requesterId: requester,
    amount: upTo(300n).map(micro),
  })
  .map(
    (of): EntryOf<'deposit'> => ({
      kind: 'deposit',
      ...of,
      requesterId: of.source === 'requester' ? of.requesterId : undefined,
    }),
  )
const withdraw = fc
  .record({ workerId: worker, requesterId: requester, amount: upTo(200n).map(micro) })
  .map((of): EntryOf<'withdraw'> => ({ kind: 'withdraw', ...of }))

const weighted = (weight: number, arbitrary: fc.Arbitrary<BookEntry>) => ({ weight, arbitrary })

export const entry: fc.Arbitrary<BookEntry> = fc.oneof(
  weighted(
    2,
    fc.tuple(upTo(20_000n), requester).map(([each, id]) => issue(each, id)),
  ),
  weighted(
    8,
    fc.tuple(upTo(3_000n), task, requester).map(([each, taskId, id]) => escrow(each, taskId, id)),
  ),
  weighted(8, verdict),
  weighted(
    1,
    fc.tuple(task, requester).map(([taskId, id]) => refund(taskId, id)),
  ),
  weighted(1, deposit),
  weighted(
    1,
    fc.tuple(upTo(200n), worker).map(([each, id]) => unstake(each, id)),
  ),
  weighted(1, withdraw),
  weighted(1, worker.map(vest)),
  weighted(
    1,
    fc
      .tuple(fc.constantFrom(...deliveries), upTo(400n), worker)
      .map(([name, each, id]) => slash(name, each, id)),
  ),
)

export interface Turn {
  readonly afterMs: number
  readonly entries: readonly BookEntry[]
  readonly isSaved: boolean
}

export const history: fc.Arbitrary<readonly Turn[]> = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: -200, max: 900 })),
    entries: fc.array(entry, { maxLength: 8 }),
    isSaved: fc.boolean(),
  }),
  { maxLength: 25, size: 'max' },
)
