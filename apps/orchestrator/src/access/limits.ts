/**
 * How much of what a key and an address may ask for in a time. A limit is named `class.of`: what is counted, and per
 * what. The numbers protect the orchestrator; they are no fair share.
 */
import { ApiError } from '@shardy/api'
import type { Clock } from '../clock.ts'
import type { Limit } from './bucket.ts'
import { type Buckets, createBuckets } from './buckets.ts'

/** Each with what one of it is called. */
export const limitClasses = {
  /** Tasks: a batch of n counts n. */
  submit: 'tasks',
  /** Every other request. */
  read: 'requests',
  /** Bytes of blobs and outputs, both ways. */
  blobBytes: 'bytes',
  /** Workers' connections, before their handshake. */
  open: 'connections',
} as const
export type LimitClass = keyof typeof limitClasses
export type LimitedBy = 'key' | 'address'
export type LimitName = `${Exclude<LimitClass, 'open'>}.${LimitedBy}` | 'open.address'

const mebibyte = 1024 * 1024

/** `undefined` switches a limit off. */
export type LimitConfig = Readonly<Record<LimitName, Limit | undefined>>

export const defaultLimits: LimitConfig = {
  'submit.key': { perSecond: 20_000, burst: 100_000 },
  'submit.address': { perSecond: 20_000, burst: 100_000 },
  'read.key': { perSecond: 10_000, burst: 40_000 },
  'read.address': { perSecond: 10_000, burst: 40_000 },
  'blobBytes.key': { perSecond: 256 * mebibyte, burst: 4096 * mebibyte },
  'blobBytes.address': { perSecond: 256 * mebibyte, burst: 4096 * mebibyte },
  'open.address': { perSecond: 200, burst: 2_000 },
}

export const limitNames = Object.keys(defaultLimits) as readonly LimitName[]

/** Keys or addresses remembered for each limit. */
const bucketsMax = 10_000

export interface Limits {
  /** Throws the problem that the requester is told, having taken nothing. */
  take(name: LimitName, who: string, amount: number): void
  /** Counts what could not be known before. */
  charge(name: LimitName, who: string, amount: number): void
}

export function createLimits(config: LimitConfig, clock: Clock): Limits {
  const all = new Map<LimitName, { readonly limit: Limit; readonly buckets: Buckets }>()
  for (const name of limitNames) {
    const limit = config[name]
    if (limit !== undefined) all.set(name, { limit, buckets: createBuckets(limit, bucketsMax) })
  }
  return {
    take(name, who, amount) {
      const found = all.get(name)
      if (found === undefined) return
      const retryAfterMs = found.buckets.take(who, clock.nowMs(), amount)
      if (retryAfterMs > 0) throw rateLimited(name, found.limit, amount, retryAfterMs)
    },
    charge: (name, who, amount) => all.get(name)?.buckets.charge(who, clock.nowMs(), amount),
  }
}

export function rateLimited(name: LimitName, limit: Limit, amount: number, retryAfterMs: number): ApiError {
  const what = limitClasses[name.slice(0, name.indexOf('.')) as LimitClass]
  const bound = `${limit.perSecond} ${what} per second, ${limit.burst} at once`
  return new ApiError('rateLimited', {
    detail: `${name}: ${amount} more would be over ${bound}`,
    field: name,
    value: `${amount} ${what}`,
    bound,
    retryAfterMs,
  })
}
