/** Counts answers by route and status. Series are bound before the first request, so that one costs two additions. */
import { orchestratorRoutes, type Route } from '@shardy/api'
import type { Counter, Histogram } from './instruments.ts'
import type { Metrics } from './metrics.ts'
import { httpRoutes, httpStatuses } from './metricTable.ts'

export type HttpFigures = (route: Route | undefined, status: number, seconds: number) => void

interface RouteFigures {
  readonly seconds: Histogram
  readonly byStatus: Map<number, Counter>
}

export function createHttpFigures(metrics: Metrics): HttpFigures {
  const names = new Map<Route, string>(
    Object.entries(orchestratorRoutes).map(([name, route]) => [route, name]),
  )
  const figures = new Map<string, RouteFigures>()
  for (const route of httpRoutes) {
    figures.set(route, { seconds: metrics.httpSeconds.bind({ route }), byStatus: new Map() })
  }
  return (route, status, seconds) => {
    const name = (route && names.get(route)) ?? 'other'
    const of = figures.get(name)
    if (of === undefined) return
    of.seconds.observe(seconds)
    const known = of.byStatus.get(status)
    const word = String(status)
    const counter =
      known ??
      metrics.httpRequests.bind({ route: name, status: httpStatuses.includes(word) ? word : 'other' })
    if (known === undefined) of.byStatus.set(status, counter)
    counter.inc()
  }
}
