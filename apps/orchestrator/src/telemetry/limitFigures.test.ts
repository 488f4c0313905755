import { expect, test } from 'bun:test'
import { createManualClock } from '../../test/manualClock.ts'
import { createLimits, defaultLimits } from '../access/limits.ts'
import { countRefusals } from './limitFigures.ts'
import { createMetrics } from './metrics.ts'

test('a refusal is counted by what was over its limit, and thrown as it was', async () => {
  const metrics = createMetrics()
  const one = { perSecond: 1, burst: 1 }
  const config = { ...defaultLimits, 'read.key': one, 'open.address': one }
  const limits = countRefusals(createLimits(config, createManualClock()), metrics)
  limits.take('read.key', 'k', 1)
  for (let round = 0; round < 2; round++) expect(() => limits.take('read.key', 'k', 1)).toThrow(/read\.key/)
  limits.take('open.address', 'a', 1)
  expect(() => limits.take('open.address', 'a', 1)).toThrow(/open\.address/)
  const text = await metrics.scrape('prometheus')
  expect(text).toContain('shardy_rate_limited_requests_total{limit="key"} 2\n')
  expect(text).toContain('shardy_rate_limited_requests_total{limit="address"} 1\n')
})
