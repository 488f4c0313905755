/** Counts what dispatch decides and what commits cost. Series are bound once, so that an event costs an addition. */
import type { Effect } from '@shardy/dispatch'
import { endingOf, type Outcome, type TaskStatus } from '@shardy/protocol'
import type { Bookkeeper } from '../book/bookkeeper.ts'
import type { Clock } from '../clock.ts'
import type { Dispatcher } from '../tasks/dispatcher.ts'
import type { Counter } from './instruments.ts'
import type { Metrics } from './metrics.ts'
import { presences, tiers } from './metricTable.ts'

export interface DispatchFigures {
  performed(effects: readonly Effect[]): void
  written(operations: number, ms: number): void
}

export interface Counted {
  dispatcher(): Dispatcher
  readonly bookkeeper: Bookkeeper
}

type Ended = Exclude<TaskStatus, 'waiting' | 'running'>

export function createDispatchFigures(metrics: Metrics, clock: Clock, counted: Counted): DispatchFigures {
  const submitted = metrics.tasksSubmitted.bind({})
  const ended = new Map<TaskStatus, Counter>()
  const settled = new Map<Outcome, Counter>()
  const toDelivered = metrics.dispatch.bind({ stage: 'accepted_to_delivered' })
  const toVerdict = metrics.dispatch.bind({ stage: 'delivered_to_verdict' })
  const operationsWritten = metrics.commitOperations.bind({})
  const commitSeconds = metrics.commitSeconds.bind({})

  function endedAs(status: TaskStatus): Counter {
    let counter = ended.get(status)
    if (counter === undefined) {
      counter = metrics.tasksEnded.bind({ status: status as Ended })
      ended.set(status, counter)
    }
    return counter
  }

  function settledAs(outcome: Outcome): Counter {
    let counter = settled.get(outcome)
    if (counter === undefined) {
      counter = metrics.deliveries.bind({ outcome })
      settled.set(outcome, counter)
    }
    return counter
  }

  function published({ task, entry }: Extract<Effect, { readonly kind: 'publish' }>): void {
    const ending = endingOf(entry.type)
    if (entry.type === 'submitted') submitted.inc()
    else if (entry.type === 'delivered' && entry.attempt === 1) {
      toDelivered.observe((entry.atMs - task.spec.submittedAtMs) / 1000)
    } else if (ending !== undefined) {
      endedAs(ending).inc()
      const [first] = task.deliveries
      if (first !== undefined) toVerdict.observe((entry.atMs - first.leasedAtMs) / 1000)
    }
  }

  metrics.onScrape(() => {
    const dispatcher = counted.dispatcher()
    const state = dispatcher.state()
    metrics.queueDepth.bind({}).set(dispatcher.queued())
    const nowMs = clock.nowMs()
    let [waiting, running, oldestMs] = [0, 0, nowMs as number]
    for (const { status, spec } of state.tasks.values()) {
      if (status === 'running') running++
      else {
        waiting++
        if (spec.submittedAtMs < oldestMs) oldestMs = spec.submittedAtMs
      }
    }
    metrics.tasks.bind({ status: 'waiting' }).set(waiting)
    metrics.tasks.bind({ status: 'running' }).set(running)
    metrics.oldestWaiting.bind({}).set(waiting === 0 ? 0 : (nowMs - oldestMs) / 1000)
    const counts = new Map<string, number>()
    for (const { profile, presence } of state.workers.values()) {
      const tier = tiers.find((each) => each === String(profile.tier)) ?? 'none'
      const key = `${tier} ${presence}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    for (const tier of tiers) {
      for (const presence of presences) {
        metrics.workers.bind({ tier, presence }).set(counts.get(`${tier} ${presence}`) ?? 0)
      }
    }
    metrics.outboxEntries.bind({}).set(counted.bookkeeper.lag())
    metrics.bookTotal.bind({}).set(Number(counted.bookkeeper.book.total()))
  })

  return {
    performed(effects) {
      for (const effect of effects) {
        if (effect.kind === 'publish') published(effect)
        else if (effect.kind === 'settle') settledAs(effect.outcome).inc()
      }
    },
    written(operations, ms) {
      operationsWritten.observe(operations)
      commitSeconds.observe(ms / 1000)
    },
  }
}
