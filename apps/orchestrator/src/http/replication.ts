/** Backup and log over HTTP. Both hold back the collection of blobs for as long as somebody may still fetch them. */
import { ApiError } from '@shardy/api'
import type { Digest } from '@shardy/protocol'
import { backupStore, StoreError } from '@shardy/storage'
import type { Actor, AuditEntry } from '../access/audit.ts'
import type { Replication } from '../operation/replication.ts'
import { type PlainPosition, plainPosition, positionOf } from '../operation/replicaWire.ts'
import type { Services } from '../orchestrator.ts'

const bytesHeaders = { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' }

const underway = new WeakSet<Services>()

/** One at a time: each reads all there is. */
export async function streamBackup(services: Services, by: Actor): Promise<Response> {
  if (underway.has(services)) {
    throw new ApiError('overloaded', { detail: 'a backup is being made already', retryAfterMs: 60_000 })
  }
  underway.add(services)
  const release = services.keeper.hold()
  const done = (): void => {
    underway.delete(services)
    release()
  }
  try {
    await services.audit.append({ action: 'backupTaken', by })
  } catch (error) {
    done()
    throw error
  }
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(
    undefined,
    undefined,
    new CountQueuingStrategy({ highWaterMark: 2 }),
  )
  const writer = writable.getWriter()
  const write = async (bytes: Uint8Array): Promise<void> => {
    await writer.ready
    await writer.write(bytes.slice())
  }
  backupStore(services.copied, write, { blobs: services.blobs })
    .then(async ({ rows, blobs, bytes }) => {
      await writer.close()
      services.log.info('backupTaken', { rows, blobs, bytes })
    })
    .catch((error: unknown) => {
      services.log.error('backupNotTaken', error)
      return writer.abort(error)
    })
    .catch(() => {})
    .finally(done)
  return new Response(readable, { headers: bytesHeaders })
}

function replicationOf({ replication }: Services): Replication {
  if (replication !== undefined) return replication
  throw new ApiError(
    'noLog',
    'this orchestrator keeps no log; start it with SHARDY_STANDBY=log or acknowledged',
  )
}

const notAPosition = (): ApiError =>
  new ApiError('invalidField', {
    detail: 'epoch, sequence and chain are given together, or none of them',
    field: 'sequence',
    bound: 'a whole position',
  })

export async function followLog(
  services: Services,
  query: { readonly epoch?: string; readonly sequence?: string; readonly chain?: string },
  signal: AbortSignal,
  by: Actor,
): Promise<Response> {
  const replication = replicationOf(services)
  const { epoch, sequence, chain } = query
  const given = [epoch, sequence, chain].filter((each) => each !== undefined).length
  if (given !== 0 && given !== 3) throw notAPosition()
  const plain =
    given === 0 ? undefined : { epoch: Number(epoch), sequence: Number(sequence), chain: chain as string }
  const from = plain && positionOf(plain)
  // Whoever has seen a later epoch knows that another was promoted.
  if (from !== undefined && (await replication.fence(from.epoch))) throw deposed()
  // Not waited for: it may be acknowledged only by the standby that is about to come.
  const detail = from === undefined ? 'from a snapshot' : `from ${from.sequence}`
  record(services, { action: 'logFollowed', by, detail })
  const ending = new AbortController()
  const end = (): void => ending.abort()
  signal.addEventListener('abort', end, { once: true })
  services.stopping.addEventListener('abort', end, { once: true })
  return new Response(replication.follow(from, ending.signal), { headers: bytesHeaders })
}

function record({ audit, log }: Services, entry: AuditEntry): void {
  audit.append(entry).catch((error: unknown) => log.error('notAudited', error, { action: entry.action }))
}

const deposed = (): ApiError => new ApiError('deposed', 'another orchestrator was promoted; follow that one')

/** Straight from where the bytes lie: its record may be waiting for the standby that asks. */
export async function openLogBlob({ blobs }: Services, digest: string): Promise<Response> {
  const read = await blobs.read(digest as Digest)
  if (read.kind === 'blob') {
    const headers = { ...bytesHeaders, 'content-length': String(read.sizeBytes) }
    return new Response(read.stream, { headers })
  }
  throw new ApiError('unknownBlob', { detail: `there is no blob ${digest}`, field: 'digest', value: digest })
}

export function acknowledgeLog(services: Services, body: PlainPosition): Response {
  const replication = replicationOf(services)
  const position = positionOf(body)
  if (position === undefined) throw notAPosition()
  try {
    replication.acknowledge(position)
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind !== 'logCorrupt') throw error
    const { sequence } = plainPosition(position)
    throw new ApiError(
      'otherHistory',
      `entry ${sequence} is of another history; begin again in an empty folder`,
    )
  }
  return new Response(null, { status: 204 })
}

export async function fenceLog(
  services: Services,
  { epoch }: { readonly epoch: number },
  by: Actor,
): Promise<{ readonly deposed: boolean }> {
  const replication = replicationOf(services)
  // Afterwards nothing more can be written, the audit log included; and no standby may be there to acknowledge it.
  record(services, { action: 'storeFenced', by, detail: `epoch ${epoch}` })
  return { deposed: await replication.fence(epoch) }
}
