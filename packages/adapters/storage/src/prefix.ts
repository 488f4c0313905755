/** Ranges from prefixes: every key that begins with the same bytes. */
import type { Range } from './store.ts'

export function prefixRange(prefix: Uint8Array): Pick<Range, 'gte' | 'lt'> {
  const lt = after(prefix)
  return lt === undefined ? { gte: prefix } : { gte: prefix, lt }
}

/** The first bytes behind every key with this prefix, or `undefined` when 0xff goes on to the end. */
function after(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.byteLength
  while (length > 0 && prefix[length - 1] === 0xff) length -= 1
  if (length === 0) return undefined
  const end = prefix.slice(0, length)
  end[length - 1] = (end[length - 1] ?? 0) + 1
  return end
}
