/**
 * Our own figures: tasks a second from request to verdict, durable at both ends, every result checked; what a task costs the
 * orchestrator in CPU and messages; how long one waits at half that load; and what an idle worker holds in memory.
 */
import path from 'node:path'
import { checked, type ProofKind, quorum, type VerifyPolicy } from '@shardy/protocol'
import { type Figure, median } from '../figure.ts'
import type { Running } from '../stage.ts'
import { cpuMicros, residentBytes } from '../usage.ts'
import { smallTasks } from './load.ts'
import { type Network, openNetwork, until } from './network.ts'

const workerCount = 4
const batch = 1_000
/** Enough to keep everybody busy, and no more than a moment's work. */
const liveMax = 8_000
const warmTasks = 20_000

interface Terms {
  readonly verify: VerifyPolicy
  readonly proof: ProofKind
}

export interface Flow {
  readonly perSecond: number
  readonly cpuMicrosPerTask: number
  readonly messagesPerTask: number
}

const endedName = 'shardy_tasks_ended_total'

/** Submits until `count` have ended, with a bounded number under way and two requests at a time. */
async function pump(network: Network, count: number, terms: Terms): Promise<void> {
  const before = await network.metric(endedName)
  let sent = 0
  let ended = 0
  const submitting = async (): Promise<void> => {
    while (sent < count) {
      if (sent - ended >= liveMax) {
        await Bun.sleep(10)
        continue
      }
      const tasks = smallTasks(Math.min(batch, count - sent))
      sent += tasks.length
      await submitAll(network, tasks, terms)
    }
  }
  const watching = async (): Promise<void> => {
    while (ended < count) {
      // Asking costs the orchestrator a few milliseconds each time.
      await Bun.sleep(250)
      ended = (await network.metric(endedName)) - before
    }
  }
  await Promise.all([submitting(), submitting(), watching()])
}

async function submitAll(
  { requester }: Network,
  tasks: ReturnType<typeof smallTasks>,
  terms: Terms,
): Promise<void> {
  const outcomes = await requester.submitMany(tasks, { ...terms, timeoutMs: 120_000 })
  const refused = outcomes.find((outcome) => !outcome.ok)
  if (refused !== undefined && !refused.ok)
    throw new Error(`a task was refused: ${refused.code}: ${refused.detail}`)
}

async function measureFlow(terms: Terms, count: number, warm = warmTasks): Promise<Flow> {
  const network = await openNetwork()
  try {
    const workers = await network.startWorkers(workerCount)
    await pump(network, warm, terms)
    const [cpuBefore, messagesBefore] = [
      cpuMicros(network.orchestrator.pid),
      Number(await workers.ask('messages')),
    ]
    const verifiedBefore = await network.metric(endedName, 'status="verified"')
    const startMs = performance.now()
    await pump(network, count, terms)
    const seconds = (performance.now() - startMs) / 1_000
    const verified = (await network.metric(endedName, 'status="verified"')) - verifiedBefore
    if (verified !== count) throw new Error(`${verified} of ${count} tasks were verified`)
    const total = await network.metric('shardy_book_total_microcredits')
    if (total !== 0) throw new Error(`the book's sum is ${total}`)
    return {
      perSecond: count / seconds,
      cpuMicrosPerTask: (cpuMicros(network.orchestrator.pid) - cpuBefore) / count,
      messagesPerTask: (Number(await workers.ask('messages')) - messagesBefore) / count,
    }
  } finally {
    await network.close()
  }
}

/** Checked, and each with a proof of kind v2 that its worker made on the same cores and verified before it sent it. */
export function measureProven(): Promise<Flow> {
  return measureFlow({ verify: checked, proof: 'v2' }, 6_000, 2_000)
}

/** From the beginning of the request until its requester hears the verdict, one task in flight for every tick of a steady rate. */
async function measureLatency(perSecond: number): Promise<{ readonly p50: number; readonly p99: number }> {
  const network = await openNetwork()
  try {
    await network.startWorkers(workerCount)
    await pump(network, warmTasks, { verify: checked, proof: 'none' })
    const sentMs = new Map<string, number>()
    const heardMs = new Map<string, number>()
    const stop = new AbortController()
    const following = (async () => {
      const options = { types: ['task_verified'], live: true, signal: stop.signal } as const
      for await (const event of network.requester.events(options)) {
        if ('taskId' in event && event.taskId !== undefined) heardMs.set(event.taskId, performance.now())
      }
    })().catch(() => {})
    const tickMs = 10
    const perTick = Math.max(1, Math.round((perSecond * tickMs) / 1_000))
    const inFlight: Promise<void>[] = []
    const ticks = Math.round(latencyMs / tickMs)
    const startMs = performance.now()
    for (let tick = 0; tick < ticks; tick++) {
      const tasks = smallTasks(perTick)
      // When it was due: a sender that is late must not make the others' waiting look shorter.
      const atMs = startMs + tick * tickMs
      inFlight.push(
        network.requester.submitMany(tasks, { verify: checked, proof: 'none' }).then((outcomes) => {
          for (const outcome of outcomes) if (outcome.ok) sentMs.set(outcome.taskId, atMs)
        }),
      )
      await Bun.sleep(Math.max(0, startMs + (tick + 1) * tickMs - performance.now()))
    }
    await Promise.all(inFlight)
    await until(
      async () => [...sentMs.keys()].every((taskId) => heardMs.has(taskId)),
      'all verdicts are heard',
    )
    stop.abort()
    await following
    const waits = [...sentMs].map(([taskId, atMs]) => (heardMs.get(taskId) ?? 0) - atMs).sort((a, b) => a - b)
    const at = (part: number): number => waits[Math.floor(part * (waits.length - 1))] ?? 0
    return { p50: at(0.5), p99: at(0.99) }
  } finally {
    await network.close()
  }
}

const latencyMs = 5_000

/** Admitted by a benchmark that takes a moment, since ten thousand real ones would keep these cores busy for an hour. */
const crowdPolicy = path.join(import.meta.dir, 'crowdPolicy.json')
/** They bring in code, threads and buffers that belong to no worker. */
const firstFew = 500
const settleMs = 15_000
const crowdMs = 300_000

/** What one more worker holds that is connected, admitted and beats. */
async function measureIdle(count: number): Promise<number> {
  const network = await openNetwork({ SHARDY_POLICY: crowdPolicy })
  const crowds: Running[] = []
  const admitted = async (): Promise<number> => {
    const counts = await Promise.all(crowds.map((crowd) => crowd.ask('admitted')))
    return counts.reduce((sum, each) => sum + Number(each), 0)
  }
  let wanted = 0
  const grow = async (by: number): Promise<number> => {
    wanted += by
    crowds.push(await network.startFile('crowdProcess.ts', network.url, String(by)))
    await until(async () => (await admitted()) === wanted, 'the crowd is admitted', crowdMs)
    // What admission left behind is collected and given back.
    await Bun.sleep(settleMs)
    const stayed = await admitted()
    if (stayed !== wanted) throw new Error(`${stayed} of ${wanted} workers are still connected`)
    return residentBytes(network.orchestrator.pid)
  }
  try {
    const before = await grow(firstFew)
    return ((await grow(count - firstFew)) - before) / (count - firstFew)
  } finally {
    await network.close()
  }
}

export async function shardyFigures(
  rounds: number,
  progress: (text: string) => void,
): Promise<readonly Figure[]> {
  const one: Flow[] = []
  const three: Flow[] = []
  const proven: Flow[] = []
  for (let round = 1; round <= rounds; round++) {
    progress(`round ${round} of ${rounds}: checked tasks`)
    one.push(await measureFlow({ verify: checked, proof: 'none' }, 60_000))
    progress(`round ${round} of ${rounds}: quorum(3,3) tasks`)
    three.push(await measureFlow({ verify: quorum(3, 3), proof: 'none' }, 24_000))
    progress(`round ${round} of ${rounds}: proven tasks`)
    proven.push(await measureProven())
  }
  const of = (flows: readonly Flow[], name: keyof Flow): number => median(flows.map((flow) => flow[name]))
  const perSecond = of(one, 'perSecond')
  progress('waiting times at half that load')
  const { p50, p99 } = await measureLatency(perSecond / 2)
  progress('memory of idle workers')
  const idle = await measureIdle(10_000)
  return [
    { name: 'verifiedTasksPerSecond', value: perSecond, unit: '/s' },
    { name: 'verifiedTasksPerSecondR3', value: of(three, 'perSecond'), unit: '/s' },
    { name: 'provenTasksPerSecond', value: of(proven, 'perSecond'), unit: '/s' },
    { name: 'dispatchP50Ms', value: p50, unit: 'ms' },
    { name: 'dispatchP99Ms', value: p99, unit: 'ms' },
    { name: 'cpuMicrosPerTask', value: of(one, 'cpuMicrosPerTask'), unit: 'µs' },
    { name: 'cpuMicrosPerTaskR3', value: of(three, 'cpuMicrosPerTask'), unit: 'µs' },
    { name: 'cpuMicrosPerTaskProven', value: of(proven, 'cpuMicrosPerTask'), unit: 'µs' },
    { name: 'messagesPerTask', value: of(one, 'messagesPerTask'), unit: '' },
    { name: 'rssPerIdleWorkerBytes', value: idle, unit: 'B' },
  ]
}
