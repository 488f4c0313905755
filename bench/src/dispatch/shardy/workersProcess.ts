/**
 * Real workers, as many as asked for, in one process: the session of `@shardy/worker` over real WebSockets, one CPU executor
 * for all of them. Counts what goes over the line.
 */
import { createCpuExecutor } from '@shardy/compute'
import { generateIdentity } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import {
  type Connect,
  connectWebSocket,
  createConstants,
  createWorker,
  fetchConstants,
  systemClock,
  workerSocketUrl,
} from '@shardy/worker'
import { createKeyLoader, createTaskProver, fetchProofFiles } from '@shardy/worker/proving'
import { answerQuestions } from '../answering.ts'

const [url = '', countText = '1'] = process.argv.slice(2)
const executor = createCpuExecutor()
const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
const prover = createTaskProver(createKeyLoader(fetchProofFiles(url), sha256), sha256)
let messages = 0

const counted =
  (connect: Connect): Connect =>
  (events) => {
    const socket = connect({
      ...events,
      onMessage(bytes) {
        messages++
        events.onMessage(bytes)
      },
    })
    return {
      ...socket,
      send(bytes) {
        messages++
        socket.send(bytes)
      },
      close: (cause) => socket.close(cause),
    }
  }

const workers = await Promise.all(
  Array.from({ length: Number(countText) }, async () =>
    createWorker(
      {
        connect: counted(connectWebSocket(workerSocketUrl(url))),
        identity: await generateIdentity({ extractable: false }),
        sha256,
        executor,
        constants: createConstants(fetchConstants(url), sha256),
        prover,
        clock: systemClock,
        random,
        log: () => {},
      },
      {
        agent: 'shardy-bench/0.1.0',
        slots: 4,
        payloadBytesMax: 1024 * 1024,
        operationsPerSecond: 2_000_000_000,
        // Without it a worker gets no task that asks for memory.
        stableBytes: 256 * 1024 * 1024,
        offer: { prefetch: 1024 },
      },
    ),
  ),
)
for (const worker of workers) worker.start()

answerQuestions((question) => {
  if (question === 'messages') return messages
  if (question === 'admitted') {
    return workers.filter((worker) => worker.getView().connection.kind === 'admitted').length
  }
  return 'unknown question'
})
