/**
 * How many bytes of bodies are held at once, and how long one may take to come. Room is held for a whole body before its
 * first byte is read, so what was let in is never given up for what comes after it.
 */
import { ApiError, type WithBody } from '@shardy/api'

export interface BodyLimits {
  readonly bytesMax: number
  /** From the first byte that is waited for to the last. */
  readonly deadlineMs: number
}

export const defaultBodyLimits: BodyLimits = { bytesMax: 256 * 1024 * 1024, deadlineMs: 30_000 }

export interface BodyBudget {
  /** Throws what a visitor is told when there is no room, and when the body is late. */
  readonly withBody: WithBody
  held(): number
}

/** A request that is under way costs about as much, however short its body is. */
export const requestBytes = 4_096
const retryAfterMs = 1_000

/**
 * Nobody takes more than half of what the others leave, but for a body that is its only one: whoever sends much, or slowly,
 * leaves room for those who come later.
 */
export function createBodyBudget(
  { bytesMax, deadlineMs }: BodyLimits = defaultBodyLimits,
  senderOf: (request: Request) => string = () => '',
): BodyBudget {
  let held = 0
  const heldBy = new Map<string, number>()

  function hold(sender: string, bytes: number): void {
    const own = heldBy.get(sender) ?? 0
    if (held + bytes > bytesMax) {
      const detail = `bodies of ${held} bytes are under way already`
      throw new ApiError('overloaded', { detail, retryAfterMs })
    }
    const share = Math.floor((bytesMax - (held - own)) / 2)
    if (own > 0 && own + bytes > share) {
      const detail = `bodies of yours of ${own} bytes are under way already, and ${share} are your share now`
      throw new ApiError('overloaded', { detail, retryAfterMs })
    }
    held += bytes
    heldBy.set(sender, own + bytes)
  }

  function letGo(sender: string, bytes: number): void {
    held -= bytes
    const own = (heldBy.get(sender) ?? 0) - bytes
    if (own > 0) heldBy.set(sender, own)
    else heldBy.delete(sender)
  }

  return {
    async withBody(request, lengthMax, act) {
      const declared = declaredLength(request)
      if (declared !== undefined && declared > lengthMax) return act(undefined)
      const length = declared ?? lengthMax
      const bytes = Math.max(length, requestBytes)
      const sender = senderOf(request)
      hold(sender, bytes)
      try {
        // Never more than was held for it, whatever the header promised.
        return await act(await readWithin(request.body, length, deadlineMs))
      } finally {
        letGo(sender, bytes)
      }
    },
    held: () => held,
  }
}

/** Undefined when only its end will tell: a chunked body is as long as it likes, also beside a length. */
function declaredLength({ body, headers }: Request): number | undefined {
  if (body === null) return 0
  if (headers.has('transfer-encoding')) return undefined
  const declared = headers.get('content-length') ?? ''
  return /^[0-9]{1,15}$/.test(declared) ? Number(declared) : undefined
}

/** Undefined when it has more bytes than allowed. One that is late is let go of: whoever sends slowly must not hold room for ever. */
async function readWithin(
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
        const detail = `the body did not come within ${deadlineMs} ms; send less at once`
        throw new ApiError('overloaded', { detail, retryAfterMs })
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
