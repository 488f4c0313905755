import { describe, expect, test } from 'bun:test'
import type { DurationMs, TimeMs } from '@shardy/protocol'
import { campaignIdOf, startMs } from '../../test/identity.ts'
import type { CampaignEvent } from '../record.ts'
import {
  afterAttempt,
  defaultWebhookPolicy,
  newWebhook,
  type WebhookOutcome,
  webhookRecord,
} from './delivery.ts'

const eventOf = (name: string) =>
  ({ campaignId: campaignIdOf(name), sequence: 2, atMs: startMs }) as CampaignEvent
const answered = (status: number, retryAfterMs?: number): WebhookOutcome => ({
  kind: 'answered',
  status,
  retryAfterMs: retryAfterMs as DurationMs | undefined,
})
const failed: WebhookOutcome = { kind: 'failed', code: 'timeout' }
const { attemptsMax, retryMs, retryMsMax } = defaultWebhookPolicy

describe('a webhook on its way', () => {
  test('is due at once', () => {
    expect(newWebhook(eventOf('c'))).toMatchObject({ status: 'pending', attempts: 0, notBeforeMs: startMs })
  })

  for (const status of [200, 201, 204, 299]) {
    test(`is delivered with ${status}`, () => {
      expect(afterAttempt(newWebhook(eventOf('c')), answered(status), startMs)).toMatchObject({
        status: 'delivered',
        last: `HTTP ${status}`,
      })
    })
  }

  for (const outcome of [
    failed,
    ...[100, 301, 302, 307, 400, 401, 404, 429, 500, 503].map((each) => answered(each)),
  ]) {
    test(`is tried again after ${outcome.kind === 'failed' ? outcome.code : outcome.status}`, () => {
      const tried = afterAttempt(newWebhook(eventOf('c')), outcome, startMs)
      expect(tried).toMatchObject({ status: 'pending', attempts: 1 })
      expect(tried.notBeforeMs).toBeGreaterThanOrEqual(startMs + retryMs / 2)
      expect(tried.notBeforeMs).toBeLessThanOrEqual(startMs + retryMs)
    })
  }

  test('is dead when the receiver says that it is gone', () => {
    expect(afterAttempt(newWebhook(eventOf('c')), answered(410), startMs).status).toBe('dead')
  })

  test('waits longer each time, up to the most, and is dead after so many attempts', () => {
    let [record, atMs] = [newWebhook(eventOf('c')), startMs]
    for (let attempt = 1; attempt < attemptsMax; attempt++) {
      record = afterAttempt(record, failed, atMs)
      const wholeMs = Math.min(retryMs * 2 ** (attempt - 1), retryMsMax)
      expect(record.notBeforeMs - atMs).toBeGreaterThanOrEqual(wholeMs / 2)
      expect(record.notBeforeMs - atMs).toBeLessThanOrEqual(wholeMs)
      expect(record.status).toBe('pending')
      atMs = record.notBeforeMs
    }
    record = afterAttempt(record, failed, atMs)
    expect(record).toMatchObject({ status: 'dead', attempts: attemptsMax, last: 'timeout' })
    expect(afterAttempt(record, answered(200), atMs)).toBe(record)
  })

  test('waits as long as it was asked to, within reason', () => {
    const waitOf = (retryAfterMs: number) =>
      afterAttempt(newWebhook(eventOf('c')), answered(429, retryAfterMs), startMs).notBeforeMs - startMs
    expect(waitOf(60_000)).toBe(60_000)
    expect(waitOf(10 ** 12)).toBe(retryMsMax)
    expect(waitOf(-5)).toBeGreaterThanOrEqual(retryMs / 2)
  })

  test('is spread, and the same for the same event', () => {
    const waits = Array.from({ length: 50 }, (_, index) => {
      const again = () => afterAttempt(newWebhook(eventOf(`${index}`)), failed, startMs).notBeforeMs
      expect(again()).toBe(again())
      return again()
    })
    expect(new Set<TimeMs>(waits).size).toBeGreaterThan(40)
  })

  test('has one encoding', () => {
    const record = afterAttempt(newWebhook(eventOf('c')), answered(500), startMs)
    expect(webhookRecord.decode(webhookRecord.encode(record))).toEqual({ ok: true, value: record })
  })
})
