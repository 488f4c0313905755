/**
 * Metrics as text: Prometheus' format 0.0.4, or OpenMetrics 1.0 for who asks for it. They differ in where `_total`
 * stands, in the unit's line and in the end mark.
 */
import { Counter, type Gauge, Histogram } from './instruments.ts'
import type { MetricDefinition } from './metricTable.ts'

export type Exposition = 'prometheus' | 'openmetrics'

export const contentTypes: Readonly<Record<Exposition, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

export interface Family {
  readonly definition: MetricDefinition
  readonly children: readonly {
    readonly labels: readonly (readonly [string, string])[]
    readonly instrument: Counter | Gauge | Histogram
  }[]
}

/** What a scraper asks for by its Accept header. Anything else gets the older form, which all of them read. */
export function expositionFor(accept: string | null): Exposition {
  return accept?.includes('application/openmetrics-text') === true ? 'openmetrics' : 'prometheus'
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')

function labelText(labels: readonly (readonly [string, string])[]): string {
  if (labels.length === 0) return ''
  return `{${labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(',')}}`
}

function samplesOf({ definition, children }: Family): readonly string[] {
  const { name } = definition
  return children.flatMap(({ labels, instrument }) => {
    if (!(instrument instanceof Histogram)) {
      const suffix = instrument instanceof Counter ? '_total' : ''
      return [`${name}${suffix}${labelText(labels)} ${numberText(instrument.value)}`]
    }
    const { bounds, counts, sum } = instrument
    let total = 0
    const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound, index) => {
      total += counts[index] ?? 0
      return `${name}_bucket${labelText([...labels, ['le', numberText(bound)]])} ${total}`
    })
    const own = labelText(labels)
    return [...buckets, `${name}_sum${own} ${numberText(sum)}`, `${name}_count${own} ${total}`]
  })
}

export function render(families: readonly Family[], exposition: Exposition): string {
  const isOpen = exposition === 'openmetrics'
  const lines = families.flatMap((family) => {
    const { kind, name, help, unit } = family.definition
    const told = kind === 'counter' && !isOpen ? `${name}_total` : name
    return [
      // Within help a quotation mark stands for itself in the older form.
      `# HELP ${told} ${isOpen ? escaped(help) : help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${told} ${kind}`,
      ...(isOpen && unit !== undefined ? [`# UNIT ${told} ${unit}`] : []),
      ...samplesOf(family),
    ]
  })
  return `${[...lines, ...(isOpen ? ['# EOF'] : [])].join('\n')}\n`
}
