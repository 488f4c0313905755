/**
 * Limits as a person writes them: `submit.key=500/1000,open.address=off`, a name, what comes back in a second, what
 * may be taken at once. What is not named keeps its default.
 */
import { defaultLimits, type LimitConfig, type LimitName, limitNames } from './limits.ts'

export type ReadLimits =
  | { readonly ok: true; readonly limits: LimitConfig }
  | { readonly ok: false; readonly value: string; readonly bound: string }

const numberMax = 1e12

export function readLimits(text: string): ReadLimits {
  const limits: Record<LimitName, LimitConfig[LimitName]> = { ...defaultLimits }
  const seen = new Set<string>()
  for (const each of text.split(',').filter((part) => part !== '')) {
    const refuse = (bound: string): ReadLimits => ({ ok: false, value: each.slice(0, 80), bound })
    const [, word = '', content = ''] = /^([^=]*)=(.*)$/.exec(each) ?? []
    const name = limitNames.find((known) => known === word)
    if (name === undefined) return refuse(`NAME=PER_SECOND/BURST or NAME=off, with ${limitNames.join(', ')}`)
    if (seen.has(name)) return refuse(`${name} once`)
    seen.add(name)
    if (content === 'off') {
      limits[name] = undefined
      continue
    }
    const [, perSecond, burst] = /^(\d{1,13})\/(\d{1,13})$/.exec(content) ?? []
    const limit = { perSecond: Number(perSecond), burst: Number(burst) }
    const isGood =
      limit.perSecond >= 1 && limit.burst >= 1 && Math.max(limit.perSecond, limit.burst) <= numberMax
    if (!isGood)
      return refuse(`${name}=PER_SECOND/BURST, two whole numbers from 1 to ${numberMax}, or ${name}=off`)
    limits[name] = limit
  }
  return { ok: true, limits }
}
