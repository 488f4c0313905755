/**
 * The standby's side: follows a primary's log into a store of its own, fetches the blobs that the log relies on before it, and says
 * how far it has come. A line that breaks is taken up again from what is on disk.
 */
import { type BlobStore, type Follower, StoreError } from '@shardy/storage'
import type { Log } from '../log.ts'
import { plainPosition, ReplicaStreamError, readMessages } from './replicaWire.ts'

export interface StandbyParts {
  readonly url: string
  readonly apiKey: string
  readonly follower: Follower
  readonly blobs: BlobStore
  readonly log: Log
}

export interface StandbyView {
  readonly connected: boolean
  /** What is on disk here; undefined while there is no whole copy. */
  readonly sequence: number | undefined
  /** What the primary said last. */
  readonly primarySequence: number | undefined
}

export interface Standby {
  view(): StandbyView
  /** Ends when asked to; everything applied is on disk. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

const retryMs = 1_000

export function followPrimary({ url, apiKey, follower, blobs, log }: StandbyParts): Standby {
  const stopping = new AbortController()
  const headers = { authorization: `Bearer ${apiKey}` }
  let connected = false
  let primarySequence: number | undefined
  let acknowledging: Promise<void> | undefined
  let acknowledgedSequence = -1

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const { signal } = stopping
    const response = await fetch(`${url}${path}`, {
      ...init,
      signal,
      headers: { ...headers, ...init.headers },
    })
    if (response.ok || response.status === 404) return response
    throw new Error(
      `${path.split('?')[0]} answered ${response.status}: ${(await response.text()).slice(0, 300)}`,
    )
  }

  const post = (path: string, json: unknown): Promise<Response> =>
    ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) })

  /** One at a time, and always with what is newest: acknowledging an entry acknowledges those before it. */
  function acknowledge(): void {
    const { position } = follower
    if (position === undefined || position.sequence === acknowledgedSequence || acknowledging !== undefined)
      return
    acknowledging = post('/v1/log/acknowledge', plainPosition(position))
      .then(() => {
        acknowledgedSequence = position.sequence
      })
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) log.error('notAcknowledged', error)
      })
      .finally(() => {
        acknowledging = undefined
        if (connected) acknowledge()
      })
  }

  async function fetchBlob(digest: string): Promise<void> {
    if (await blobs.has(digest as never)) return
    const response = await ask(`/v1/log/blobs/${digest}`)
    // Collected meanwhile: nothing refers to it.
    if (response.status === 404) return
    await blobs.put(digest as never, await response.bytes())
  }

  async function followOnce(): Promise<void> {
    const { position } = follower
    const query = position === undefined ? '' : `?${new URLSearchParams(plainPosition(position) as never)}`
    const response = await ask(`/v1/log${query}`)
    if (response.body === null || response.status === 404) throw new Error(`${url} has no log to follow`)
    connected = true
    acknowledgedSequence = -1
    log.info('following', { url, sequence: position?.sequence })
    for await (const message of readMessages(response.body as unknown as AsyncIterable<Uint8Array>)) {
      if (message.kind === 'blob') await fetchBlob(message.digest)
      else if (message.kind === 'reached') primarySequence = message.sequence
      else await follower.apply(message.frame)
      acknowledge()
    }
  }

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await followOnce()
        log.info('lineEnded', { url })
      } catch (error) {
        if (stopping.signal.aborted) return
        log.error('notFollowing', error, { url })
        // It was deposed and does not know: nothing of it is taken, and it is told.
        const { position } = follower
        if (error instanceof StoreError && error.kind === 'staleEpoch' && position !== undefined) {
          await post('/v1/log/fence', { epoch: position.epoch }).catch(() => {})
        } else if (error instanceof StoreError && (error.kind === 'diskFull' || error.kind === 'corrupt'))
          throw error
        else if (error instanceof ReplicaStreamError) log.error('foreignStream', error)
      } finally {
        connected = false
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs))
    }
  }

  const ended = follow()
  return {
    view: () => ({ connected, sequence: follower.position?.sequence, primarySequence }),
    ended,
    async stop() {
      stopping.abort()
      await ended.catch(() => {})
      await acknowledging
    },
  }
}
