/** Tells the orchestrator that was taken over from, whenever it can be reached, until it says that it writes no more. */
import type { Log } from '../log.ts'

export interface FencingParts {
  readonly url: string
  readonly apiKey: string
  readonly epoch: number
  readonly log: Log
  readonly everyMs?: number
}

/** What came of telling it. One that answers and is not deposed goes on taking writes. */
export type Fencing = 'deposed' | 'notReached' | { readonly refused: string }

export async function fenceOnce({ url, apiKey, epoch }: Omit<FencingParts, 'log'>): Promise<Fencing> {
  try {
    const response = await fetch(`${url}/v1/log/fence`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ epoch }),
      signal: AbortSignal.timeout(5_000),
    })
    const answer = (await response.json()) as { readonly deposed?: unknown; readonly code?: unknown }
    if (response.ok && answer.deposed === true) return 'deposed'
    return { refused: response.ok ? 'notDeposed' : String(answer.code ?? response.status).slice(0, 64) }
  } catch {
    return 'notReached'
  }
}

/** The returned function ends it. */
export function keepFencing(parts: FencingParts): () => void {
  const { log, url, epoch, everyMs = 2_000 } = parts
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false
  let told: string | undefined
  async function attempt(): Promise<void> {
    const result = await fenceOnce(parts)
    if (result === 'deposed') log.info('fenced', { url, epoch })
    const refused = typeof result === 'object' ? result.refused : undefined
    // It serves beside this one: somebody has to stop it.
    if (refused !== undefined && refused !== told) log.warn('fencingRefused', { url, epoch, refused })
    told = refused
    // It may come back from an older copy of itself, so there is no last time.
    if (!isOver) timer = setTimeout(() => void attempt(), result === 'deposed' ? 10 * everyMs : everyMs)
  }
  void attempt()
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
