/** Who works here, and whether all is well. */
import type { Health, WorkersView } from '@shardy/api'
import { explainIdle, type Standing, type Worker } from '@shardy/dispatch'
import type { WorkerId } from '@shardy/protocol'
import type { Services } from '../orchestrator.ts'
import type { Dispatcher } from '../tasks/dispatcher.ts'

const listedMax = 1_000
/** Each takes a look at everything that waits. */
const explainedMax = 64

type Listed = WorkersView['workers'][number]

/** A worker that is away is what its offences left it. */
export function isQuarantined(worker: Worker | undefined, standing: Standing | undefined): boolean {
  return worker?.quarantined ?? standing?.conduct.quarantine?.passedBenchmark === false
}

/** Those that are connected come first. Who was given nothing yet has no standing, and is listed all the same. */
export function viewWorkers({ bookkeeper, dispatcher, gateway }: Services): WorkersView {
  const { book } = bookkeeper
  const state = dispatcher.state()
  const { standings, workers } = state
  let explained = 0
  function whyIdle(worker: Worker | undefined): string | undefined {
    if (worker === undefined || worker.computing > 0 || explained === explainedMax) return undefined
    explained++
    return explainIdle(state, worker)?.constraints[0]?.constraint
  }
  function view(workerId: WorkerId): Listed {
    const worker = workers.get(workerId)
    const standing = standings.get(workerId)
    const idle = whyIdle(worker)
    return {
      workerId,
      connected: worker !== undefined,
      ...gateway.facts(workerId),
      ...(worker && { presence: worker.presence }),
      draining: worker?.draining ?? false,
      quarantined: isQuarantined(worker, standing),
      ...(idle !== undefined && { idle }),
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
