/** Who works here, and whether all is well. */
import type { Health, WorkersView } from '@shardy/api'
import type { StandingRecord } from '@shardy/dispatch'
import type { Services } from '../orchestrator.ts'

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

export function viewHealth(
  { dispatcher, orchestratorId, identity, clock, startedAtMs }: Services,
  about: { readonly version: string; readonly store: string },
): Health {
  const state = dispatcher.state()
  let running = 0
  for (const { status } of state.tasks.values()) if (status === 'running') running++
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
