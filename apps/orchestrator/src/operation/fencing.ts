/** Tells the orchestrator that was taken over from, whenever it can be reached, until it says that it writes no more. */
import type { Log } from '../log.ts'

export interface FencingParts {
  readonly url: string
  readonly apiKey: string
  readonly epoch: number
  readonly log: Log
  readonly everyMs?: number
}

/** Whether it is deposed; undefined when it did not answer so. */
export async function fenceOnce({
  url,
  apiKey,
  epoch,
}: Omit<FencingParts, 'log'>): Promise<boolean | undefined> {
  try {
    const response = await fetch(`${url}/v1/log/fence`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ epoch }),
      signal: AbortSignal.timeout(5_000),
    })
    if (!response.ok) return undefined
    return ((await response.json()) as { readonly deposed?: unknown }).deposed === true
  } catch {
    return undefined
  }
}

/** The returned function ends it. */
export function keepFencing(parts: FencingParts): () => void {
  const { log, url, epoch, everyMs = 2_000 } = parts
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false
  async function attempt(): Promise<void> {
    const deposed = await fenceOnce(parts)
    if (deposed === true) log.info('fenced', { url, epoch })
    // It may come back from an older copy of itself, so there is no last time.
    if (!isOver) timer = setTimeout(() => void attempt(), deposed === true ? 10 * everyMs : everyMs)
  }
  void attempt()
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
