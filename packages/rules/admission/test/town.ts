/**
 * Many workers on few machines, under a virtual clock: what admission comes to believe of each. A machine shares its speed between
 * the chains it computes, evenly or in the order that suits its owner.
 */
import type { WorkerId } from '@shardy/protocol'
import { type AdmissionPolicy, type Effect, type Input, nextDueMs, step } from '../src/index.ts'
import { openDesk, workerId } from './desk.ts'

export interface Machine {
  readonly operationsPerSecond: number
  readonly identities: number
  /** What its identities have in common for all to see. */
  readonly groups: readonly string[]
  readonly sharing: 'even' | 'oneByOne'
}

interface Chain {
  readonly benchmarkId: string
  readonly worker: WorkerId
  left: number
}

export interface Town {
  /** What admission counts on, worker by worker, machine by machine. */
  believed(): readonly (readonly number[])[]
  run(ms: number): void
}

export function openTown(
  machines: readonly Machine[],
  overrides: Partial<AdmissionPolicy>,
  seed: number,
): Town {
  const { state } = openDesk(overrides, seed)
  let atMs = 1_000_000
  const chains = machines.map((): Chain[] => [])
  const machineOf = new Map<WorkerId, number>()
  const identities: WorkerId[][] = []
  let next = 0
  for (const [index, machine] of machines.entries()) {
    identities.push(Array.from({ length: machine.identities }, () => workerId(next++)))
    for (const id of identities[index] ?? []) machineOf.set(id, index)
  }

  function follow(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'hold') say({ kind: 'quiet', workerId: effect.workerId, atMs })
      if (effect.kind === 'refuse') throw new Error(effect.message)
      if (effect.kind !== 'ask') continue
      const { workerId: worker, benchmarkId, plan } = effect
      chains[machineOf.get(worker) ?? 0]?.push({ worker, benchmarkId, left: plan.operations })
    }
  }

  function say(input: Input): void {
    follow(step(state, input))
  }

  const rateOf = (machine: number, place: number): number => {
    const { operationsPerSecond, sharing } = machines[machine] as Machine
    if (sharing === 'even') return operationsPerSecond / (chains[machine]?.length ?? 1)
    return place === 0 ? operationsPerSecond : 0
  }

  /** The next end of a chain, or what is due before it. */
  function advance(untilMs: number): void {
    let dueMs = Math.min(untilMs, nextDueMs(state) ?? untilMs)
    for (const [machine, running] of chains.entries()) {
      for (const [place, { left }] of running.entries()) {
        const rate = rateOf(machine, place)
        if (rate > 0) dueMs = Math.min(dueMs, atMs + Math.max(1, Math.ceil((left * 1_000) / rate)))
      }
    }
    const ended: Chain[] = []
    for (const [machine, running] of chains.entries()) {
      const rates = running.map((_, place) => rateOf(machine, place))
      for (const [place, chain] of running.entries())
        chain.left -= ((rates[place] ?? 0) * (dueMs - atMs)) / 1_000
      ended.push(...running.filter(({ left }) => left < 1))
      chains[machine] = running.filter(({ left }) => left >= 1)
    }
    atMs = dueMs
    for (const { worker, benchmarkId } of ended) {
      const about = { workerId: worker, benchmarkId, atMs }
      say({ ...about, kind: 'root', stableBytes: 2 ** 40 })
      say({ ...about, kind: 'opened', roundTripMs: 0 })
      say({ ...about, kind: 'judged', verdict: { kind: 'right' } })
    }
    say({ kind: 'tick', atMs })
  }

  const town: Town = {
    run(ms) {
      const untilMs = atMs + ms
      while (atMs < untilMs) advance(untilMs)
    },
    believed: () =>
      identities.map((each) =>
        each.map((id) => state.workers.get(id)?.measurement?.operationsPerSecond ?? 0),
      ),
  }
  // One after the other, as somebody would who wants to look like many.
  for (const [index, machine] of machines.entries()) {
    for (const id of identities[index] ?? []) {
      const likeness = { chain: 'product', device: 'gpu', groups: machine.groups } as const
      say({ kind: 'arrived', workerId: id, likeness, roundTripMs: 0, atMs })
      while (state.workers.get(id)?.measurement === undefined) town.run(100)
    }
  }
  return town
}
