import { expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openBlobStore, openStore, restoreStore, verifyBackup } from '@shardy/storage'
import { digestOf, example, finish, problemOf, randomBytes, submit, taskOf } from '../../test/example.ts'
import { blobBytesMax, startTestNetwork } from '../../test/network.ts'
import { schemaVersion, tables } from '../tables.ts'

test('a backup is made while work goes on, is audited, and is restored as an orchestrator that has it all', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'shardy-backup-'))
  const network = await startTestNetwork()
  try {
    await network.startWorker()
    const small = await submit(network, example({ rewardMicroCredit: '1000' }).submission)
    const large = await submit(network, example({}, [160, 5, 160]).submission)
    for (const { taskId } of [small, large]) expect((await finish(network, taskId)).status).toBe('verified')
    const kept = randomBytes(5_000)
    await network.request(`/v1/blobs/${digestOf(kept)}`, { method: 'PUT', body: kept })

    const taking = network.request('/v1/backup')
    const during = submit(network)
    const file = path.join(folder, 'backup')
    await Bun.write(file, await taking)
    const { header, blobs: blobCount } = await verifyBackup(
      Bun.file(file).stream() as unknown as AsyncIterable<Uint8Array>,
    )
    expect([header.schemaVersion, blobCount >= 2]).toEqual([schemaVersion, true])
    await during
    const { records } = (await (await network.request('/v1/audit')).json()) as {
      readonly records: readonly { readonly action: string; readonly actor?: string }[]
    }
    expect(records.filter(({ action }) => action === 'backupTaken')).toHaveLength(1)

    const blobs = await openBlobStore({ kind: 'memory', blobBytesMax })
    const store = path.join(folder, 'store')
    await restoreStore(Bun.file(file).stream() as unknown as AsyncIterable<Uint8Array>, {
      kind: 'sqlite',
      path: store,
      blobs,
    })
    const opened = await openStore({ kind: 'sqlite', path: store, tables, schemaVersion })
    const restored = await startTestNetwork({ store: opened, blobs })
    const { apiKey } = network
    for (const { taskId } of [small, large]) {
      const call = { apiKey }
      const task = (await (await restored.request(`/v1/tasks/${taskId}`, call)).json()) as {
        readonly status: string
      }
      expect(task.status).toBe('verified')
      const [one, other] = await Promise.all(
        [network, restored].map(async (each) =>
          (await each.request(`/v1/tasks/${taskId}/output`, call)).bytes(),
        ),
      )
      expect(one).toEqual(other as Uint8Array<ArrayBuffer>)
    }
    expect((await restored.request(`/v1/blobs/${digestOf(kept)}`, { apiKey })).status).toBe(200)
    const { book } = restored.orchestrator.services.bookkeeper
    expect(book.total()).toBe(0n)
    await restored.stop()
    await opened.close()
  } finally {
    await network.stop()
    await rm(folder, { recursive: true, force: true })
  }
})

test('no blob is collected while a backup may still read it, and the next is told to wait', async () => {
  const network = await startTestNetwork({ blobPolicy: { graceMs: 0 } })
  const { keeper } = network.orchestrator.services
  const stray = randomBytes(3_000)
  await network.request(`/v1/blobs/${digestOf(stray)}`, { method: 'PUT', body: stray })
  // Much more than fits into the buffers between here and there.
  for (let index = 0; index < 24; index++) await network.blobs.putUnknown(randomBytes(1_000_000))
  const response = await network.request('/v1/backup')
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  await reader.read()
  await Bun.sleep(5)
  expect(await keeper.collect(new Set())).toBe(0)
  const second = await network.request('/v1/backup')
  expect(await problemOf(second)).toMatchObject({ code: 'overloaded', retryAfterMs: 60_000 })
  while (!(await reader.read()).done);
  await Bun.sleep(20)
  expect(await keeper.collect(new Set())).toBeGreaterThan(0)
  await network.stop()
})

test('an orchestrator without a log says so, and a part of a position is none', async () => {
  const network = await startTestNetwork()
  for (const call of [
    network.request('/v1/log'),
    network.request('/v1/log/fence', { json: { epoch: 9 } }),
    network.request('/v1/log/acknowledge', { json: { epoch: 1, sequence: 1, chain: 'ab'.repeat(32) } }),
  ]) {
    expect(await problemOf(await call)).toMatchObject({ status: 409, code: 'noLog' })
  }
  const hostile = [{ epoch: -1 }, { epoch: 2 ** 32 }, { epoch: '1' }, {}, { epoch: 1, more: 1 }]
  for (const json of hostile) {
    expect((await network.request('/v1/log/fence', { json })).status).toBe(422)
  }
  expect((await network.request('/v1/log?sequence=x')).status).toBe(422)
  const [task] = [await submit(network)]
  expect((await taskOf(network, task.taskId)).status).toBe('waiting')
  await network.stop()
})
