import type { Command } from '../command.ts'
import { count, duration, printable } from '../wording.ts'

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
