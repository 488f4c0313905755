/** Commands about the network rather than a task. */
import type { Command } from '../command.ts'
import { count, credits, duration, printable, table } from '../wording.ts'

export const workers: Command = {
  name: 'workers',
  summary: 'show the workers and what they have done',
  operands: [],
  options: {},
  async run({ requester }) {
    const view = await requester.workers()
    if (view.workers.length === 0) {
      return {
        json: view,
        text: 'No worker has come yet. Open the worker page in a browser, or `npm start -- --providers 2`.',
      }
    }
    const rows = view.workers.map((worker) => [
      worker.workerId.slice(0, 12),
      worker.connected ? (worker.presence ?? 'connected') : 'away',
      printable(worker.executor ?? '-'),
      String(worker.inFlight),
      String(worker.acceptedCount),
      String(worker.disagreedCount),
      credits(BigInt(worker.earnedMicroCredit)),
      printable(worker.adapter ?? '-'),
    ])
    const head = ['WORKER', 'NOW', 'ON', 'BUSY', 'ACCEPTED', 'DISAGREED', 'EARNED', 'DEVICE']
    return { json: view, text: table([head, ...rows]) }
  },
}

export const health: Command = {
  name: 'health',
  summary: 'show whether the orchestrator works, and who it is',
  operands: [],
  options: {},
  async run({ requester }) {
    const view = await requester.health()
    const { version, orchestratorId, workers: connected, tasks, uptimeMs, store } = view
    const lines = [
      `The orchestrator is up for ${duration(uptimeMs)} (version ${printable(version)}, store ${printable(store)}).`,
      `  id       ${orchestratorId}`,
      `  workers  ${count(connected, 'worker')} connected`,
      `  tasks    ${tasks.running} running, ${tasks.waiting} waiting`,
    ]
    return { json: view, text: lines.join('\n') }
  },
}
