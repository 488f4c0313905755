/** Commands about workers: all of them, or one by the beginning of its id. */
import type { WorkerOrder, WorkersView, WorkerView } from '@shardy/sdk'
import type { Call, Command } from '../command.ts'
import { Failure } from '../failure.ts'
import { bytes, count, credits, printable, rate, table } from '../wording.ts'

type Listed = WorkersView['workers'][number]

function nowOf({ connected, presence, draining, quarantined }: Listed | WorkerView): string {
  const states = [connected ? (presence ?? 'connected') : 'away']
  if (quarantined) states.push('quarantined')
  if (draining) states.push('draining')
  return states.join(', ')
}

export const workers: Command = {
  name: 'workers',
  summary: 'show the workers, what was measured of them, and what they have done',
  operands: [],
  options: {},
  more: 'OPS/S is what was measured: int8 multiply-adds a second, or for hosts without a GPU program byte steps (lite). IDLE names what\nkeeps a worker from work; `npx shardy worker show` says it in words.',
  example: 'workers',
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
      nowOf(worker),
      String(worker.measured?.tier ?? '-'),
      worker.measured === undefined ? '-' : measuredRate(worker.measured),
      printable(worker.executor ?? '-'),
      String(worker.inFlight),
      worker.idle === undefined ? '-' : inWords(printable(worker.idle)),
      String(worker.acceptedCount),
      String(worker.disagreedCount),
      credits(BigInt(worker.earnedMicroCredit)),
      printable(worker.adapter ?? '-'),
    ])
    const head = [
      'WORKER',
      'NOW',
      'TIER',
      'OPS/S',
      'ON',
      'BUSY',
      'IDLE',
      'ACCEPTED',
      'DISAGREED',
      'EARNED',
      'DEVICE',
    ]
    return { json: view, text: table([head, ...rows]) }
  },
}

/** `noTaskWaits` → `no task waits`. */
const inWords = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

const measuredRate = ({ chain, operationsPerSecond }: NonNullable<Listed['measured']>): string =>
  `${rate(operationsPerSecond)}${chain === 'lite' ? ' lite' : ''}`

const idPrefixMin = 8

/** The beginning of an id, as `workers` shows it, is enough where it fits one worker. */
async function idOf({ requester, operands: [word = ''] }: Call): Promise<string> {
  if (/^[0-9a-f]{64}$/.test(word)) return word
  if (!new RegExp(`^[0-9a-f]{${idPrefixMin},63}$`).test(word)) {
    throw new Failure(
      'usage',
      `'${word}' is no worker id; one has 64 characters 0-9 and a-f, of which the first ${idPrefixMin} may do`,
      { next: '`npx shardy workers` shows them.' },
    )
  }
  const { workers: all } = await requester.workers()
  const fitting = all.filter(({ workerId }) => workerId.startsWith(word))
  const [first] = fitting
  if (first !== undefined && fitting.length === 1) return first.workerId
  const found = fitting.length === 0 ? 'no worker has' : `${fitting.length} workers have`
  throw new Failure('usage', `${found} an id that begins with '${word}'`, {
    next: '`npx shardy workers --json` shows whole ids.',
  })
}

function describeWorker(worker: WorkerView): string {
  const { profile, standing, idle, inFlight, reputation, lockedMicroCredit } = worker
  const lines: (readonly [string, string])[] = [
    ['now', worker.banned ? `${nowOf(worker)}, banned` : nowOf(worker)],
    ['runs on', [worker.executor, worker.adapter, worker.agent].map((each) => each ?? '-').join(', ')],
  ]
  if (profile !== undefined) {
    const { tier, operationsPerSecond, hiddenPermille, memoryBytes, slots, kinds, features } = profile
    lines.push(
      ['tier', String(tier)],
      [
        'rate',
        `${rate(operationsPerSecond)} operations a second, ${hiddenPermille / 10} % of it in a hidden tab`,
      ],
      ['memory', `${bytes(memoryBytes)}, ${slots} at a time`],
      ['takes', `${kinds.join(', ')}${features.length === 0 ? '' : `, with ${features.join(', ')}`}`],
      ['says', `region ${profile.region || '-'}, operator ${profile.operator || '-'}`],
    )
  }
  lines.push(['busy', `${inFlight} in flight`])
  if (idle !== undefined) lines.push(['it is told', `${idle.text} (${idle.constraints.join(', ')})`])
  if (standing !== undefined) {
    const { accepted, disagreed, wrong, lost, rejected, corrupted, offences } = standing
    lines.push([
      'has done',
      `${accepted} accepted, ${disagreed} disagreed, ${wrong} wrong, ${lost} lost, ${rejected} rejected, ` +
        `${corrupted} corrupted; ${count(offences, 'offence')}`,
    ])
  }
  lines.push(
    ['reputation', `${reputation.toFixed(3)} (orders workers, and decides nothing else)`],
    ['may lose', `${credits(BigInt(lockedMicroCredit))} test credits`],
  )
  const shown = lines.map(([name, what]) => [`  ${name}`, printable(what)])
  return `Worker ${worker.workerId}\n${table(shown)}`
}

export const workerShow: Command = {
  name: 'worker show',
  summary: 'show one worker: what was measured, what it has to lose, and why it has nothing to do',
  operands: ['WORKER_ID'],
  options: {},
  example: 'worker show 0123456789ab',
  async run(call) {
    const view = await call.requester.worker(await idOf(call))
    return { json: view, text: describeWorker(view) }
  },
}

const ordered = (order: WorkerOrder, summary: string): Command => ({
  name: `worker ${order}`,
  summary,
  operands: ['WORKER_ID'],
  options: {},
  more: 'It takes a key that may operate dispatch, and is in the audit log.',
  example: `worker ${order} 0123456789ab`,
  async run(call) {
    const view = await call.operator.operateWorker(await idOf(call), order)
    return { json: view, text: describeWorker(view) }
  },
})

export const workerDrain = ordered('drain', 'give a connected worker nothing new; it finishes what it has')
export const workerUndrain = ordered('undrain', 'give a drained worker work again')
