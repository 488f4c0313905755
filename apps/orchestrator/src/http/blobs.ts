/**
 * Blobs over HTTP: named by their SHA-256, streamed both ways, resumable, within the requester's quota. Nothing is
 * held whole in memory. An unfinished upload is its requester's own, whoever else uploads the same digest. Whoever knows a digest and has a key may read the blob: a digest is shared only knowingly.
 */
import { ApiError, problemResponse } from '@shardy/api'
import type { Handled } from '@shardy/api/elysia'
import { isComputing, type TaskRecord } from '@shardy/dispatch'
import type { DeliveryId, Digest, RequesterId } from '@shardy/protocol'
import type { Upload } from '@shardy/storage'
import { refuseWhenLow } from '../operation/space.ts'
import type { Services } from '../orchestrator.ts'
import { payloadKey } from '../tables.ts'
import { isInline } from '../tasks/payloads.ts'
import { quotaExceeded } from './tasks.ts'

interface Part {
  readonly start: number
  /** One past the last byte of this part. */
  readonly end: number
  readonly total: number
}

function partOf(contentRange: string): Part {
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange) ?? []
  const part = { start: Number(first), end: Number(last) + 1, total: Number(total) }
  if (part.start < part.end && part.end <= part.total) return part
  throw new ApiError('invalidField', {
    detail: `content-range ${contentRange} is no part of a whole`,
    field: 'content-range',
    value: contentRange,
    bound: 'first ≤ last < total',
  })
}

function tooLarge(bytes: number, blobBytesMax: number): ApiError {
  return new ApiError('blobTooLarge', {
    detail: `a blob has at most ${blobBytesMax} bytes, this one ${bytes} or more`,
    value: `${bytes} bytes`,
    bound: `at most ${blobBytesMax} bytes`,
  })
}

/** Writes the body where the upload stands. A line that breaks leaves the bytes that came, to go on from. */
async function receive(
  upload: Upload,
  body: ReadableStream<Uint8Array> | null,
  endMax: number,
  mayHave: (bytes: number) => boolean,
  onBytes: (bytes: number) => void,
): Promise<void> {
  if (body === null) return
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    onBytes(chunk.length)
    const offset = upload.receivedBytes()
    const after = offset + chunk.length
    if (after > endMax) {
      throw new ApiError('invalidField', {
        detail: `the body has more bytes than content-range announced`,
        field: 'content-range',
        bound: `up to byte ${endMax - 1}`,
      })
    }
    if (!mayHave(after)) throw quotaExceeded(after)
    const appended = await upload.append(offset, chunk)
    if (appended.kind === 'tooLarge') {
      await upload.drop()
      throw tooLarge(after, appended.blobBytesMax)
    }
    if (appended.kind !== 'appended') throw new Error(`an upload with one writer is ${appended.kind}`)
  }
}

async function begin(
  services: Services,
  digest: Digest,
  requester: RequesterId,
): Promise<Upload | { readonly sizeBytes: number }> {
  const begun = await services.blobs.begin(digest, requester)
  switch (begun.kind) {
    case 'upload':
      return begun.upload
    case 'stored':
      return begun
    case 'busy':
      throw new ApiError('uploadInProgress', {
        detail: `you are uploading blob ${digest} already; wait for that one`,
        retryAfterMs: 5_000,
      })
  }
}

export function putBlob(
  services: Services,
  digestText: string,
  contentRange: string | undefined,
  requester: RequesterId,
  request: Request,
  /** Told of the bytes that came, as they come. */
  onBytes: (bytes: number) => void,
): Promise<Handled> {
  const digest = digestText as Digest
  const part = contentRange === undefined ? undefined : partOf(contentRange)
  const declared = part?.total ?? Number(request.headers.get('content-length') ?? 0)
  if (declared > services.blobBytesMax) throw tooLarge(declared, services.blobBytesMax)
  refuseWhenLow(services)
  return services.keeper.pinned(digest, () =>
    upload(services, digest, part, declared, requester, request.body, onBytes),
  )
}

async function upload(
  services: Services,
  digest: Digest,
  part: Part | undefined,
  declared: number,
  requester: RequesterId,
  body: ReadableStream<Uint8Array> | null,
  onBytes: (bytes: number) => void,
): Promise<Handled> {
  const { keeper } = services
  let begun = await begin(services, digest, requester)
  if ('sizeBytes' in begun) {
    // The bytes were here already, perhaps from a crash between bytes and record.
    return kept(services, digest, begun.sizeBytes, requester)
  }
  try {
    // A whole body replaces what an earlier attempt left.
    if (begun.receivedBytes() > 0 && part === undefined) {
      await begun.drop()
      keeper.release(digest, requester)
      const fresh = await begin(services, digest, requester)
      // Somebody else has finished it meanwhile.
      if ('sizeBytes' in fresh) return kept(services, digest, fresh.sizeBytes, requester)
      begun = fresh
    }
    const offset = begun.receivedBytes()
    const start = part?.start ?? 0
    if (offset !== start) {
      throw new ApiError('offsetMismatch', {
        detail: `the upload goes on at byte ${offset}, not ${start}`,
        field: 'content-range',
        value: String(start),
        bound: String(offset),
        offset,
      })
    }
    const mayHave = (bytes: number): boolean => keeper.reserve(digest, bytes, requester)
    if (!mayHave(declared)) throw quotaExceeded(declared)
    await receive(begun, body, part?.end ?? Number.POSITIVE_INFINITY, mayHave, onBytes)
    const received = begun.receivedBytes()
    if (part !== undefined && received < part.total) {
      await begun.suspend()
      return { status: 202, json: { digest, received } }
    }
    const finished = await begun.finish()
    if (finished.kind === 'digestMismatch') {
      keeper.release(digest, requester)
      throw new ApiError('digestMismatch', {
        detail: `the ${received} bytes hash to ${finished.actual}; they were dropped`,
        field: 'digest',
        value: digest,
        bound: finished.actual,
      })
    }
    if (finished.kind !== 'stored') throw new Error(`an upload with one writer is ${finished.kind}`)
    await keeper.record(digest, finished.sizeBytes, requester)
    return { status: 201, json: { digest, length: finished.sizeBytes } }
  } catch (error) {
    await begun.suspend()
    // What came of it, if anything, is still counted.
    if ((await services.blobs.received(digest, requester)) === 0) keeper.release(digest, requester)
    throw error
  }
}

async function kept(
  { keeper }: Services,
  digest: Digest,
  length: number,
  requester: RequesterId,
): Promise<Handled> {
  await keeper.record(digest, length, requester)
  return { status: 200, json: { digest, length } }
}

function unknownBlob(digest: string, offset: number): ApiError {
  return new ApiError('unknownBlob', {
    detail:
      offset === 0 ? `there is no blob ${digest}` : `${offset} bytes of your blob ${digest} are here so far`,
    field: 'digest',
    value: digest,
    offset,
  })
}

/** `bytes=a-b`, `bytes=a-` and `bytes=-n`; anything else is answered whole, as HTTP allows. */
function rangeOf(
  header: string | null,
  length: number,
): { readonly start: number; readonly end: number } | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') return { start: Math.max(0, length - Number(last)), end: length }
  // The last byte before the first: not a range at all.
  if (last !== '' && Number(last) < Number(first)) return undefined
  return { start: Number(first), end: last === '' ? length : Math.min(length, Number(last) + 1) }
}

function notSatisfiable(header: string | null, length: number): Response {
  const detail = `the blob has ${length} bytes`
  const bound = length === 0 ? 'no range' : `bytes 0 to ${length - 1}`
  const { problem } = new ApiError('rangeNotSatisfiable', {
    detail,
    field: 'range',
    value: header ?? '',
    bound,
  })
  const response = problemResponse(problem)
  response.headers.set('content-range', `bytes */${length}`)
  return response
}

/** Pinned until the bytes are open; a collection afterwards does not disturb the reading. A requester is told how far its upload is. */
export function openBlob(
  services: Services,
  digestText: string,
  request: Request,
  requester?: RequesterId,
): Promise<Response> {
  const digest = digestText as Digest
  const { blobs, keeper } = services
  return keeper.pinned(digest, async () => {
    const length = await keeper.length(digest)
    if (length === undefined) {
      throw unknownBlob(digest, requester === undefined ? 0 : await blobs.received(digest, requester))
    }
    const header = request.headers.get('range')
    const range = rangeOf(header, length)
    if (range !== undefined && range.start >= range.end) return notSatisfiable(header, length)
    const read = await blobs.read(digest, range)
    if (read.kind !== 'blob')
      throw new Error(`blob ${digest} is recorded with ${length} bytes and is ${read.kind}`)
    const headers: Record<string, string> = {
      'content-type': 'application/octet-stream',
      'content-length': String(read.end - read.start),
      'accept-ranges': 'bytes',
      etag: `"${digest}"`,
    }
    if (range !== undefined) headers['content-range'] = `bytes ${read.start}-${read.end - 1}/${length}`
    return new Response(read.stream, { status: range === undefined ? 200 : 206, headers })
  })
}

/** The output of a task: beside it when it is small, a blob when it is not. */
export async function openOutput(
  services: Services,
  { spec, outputDigest }: TaskRecord,
  request: Request,
): Promise<Response> {
  if (outputDigest === undefined) throw new Error(`task ${spec.taskId} has no output`)
  const kept = isInline(spec.outputLength)
    ? await services.store.get('taskOutputs', payloadKey(spec))
    : undefined
  if (kept === undefined) return openBlob(services, outputDigest, request)
  return answerBytes(request, outputDigest, kept.length, (start, end) => kept.slice(start, end))
}

/** The input of a task, which lies where its output would. */
export async function openInput(
  services: Services,
  { spec }: TaskRecord,
  request: Request,
): Promise<Response> {
  const { taskId, inputDigest, inputLength } = spec
  const { payloads, store } = services
  const kept = isInline(inputLength)
    ? (payloads.heldInput(taskId) ?? (await store.get('taskInputs', payloadKey(spec))))
    : undefined
  if (kept === undefined) return openBlob(services, inputDigest, request)
  return answerBytes(request, inputDigest, kept.length, (start, end) => kept.slice(start, end))
}

/** Bytes, whole or the range that was asked for. */
function answerBytes(
  request: Request,
  digest: string,
  length: number,
  read: (start: number, end: number) => Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
): Response {
  const header = request.headers.get('range')
  const range = rangeOf(header, length)
  if (range !== undefined && range.start >= range.end) return notSatisfiable(header, length)
  const { start, end } = range ?? { start: 0, end: length }
  const headers: Record<string, string> = {
    'content-type': 'application/octet-stream',
    'content-length': String(end - start),
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
  }
  if (range !== undefined) headers['content-range'] = `bytes ${start}-${end - 1}/${length}`
  return new Response(read(start, end), { status: range === undefined ? 200 : 206, headers })
}

/**
 * A constant for a worker that has a delivery of its program. Workers have no key; a delivery's id is known to nobody
 * but that worker, the orchestrator and the requester, and it opens the program's own blobs only, while it is open.
 */
export function openConstant(
  services: Services,
  { deliveryId, digest }: { readonly deliveryId: string; readonly digest: string },
  request: Request,
): Promise<Response> {
  const delivery = services.dispatcher.state().deliveries.get(deliveryId as DeliveryId)
  const constants = delivery && isComputing(delivery) ? delivery.task.spec.constants : []
  if (!constants.includes(digest as Digest)) {
    throw new ApiError('unknownDelivery', {
      detail: `no open delivery ${deliveryId} runs a program that names ${digest}`,
      field: 'deliveryId',
      value: deliveryId,
    })
  }
  return openBlob(services, digest, request)
}

export async function headBlob(
  services: Services,
  digestText: string,
  requester: RequesterId,
): Promise<Response> {
  const digest = digestText as Digest
  const length = await services.keeper.length(digest)
  if (length === undefined) throw unknownBlob(digest, await services.blobs.received(digest, requester))
  return new Response(null, {
    headers: { 'content-length': String(length), 'accept-ranges': 'bytes', etag: `"${digest}"` },
  })
}
