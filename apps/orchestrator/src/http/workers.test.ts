import { expect, test } from 'bun:test'
import type { WorkersView } from '@shardy/api'
import { startTestNetwork } from '../../test/network.ts'

test('a worker that was given nothing yet is listed', async () => {
  const network = await startTestNetwork()
  const worker = await network.startWorker()
  const list = async (): Promise<WorkersView['workers']> =>
    ((await (await network.request('/v1/workers')).json()) as WorkersView).workers
  let workers = await list()
  // Its measured profile is on the way when it has been welcomed.
  while (workers.length === 0) workers = await list()
  expect(workers).toMatchObject([
    {
      workerId: worker.getView().workerId,
      connected: true,
      executor: 'cpu',
      presence: 'available',
      draining: false,
      quarantined: false,
      idle: 'noTaskWaits',
      inFlight: 0,
      acceptedCount: 0,
      earnedMicroCredit: '0',
    },
  ])
  await network.stop()
})
