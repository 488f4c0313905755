/**
 * The process ends between any two of its writes, and goes on from what is on disk: by kill -9 nothing is missing of what was
 * written, by a power cut all that came after the last sync. For each: nothing that was promised is lost, nothing is paid twice.
 */
import { expect, setDefaultTimeout, test } from 'bun:test'
import type { DeliveryId, TaskId } from '@shardy/protocol'
import type { BlobStore } from '@shardy/storage'
import { judgeMoney, judgeOutputs, judgePromises } from '../test/crash/judge.ts'
import { type Asked, beginLife, type Life } from '../test/crash/life.ts'
import { playScenario } from '../test/crash/scenario.ts'
import type { Promised } from '../test/crash/witness.ts'
import {
  type Ending,
  type LoggedStore,
  openLogged,
  openLoggedBlobs,
  remaining,
} from '../test/crash/writeLog.ts'

setDefaultTimeout(300_000)

const startMs = 1_000_000
const restartMs = 3_000
const endings: readonly Ending[] = ['killed', 'powerCut']

/** What was told before the write behind the n-th was handed over. */
const promisedBy = (life: Life, count: number): readonly Promised[] =>
  life.told.filter(({ writes }) => writes <= count).map(({ promised }) => promised)

/** Asks again for everything, as a requester does that got no answer, and lets honest workers finish. */
async function finish(life: Life, asked: readonly Asked[]): Promise<ReadonlyMap<string, TaskId>> {
  const ids = new Map<string, TaskId>()
  for (const one of asked) ids.set(one.key, await life.submit(one))
  for (const worker of [10, 11, 12, 13]) await life.join(worker)
  for (let round = 0; round < 40 && life.orchestrator.services.dispatcher.state().tasks.size > 0; round++) {
    await life.work()
    await life.advance(31_000)
  }
  expect(life.orchestrator.services.dispatcher.state().tasks.size).toBe(0)
  return ids
}

function idsIn(promises: readonly Promised[]): readonly DeliveryId[] {
  return promises.flatMap((promised) => (promised.kind === 'delivered' ? [promised.deliveryId] : []))
}

/** A life on what is left, judged when it begins and when all its work is done. */
async function judgeRemains(
  store: LoggedStore,
  blobs: BlobStore,
  promises: readonly Promised[],
  asked: readonly Asked[],
): Promise<Life> {
  const life = await beginLife(store, blobs, (store.writes.at(-1)?.atMs ?? startMs) + restartMs)
  await life.advance(0)
  await judgePromises(life, promises)
  await judgeMoney(life)
  const ids = await finish(life, asked)
  await judgePromises(
    life,
    promises.filter(({ kind }) => kind !== 'requeued' && kind !== 'ended'),
  )
  await judgeOutputs(life, asked, ids)
  await judgeMoney(life)
  const given = [...idsIn(promises), ...idsIn(life.told.map(({ promised }) => promised))]
  expect(new Set(given).size).toBe(given.length)
  expect(life.errors).toEqual([])
  return life
}

for (const ending of endings) {
  test(`nothing that was promised is lost and nothing is paid twice, ${ending} behind any write`, async () => {
    const store = await openLogged()
    const kept = await openLoggedBlobs(store)
    const first = await beginLife(store, kept.blobs, startMs)
    const { asked } = await playScenario(first)
    expect(first.errors).toEqual([])
    const { writes } = store
    let crashes = 0
    for (let count = 0; count <= writes.length; count++) {
      const left = remaining(writes, count, ending)
      const promises = promisedBy(first, count)
      try {
        const again = await openLogged(left)
        const keptAgain = await openLoggedBlobs(again, await kept.at(count))
        const second = await judgeRemains(again, keptAgain.blobs, promises, asked)
        crashes++
        // And once more, while it recovers.
        const recovering = Math.min(again.writes.length, left.length + 6)
        for (let next = left.length; next <= recovering && count % 5 === 0; next++) {
          const twice = await openLogged(remaining(again.writes, next, ending))
          const told = [...promises, ...promisedBy(second, next)]
          await judgeRemains(twice, await keptAgain.at(next), told, asked)
          crashes++
        }
      } catch (error) {
        throw new Error(`${ending} behind write ${count} of ${writes.length}`, { cause: error })
      }
    }
    expect(crashes).toBeGreaterThan(writes.length)
  })
}
