/**
 * The metrics of one orchestrator: an instrument for each series of the table, made when it is first asked for. Who
 * counts binds its series once and keeps it; who has figures rather than events sets gauges before each scrape.
 */
import { type Exposition, type Family, render } from './exposition.ts'
import { Counter, Gauge, Histogram } from './instruments.ts'
import { type MetricDefinition, metricTable } from './metricTable.ts'

type Table = typeof metricTable
type Instruments = { readonly counter: Counter; readonly gauge: Gauge; readonly histogram: Histogram }
type LabelsOf<D> = D extends { readonly labels: infer L extends Readonly<Record<string, readonly string[]>> }
  ? { readonly [Name in keyof L]: L[Name][number] }
  : Readonly<Record<string, never>>

export interface Series<D extends MetricDefinition> {
  /** The same instrument for the same words. Not for hot paths: bind it beforehand. */
  bind(labels: LabelsOf<D>): Instruments[D['kind']]
}

export type Metrics = { readonly [Name in keyof Table]: Series<Table[Name]> } & {
  /** Called before each scrape, to set gauges. The returned function takes it back. */
  onScrape(collect: () => void | Promise<void>): () => void
  scrape(exposition: Exposition): Promise<string>
}

function familyOf(definition: MetricDefinition): Family & Series<MetricDefinition> {
  const { kind, labels = {}, buckets = [] } = definition
  const names = Object.keys(labels)
  const children = new Map<string, Family['children'][number]>()
  const make = (): Counter | Gauge | Histogram => {
    if (kind === 'histogram') return new Histogram(buckets)
    return kind === 'counter' ? new Counter() : new Gauge()
  }
  function bind(given: Readonly<Record<string, string>>): Counter & Gauge & Histogram {
    const words = names.map((name) => {
      const word = given[name]
      if (word !== undefined && labels[name]?.includes(word)) return word
      throw new RangeError(`${definition.name}: ${name} is '${word}', not one of ${labels[name]?.join(', ')}`)
    })
    const key = words.join('\n')
    const known = children.get(key)
    if (known !== undefined) return known.instrument as Counter & Gauge & Histogram
    const instrument = make()
    children.set(key, { labels: words.map((word, index) => [names[index] ?? '', word]), instrument })
    return instrument as Counter & Gauge & Histogram
  }
  // A series that is missing until something happens cannot be told from one that nobody exports.
  if (names.length === 0) bind({})
  const [only, ...more] = names
  if (only !== undefined && more.length === 0 && (labels[only]?.length ?? 0) <= seriesShownMax) {
    for (const word of labels[only] ?? []) bind({ [only]: word })
  }
  return {
    definition,
    bind,
    get children() {
      return [...children.values()]
    },
  }
}

/** Families of more than so many series show those alone that were counted. */
const seriesShownMax = 10

export function createMetrics(failed: (error: unknown) => void = () => {}): Metrics {
  const families = Object.entries(metricTable).map(
    ([name, definition]) => [name, familyOf(definition)] as const,
  )
  const collectors = new Set<() => void | Promise<void>>()
  const series = Object.fromEntries(families) as unknown as Omit<Metrics, 'onScrape' | 'scrape'>
  const failures = series.scrapeFailures.bind({})
  return {
    ...series,
    onScrape(collect) {
      collectors.add(collect)
      return () => void collectors.delete(collect)
    },
    async scrape(exposition) {
      for (const collect of [...collectors]) {
        // One figure that cannot be read must not hide all others.
        try {
          await collect()
        } catch (error) {
          failures.inc()
          failed(error)
        }
      }
      return render(
        families.map(([, family]) => family),
        exposition,
      )
    },
  }
}
