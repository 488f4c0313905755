/** Who works here: everybody with a standing, connected or not. */
import type { Health, WorkersView } from '@shardy/api'
import type { Services } from '../orchestrator.ts'

const listedMax = 1_000

export function viewWorkers({ dispatcher, gateway }: Services): WorkersView {
  const state = dispatcher.state()
  const workers: WorkersView['workers'] = []
  for (const standing of state.standings.values()) {
    if (workers.length === listedMax) break
    const { workerId, acceptedCount, disagreedCount, earnedMicroCredit } = standing
    const worker = state.workers.get(workerId)
    workers.push({
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
  return { workers }
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
