/** How many bytes of bodies the whole process holds at once, and how long one may take to come. */
import { ApiError } from '@shardy/api'

export interface BodyBudget {
  /** Holds that many bytes until `act` has ended; throws what a visitor is told when there is no room. */
  hold<T>(bytes: number, act: () => Promise<T>): Promise<T>
  held(): number
}

export function createBodyBudget(bytesMax = 256 * 1024 * 1024): BodyBudget {
  let held = 0
  return {
    async hold(bytes, act) {
      if (held + bytes > bytesMax) {
        const detail = `bodies of ${held} bytes are under way already`
        throw new ApiError('overloaded', { detail, retryAfterMs: 1_000 })
      }
      held += bytes
      try {
        return await act()
      } finally {
        held -= bytes
      }
    },
    held: () => held,
  }
}

/** Undefined when it has more bytes than allowed. One that is late is let go of: whoever sends slowly must not hold room for ever. */
export async function readWithin(
  body: ReadableStream<Uint8Array> | null,
  bytesMax: number,
  deadlineMs: number,
): Promise<Uint8Array | undefined> {
  if (body === null) return new Uint8Array(0)
  const reader = body.getReader()
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    // What is read from now on is the end.
    reader.cancel().catch(() => {})
  }, deadlineMs)
  const chunks: Uint8Array[] = []
  let total = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (isLate) {
        const detail = `the body did not come within ${deadlineMs} ms; send fewer tasks at once`
        throw new ApiError('overloaded', { detail, retryAfterMs: 1_000 })
      }
      if (done) break
      total += value.length
      if (total > bytesMax) {
        reader.cancel().catch(() => {})
        return undefined
      }
      chunks.push(value)
    }
  } finally {
    clearTimeout(timer)
  }
  const [only] = chunks
  if (only !== undefined && chunks.length === 1) return only
  const whole = new Uint8Array(total)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}
