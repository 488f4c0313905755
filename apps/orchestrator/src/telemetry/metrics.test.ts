/** What a scraper is given, read back by a parser that knows the formats and not our writer. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseExposition } from '../../test/exposition.ts'
import { type Exposition, expositionFor } from './exposition.ts'
import { exponential, Histogram } from './instruments.ts'
import { createMetrics } from './metrics.ts'
import { type MetricDefinition, metricTable } from './metricTable.ts'

const definitions = Object.values(metricTable as Readonly<Record<string, MetricDefinition>>)
const expositions: readonly Exposition[] = ['prometheus', 'openmetrics']

describe('the table', () => {
  test('names each metric once, as Prometheus would', () => {
    expect(new Set(definitions.map(({ name }) => name)).size).toBe(definitions.length)
    for (const { name, help, unit, kind, buckets } of definitions) {
      expect(name).toMatch(/^(shardy|process)_[a-z][a-z0-9_]*[a-z0-9]$/)
      expect(name).not.toMatch(/_(total|count|sum|bucket)$/)
      expect(help).toMatch(/^[A-Z].*\.$/)
      if (unit !== undefined) expect(name).toEndWith(`_${unit}`)
      expect(buckets !== undefined).toBe(kind === 'histogram')
    }
  })

  test('bounds the number of series', () => {
    let series = 0
    for (const { labels = {}, buckets } of definitions) {
      const words = Object.values(labels)
      for (const each of words) expect(new Set(each).size).toBe(each.length)
      series += words.reduce((product, each) => product * each.length, 1) * ((buckets?.length ?? -2) + 3)
    }
    expect(series).toBeLessThan(3_000)
  })

  test('has no label that could hold an id', () => {
    for (const { labels = {} } of definitions) {
      for (const [name, words] of Object.entries(labels)) {
        expect(name).toMatch(/^[a-z]+$/)
        for (const word of words) expect(word).toMatch(/^[A-Za-z0-9_]{1,32}$/)
      }
    }
  })
})

for (const exposition of expositions) {
  const isOpen = exposition === 'openmetrics'
  describe(exposition, () => {
    test('every metric is there before anything was counted, unless it has many series', async () => {
      const families = parseExposition(await createMetrics().scrape(exposition), isOpen)
      expect(families.size).toBe(definitions.length)
      for (const { name, kind, help, unit, labels } of definitions) {
        const family = families.get(kind === 'counter' && !isOpen ? `${name}_total` : name)
        expect(family).toMatchObject({ type: kind, help })
        expect(family?.unit).toBe(isOpen ? unit : undefined)
        if (labels === undefined) expect(family?.samples.length).toBeGreaterThan(0)
      }
    })

    test('any values come back as they were', async () => {
      const value = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, 1e21, 1e-9, Number.MAX_VALUE))
      const seconds = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 30 })
      await fc.assert(
        fc.asyncProperty(value, fc.nat(), seconds, async (level, hits, latencies) => {
          const metrics = createMetrics()
          metrics.queueDepth.bind({}).set(level)
          metrics.deliveries.bind({ outcome: 'accepted' }).inc(hits)
          const histogram = metrics.dispatch.bind({ stage: 'delivered_to_verdict' })
          for (const each of latencies) histogram.observe(each)
          const families = parseExposition(await metrics.scrape(exposition), isOpen)
          const read = (family: string, name: string, labels: object) =>
            families
              .get(family)
              ?.samples.find((sample) => sample.name === name && Bun.deepEquals(sample.labels, labels))?.value
          expect(read('shardy_queue_depth', 'shardy_queue_depth', {})).toBe(level === 0 ? 0 : level)
          const deliveries = isOpen ? 'shardy_deliveries' : 'shardy_deliveries_total'
          expect(read(deliveries, 'shardy_deliveries_total', { outcome: 'accepted' })).toBe(hits)
          const stage = { stage: 'delivered_to_verdict' }
          expect(read('shardy_dispatch_seconds', 'shardy_dispatch_seconds_count', stage)).toBe(
            latencies.length,
          )
          const below = latencies.filter((each) => each <= 0.1).length
          const bucket = { ...stage, le: '0.1' }
          expect(read('shardy_dispatch_seconds', 'shardy_dispatch_seconds_bucket', bucket) ?? below).toBe(
            below,
          )
        }),
      )
    })
  })
}

test('one series is one instrument, and a word that is not in the list is a bug', () => {
  const metrics = createMetrics()
  const hidden = { tier: '2', presence: 'hidden' } as const
  expect(metrics.workers.bind(hidden)).toBe(metrics.workers.bind({ presence: 'hidden', tier: '2' }))
  expect(() => metrics.workers.bind({ tier: '9' as '1', presence: 'hidden' })).toThrow(/tier is '9'/)
  expect(() => metrics.workers.bind({ tier: '1' } as never)).toThrow(/presence is 'undefined'/)
})

test('figures are set before each scrape; one that fails is counted and hides no other', async () => {
  const failed: unknown[] = []
  const metrics = createMetrics((error) => failed.push(error))
  const depth = metrics.queueDepth.bind({})
  metrics.onScrape(() => {
    throw new Error('no figure')
  })
  const forget = metrics.onScrape(async () => depth.inc())
  expect(await metrics.scrape('prometheus')).toContain('\nshardy_queue_depth 1\n')
  forget()
  const text = await metrics.scrape('prometheus')
  expect(text).toContain('\nshardy_queue_depth 1\n')
  expect(text).toContain('\nshardy_scrape_failures_total 2\n')
  expect(failed).toHaveLength(2)
})

test('a histogram puts each value into the first bucket that holds it', () => {
  const histogram = new Histogram(exponential(1, 10, 3))
  for (const value of [0, 1, 1.5, 10, 100, 101, Number.NaN]) histogram.observe(value)
  expect([...histogram.counts]).toEqual([2, 2, 1, 2])
})

test('OpenMetrics is for who asks for it', () => {
  expect(expositionFor(null)).toBe('prometheus')
  expect(expositionFor('text/plain')).toBe('prometheus')
  expect(expositionFor('application/openmetrics-text;version=1.0.0,text/plain;q=0.5')).toBe('openmetrics')
})
