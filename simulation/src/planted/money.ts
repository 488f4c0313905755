/** Bugs in what the book is told, and when. */
import type { Table } from '@shardy/app-orchestrator/parts'
import type { Digest, MicroCredit } from '@shardy/protocol'
import type { Operation } from '@shardy/storage'
import type { Plant } from '../plant.ts'

export const money: readonly Plant[] = [
  {
    name: 'settledTwice',
    what: 'a verdict is written into the outbox twice',
    open: () => ({
      entries: (entries) => [...entries, ...entries.filter(({ kind }) => kind === 'verdict')],
    }),
  },
  {
    name: 'unsyncedOutbox',
    what: 'what the book is told is written beside the synced batch and not in it',
    open: () => ({
      store: (store) => ({
        ...store,
        write(batch, options) {
          const isOutbox = (each: Operation<Table>): boolean => each.kind === 'put' && each.table === 'outbox'
          const outbox = batch.filter(isOutbox)
          if (outbox.length === 0) return store.write(batch, options)
          const written = store.write(
            batch.filter((each) => !isOutbox(each)),
            options,
          )
          void store.write(outbox, { sync: false })
          return written
        },
      }),
    }),
  },
  {
    name: 'escrowKept',
    what: 'a cancelled or dead task does not give its escrow back',
    open: () => ({ entries: (entries) => entries.filter(({ kind }) => kind !== 'refund') }),
  },
  {
    name: 'firstOffenceSlashed',
    what: 'a first wrong answer costs what the worker has locked',
    open: () => ({
      entries: (entries, { offences }) => [
        ...entries,
        ...offences.flatMap(({ consequence, workerId, deliveryId }) => {
          if (consequence.kind !== 'unpaidAndQuarantine' || consequence.heldMicroCredit === 0n) return []
          const evidenceDigest = '0'.repeat(64) as Digest
          return [{ kind: 'slash', workerId, deliveryId, evidenceDigest, amount: 1n as MicroCredit } as const]
        }),
      ],
    }),
  },
  {
    name: 'trustInflated',
    what: 'what a worker has to lose is taken for a thousand times as much',
    open: () => ({
      happening(happening) {
        if (happening.kind !== 'answered') return happening
        const { lockedMicroCredit, withdrawingMicroCredit } = happening.stake
        const inflated = (lockedMicroCredit * 1_000n) as MicroCredit
        return { ...happening, stake: { lockedMicroCredit: inflated, withdrawingMicroCredit } }
      },
    }),
  },
]
