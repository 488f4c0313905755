/** Many workers that only connect: the handshake, a measured profile, and then heartbeats. */

import { createCpuExecutor } from '@shardy/compute'
import { generateIdentity } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import {
  connectWebSocket,
  createConstants,
  createWorker,
  fetchConstants,
  systemClock,
  type Worker,
  workerSocketUrl,
} from '@shardy/worker'
import { answerQuestions } from '../answering.ts'

const [url = '', countText = '1'] = process.argv.slice(2)
const count = Number(countText)
/** The orchestrator takes so many strangers at a time. */
const atOnce = 32
const executor = createCpuExecutor()
const workers: Worker[] = []
const isAdmitted = (worker: Worker): boolean => worker.getView().connection.kind === 'admitted'

async function add(): Promise<void> {
  const worker = createWorker(
    {
      connect: connectWebSocket(workerSocketUrl(url)),
      identity: await generateIdentity({ extractable: false }),
      sha256,
      executor,
      constants: createConstants(fetchConstants(url), sha256),
      clock: systemClock,
      random: (length) => crypto.getRandomValues(new Uint8Array(length)),
      log: () => {},
    },
    { agent: 'shardy-crowd/0.1.0', slots: 1, payloadBytesMax: 65_536, operationsPerSecond: 1_000_000_000 },
  )
  workers.push(worker)
  const admitted = new Promise<void>((resolve) => {
    const unsubscribe = worker.subscribe(() => {
      if (!isAdmitted(worker)) return
      unsubscribe()
      resolve()
    })
  })
  worker.start()
  await admitted
}

async function addMany(): Promise<void> {
  while (workers.length < count) await add()
}
void Promise.all(Array.from({ length: atOnce }, addMany))

answerQuestions((question) =>
  question === 'admitted' ? workers.filter(isAdmitted).length : 'unknown question',
)
