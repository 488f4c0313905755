/**
 * Uploads bytes under their digest, in parts, so that a line that breaks costs one part: what is there already is
 * asked for first, and the server's word on where to go on is followed.
 */
import { ApiError, type Client, orchestratorRoutes as routes } from '@shardy/api'
import type { Digest } from '@shardy/protocol'

export interface UploadOptions {
  readonly onProgress?: ((sentBytes: number, totalBytes: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface UploadPolicy {
  readonly partBytes: number
  readonly wait: (ms: number) => Promise<void>
}

/** Answers in a row that bring an upload no further. */
const standstillsMax = 8
const busyPauseMs = 500

export class UploadStalledError extends Error {
  override readonly name = 'UploadStalledError'
  constructor(digest: Digest, offset: number, totalBytes: number) {
    super(`the upload of ${digest} stays at byte ${offset} of ${totalBytes}`)
  }
}

/** Where the upload goes on; undefined when the blob is there. */
async function offsetOf(client: Client, digest: Digest, signal?: AbortSignal): Promise<number | undefined> {
  try {
    await client.open(routes.headBlob, { params: { digest } }, { signal })
    return undefined
  } catch (error) {
    if (error instanceof ApiError && error.problem.code === 'unknownBlob') return error.problem.offset ?? 0
    throw error
  }
}

export async function uploadBlob(
  client: Client,
  digest: Digest,
  bytes: Uint8Array<ArrayBuffer>,
  { partBytes, wait }: UploadPolicy,
  { onProgress, signal }: UploadOptions = {},
): Promise<void> {
  const total = bytes.length

  /** Whatever the server has under the name is to be replaced, which a body without a range does. */
  let isReplacing = false

  /** Where to go on afterwards; undefined when the server has it all. */
  async function sendPart(start: number): Promise<number | undefined> {
    const end = Math.min(total, start + partBytes)
    // More than there is to send was left by something else.
    const isWhole = isReplacing || start >= total
    const headers = isWhole ? {} : { 'content-range': `bytes ${start}-${end - 1}/${total}` }
    const body = isWhole ? bytes : bytes.subarray(start, end)
    const answer = await client.call(routes.putBlob, { params: { digest }, headers }, { body, signal })
    return 'received' in answer ? answer.received : undefined
  }

  /** Where to go on after a refusal that is no end. */
  async function recover(error: unknown): Promise<number | undefined> {
    const problem = error instanceof ApiError ? error.problem : undefined
    if (problem?.code === 'offsetMismatch' && problem.offset !== undefined) return problem.offset
    if (problem?.code === 'digestMismatch' && !isReplacing) {
      // What we went on from was another attempt's, or a part broke on the way. Once, all of it goes anew.
      isReplacing = true
      return 0
    }
    if (problem?.code !== 'uploadInProgress') throw error
    // Another program of ours sends the same bytes, or the server has not noticed yet that our last line broke.
    await wait(busyPauseMs)
    signal?.throwIfAborted()
    return offsetOf(client, digest, signal)
  }

  let standstills = 0
  for (let offset = await offsetOf(client, digest, signal); offset !== undefined; ) {
    onProgress?.(isReplacing ? 0 : Math.min(offset, total), total)
    const next: number | undefined = await sendPart(offset).catch(recover)
    standstills = next !== undefined && next <= offset ? standstills + 1 : 0
    if (standstills >= standstillsMax) throw new UploadStalledError(digest, offset, total)
    offset = next
  }
  onProgress?.(total, total)
}
