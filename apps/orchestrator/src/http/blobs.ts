/**
 * Blobs over HTTP: named by their SHA-256, streamed both ways, resumable, within the requester's quota. Nothing is
 * held whole in memory. Whoever knows a digest and has a key may read the blob: a digest is shared only knowingly.
 */
import { ApiError } from '@shardy/api'
import type { Handled } from '@shardy/api/elysia'
import type { Digest, RequesterId } from '@shardy/protocol'
import type { Upload } from '@shardy/storage'
import type { Services } from '../orchestrator.ts'
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
): Promise<void> {
  if (body === null) return
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
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

async function open(services: Services, digest: Digest): Promise<Upload | { readonly sizeBytes: number }> {
  const begun = await services.blobs.begin(digest)
  switch (begun.kind) {
    case 'upload':
      return begun.upload
    case 'stored':
      return begun
    case 'busy':
      throw new ApiError('uploadInProgress', {
        detail: `blob ${digest} is being uploaded; wait for that one`,
      })
  }
}

export async function putBlob(
  services: Services,
  digestText: string,
  contentRange: string | undefined,
  requester: RequesterId,
  request: Request,
): Promise<Handled> {
  const digest = digestText as Digest
  const { keeper } = services
  const part = contentRange === undefined ? undefined : partOf(contentRange)
  const declared = part?.total ?? Number(request.headers.get('content-length') ?? 0)
  const known = await keeper.length(digest)
  const mayHave = (bytes: number): boolean => known !== undefined || keeper.fits(requester, bytes)
  if (declared > services.blobBytesMax) throw tooLarge(declared, services.blobBytesMax)
  if (!mayHave(declared)) throw quotaExceeded(declared)

  let upload = await open(services, digest)
  if ('sizeBytes' in upload) {
    // The bytes were here already, perhaps from a crash between bytes and record.
    await keeper.record(digest, upload.sizeBytes, requester)
    return { status: 200, json: { digest, length: upload.sizeBytes } }
  }
  try {
    const start = part?.start ?? 0
    if (upload.receivedBytes() !== start && part === undefined) {
      // A whole body replaces what an earlier attempt left.
      await upload.drop()
      const fresh = await open(services, digest)
      if ('sizeBytes' in fresh) throw new Error('a blob was finished while its upload was dropped')
      upload = fresh
    }
    if (upload.receivedBytes() !== start) {
      const offset = upload.receivedBytes()
      throw new ApiError('offsetMismatch', {
        detail: `the upload goes on at byte ${offset}, not ${start}`,
        field: 'content-range',
        value: String(start),
        bound: String(offset),
        offset,
      })
    }
    await receive(upload, request.body, part?.end ?? Number.POSITIVE_INFINITY, mayHave)
    const received = upload.receivedBytes()
    if (part !== undefined && received < part.total) {
      await upload.suspend()
      return { status: 202, json: { digest, received } }
    }
    const finished = await upload.finish()
    if (finished.kind === 'digestMismatch') {
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
    await upload.suspend()
    throw error
  }
}

function unknownBlob(digest: string, offset: number): ApiError {
  return new ApiError('unknownBlob', {
    detail: offset === 0 ? `there is no blob ${digest}` : `${offset} bytes of blob ${digest} are here so far`,
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
  return { start: Number(first), end: last === '' ? length : Math.min(length, Number(last) + 1) }
}

export async function openBlob(services: Services, digestText: string, request: Request): Promise<Response> {
  const digest = digestText as Digest
  const length = await services.keeper.length(digest)
  if (length === undefined) throw unknownBlob(digest, await services.blobs.received(digest))
  const range = rangeOf(request.headers.get('range'), length)
  if (range !== undefined && (range.start >= range.end || range.start >= length)) {
    throw new ApiError('rangeNotSatisfiable', {
      detail: `the blob has ${length} bytes`,
      field: 'range',
      value: request.headers.get('range') ?? '',
      bound: `bytes 0 to ${length - 1}`,
    })
  }
  const read = await services.blobs.read(digest, range)
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
}

export async function headBlob(services: Services, digestText: string): Promise<Response> {
  const digest = digestText as Digest
  const length = await services.keeper.length(digest)
  if (length === undefined) throw unknownBlob(digest, await services.blobs.received(digest))
  return new Response(null, { headers: { 'content-length': String(length), 'accept-ranges': 'bytes' } })
}
