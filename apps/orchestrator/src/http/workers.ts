/** Who works here, and whether all is well. */
import type { Health, WorkersView } from '@shardy/api'
import type { StandingRecord } from '@shardy/dispatch'
import type { Services } from '../orchestrator.ts'
import type { Dispatcher } from '../tasks/dispatcher.ts'

const listedMax = 1_000

/** Those that are connected come first. */
export function viewWorkers({ dispatcher, gateway }: Services): WorkersView {
  const { standings, workers } = dispatcher.state()
  function* inOrder(): Generator<StandingRecord> {
    for (const { workerId } of workers.values()) {
      const standing = standings.get(workerId)
      if (standing !== undefined) yield standing
    }
    for (const standing of standings.values()) if (!workers.has(standing.workerId)) yield standing
  }
  const listed: WorkersView['workers'] = []
  for (const { workerId, acceptedCount, disagreedCount, earnedMicroCredit } of inOrder()) {
    if (listed.length === listedMax) break
    const worker = workers.get(workerId)
    listed.push({
      workerId,
      connected: worker !== undefined,
      ...gateway.facts(workerId),
      ...(worker && { presence: worker.presence }),
      inFlight: worker?.held.size ?? 0,
      acceptedCount,
      disagreedCount,
      earnedMicroCredit: String(earnedMicroCredit),
    })
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
  }
}
