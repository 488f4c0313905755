/** One synced write for all that is decided together: accepting tasks and deciding about them costs a sync a batch, not a task. */
import { expect, test } from 'bun:test'
import { isEnded } from '@shardy/dispatch'
import { asked, beginLife } from '../../test/crash/life.ts'
import { openLogged, openLoggedBlobs } from '../../test/crash/writeLog.ts'

test('two hundred accepts, then two hundred verdicts beside new accepts, take a handful of syncs', async () => {
  const store = await openLogged()
  const life = await beginLife(store, (await openLoggedBlobs(store)).blobs, 1_000_000)
  const { dispatcher, bookkeeper, payloads } = life.orchestrator.services
  const syncs = (): number => store.writes.filter(({ sync }) => sync).length
  for (const requester of [1, 2]) await life.submit(asked(`first-${requester}`, requester))
  const many = (name: string) =>
    Promise.all(
      Array.from({ length: 200 }, (_, index) => life.submit(asked(`${name}-${index}`, (index % 2) + 1))),
    )

  const before = syncs()
  await many('one')
  expect(syncs() - before).toBeLessThanOrEqual(8)
  // The records of tasks and what the book is told of them are in one write.
  const last = store.writes.findLast(({ batch }) => batch.some(({ table }) => table === 'liveTasks'))
  expect(last?.batch.some(({ table }) => table === 'outbox')).toBe(true)

  for (const worker of [1, 2, 3, 4, 5, 6, 7, 8, 9]) await life.join(worker)
  const decided = syncs()
  const submitted = many('two')
  while ([...dispatcher.state().tasks.values()].some(({ status }) => !isEnded(status))) {
    const answers = [...dispatcher.state().deliveries.values()]
      .filter(({ state, worker }) => state === 'leased' && worker !== undefined)
      .map((delivery) => life.answer(delivery))
    if (answers.length === 0) break
    await Promise.all(answers)
  }
  await submitted
  await life.work()
  const tasks = 402
  expect(dispatcher.state().tasks.size).toBe(0)
  expect(syncs() - decided).toBeLessThan(tasks / 4)
  expect([bookkeeper.book.total(), payloads.answerBytes()]).toEqual([0n, 0] as never)
  await life.stop()
})
