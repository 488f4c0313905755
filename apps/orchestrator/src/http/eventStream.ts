/** One subject's events as a stream: first what is on disk, then what is published while somebody listens. */
import { ApiError } from '@shardy/api'
import type { Clock } from '../clock.ts'
import type { Viewer } from '../telemetry/follower.ts'

interface Numbered {
  readonly sequence: number
  readonly type: string
}

export interface EventSource<Event extends Numbered> {
  /** Undefined when too many listen already. The returned function ends it. */
  subscribe(listener: (event: Event) => void): (() => void) | undefined
  /** Waits for what is decided to be durable, and gives what is behind `last`, in order, as many as it likes at a time; none: there is no more. */
  read(last: number): Promise<readonly Event[]>
  /** Whether more may be published. */
  isLive(): boolean
  isLast(event: Event): boolean
  failed(error: unknown): void
}

/** A listener that does not read is let go; it resumes from the last event it had. */
const waitingMax = 1_000
/** A comment now and then keeps proxies from closing a quiet line. */
const quietMs = 15_000

export function streamEvents<Event extends Numbered>(
  source: EventSource<Event>,
  after: number,
  viewer: Viewer,
  clock: Clock,
): Response {
  const encoder = new TextEncoder()
  let sendTo: ReadableStreamDefaultController<Uint8Array> | undefined
  let last = after
  /** What is published while the store is being read. */
  let early: Event[] | undefined = []
  let cancelQuiet = (): void => {}

  const unsubscribe = source.subscribe((event) => {
    if (early === undefined) send(event)
    else if (early.push(event) > waitingMax) end()
  })
  if (unsubscribe === undefined) {
    throw new ApiError('overloaded', { detail: 'too many listen to events already', retryAfterMs: 5_000 })
  }

  function end(): void {
    if (sendTo === undefined) return
    const ended = sendTo
    sendTo = undefined
    unsubscribe?.()
    cancelQuiet()
    try {
      ended.close()
    } catch {
      // The reader has gone already.
    }
  }

  function write(text: string): void {
    // The key may have been revoked, or have expired, while its reader stayed.
    if (!viewer.isAllowed()) return end()
    try {
      sendTo?.enqueue(encoder.encode(text))
    } catch {
      end()
    }
  }

  function send(event: Event): void {
    if (event.sequence > last) {
      last = event.sequence
      write(`id: ${event.sequence}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    }
    if (source.isLast(event) || (sendTo?.desiredSize ?? 0) < -waitingMax) end()
  }

  function keepOpen(): void {
    cancelQuiet = clock.after(quietMs, () => {
      write(': still here\n\n')
      if (sendTo !== undefined) keepOpen()
    })
  }

  async function sendRead(): Promise<void> {
    for (let page = await source.read(last); page.length > 0; page = await source.read(last)) {
      for (const event of page) send(event)
      if (sendTo === undefined) return
    }
  }

  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      sendTo = controller
      // The answer's head goes out with the first bytes, and there may be no event for long.
      write(': listening\n\n')
      try {
        await sendRead()
        for (const event of early ?? []) send(event)
        early = undefined
        if (source.isLive()) return sendTo === undefined ? undefined : keepOpen()
        // Its end was decided meanwhile, and may not have been durable when it was read.
        await sendRead()
        end()
      } catch (error) {
        source.failed(error)
        end()
      }
    },
    cancel: end,
  })
  return new Response(stream, {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
  })
}
