/** Who works here, and whether all is well. */
import type { Health, WorkersView } from '@shardy/api'
import type { WorkerId } from '@shardy/protocol'
import type { Services } from '../orchestrator.ts'
import type { Dispatcher } from '../tasks/dispatcher.ts'

const listedMax = 1_000

type Listed = WorkersView['workers'][number]

/** Those that are connected come first. Who was given nothing yet has no standing, and is listed all the same. */
export function viewWorkers({ bookkeeper, dispatcher, gateway }: Services): WorkersView {
  const { book } = bookkeeper
  const { standings, workers } = dispatcher.state()
  function view(workerId: WorkerId): Listed {
    const worker = workers.get(workerId)
    const standing = standings.get(workerId)
    return {
      workerId,
      connected: worker !== undefined,
      ...gateway.facts(workerId),
      ...(worker && { presence: worker.presence }),
      inFlight: worker?.held.size ?? 0,
      acceptedCount: standing?.acceptedCount ?? 0,
      disagreedCount: standing?.disagreedCount ?? 0,
      earnedMicroCredit: String(book.slashable(workerId)),
    }
  }
  const listed: Listed[] = []
  for (const { workerId } of workers.values()) {
    if (listed.length === listedMax) break
    listed.push(view(workerId))
  }
  for (const { workerId } of standings.values()) {
    if (listed.length === listedMax) break
    if (!workers.has(workerId)) listed.push(view(workerId))
  }
  return { workers: listed }
}

/** Anyone may ask for the health, so all tasks are counted at most once a second, however often it is asked for. */
const countedForMs = 1_000
const counts = new WeakMap<Dispatcher, { readonly atMs: number; readonly running: number }>()

function countRunning({ dispatcher, clock }: Services): number {
  const nowMs = clock.nowMs()
  const counted = counts.get(dispatcher)
  if (counted !== undefined && Math.abs(nowMs - counted.atMs) < countedForMs) return counted.running
  let running = 0
  for (const { status } of dispatcher.state().tasks.values()) if (status === 'running') running++
  counts.set(dispatcher, { atMs: nowMs, running })
  return running
}

export function viewHealth(
  services: Services,
  about: { readonly version: string; readonly store: string },
): Health {
  const { dispatcher, orchestratorId, identity, clock, startedAtMs } = services
  const state = dispatcher.state()
  const running = Math.min(countRunning(services), state.tasks.size)
  return {
    status: 'ok',
    version: about.version,
    orchestratorId,
    publicKey: identity.publicKey.toBase64(),
    workers: state.workers.size,
    tasks: { waiting: state.tasks.size - running, running },
    uptimeMs: clock.nowMs() - startedAtMs,
    store: about.store,
    space: services.space.state,
  }
}
