/**
 * The database thread. RocksDB writes, and fsyncs, on the thread that calls it; here that is not the thread that
 * answers requests. It answers each message once; an error outside of a message ends it, and the caller's side
 * (`rocksdbEngine.ts`) then rejects whatever it was waiting for.
 */
import { StoreError } from '../storeError.ts'
import { type Database, openDatabase } from './database.ts'
import { toStoreError } from './failure.ts'
import type { Answer, Request, Sent } from './messages.ts'
import { encodeValues } from './rows.ts'

declare const self: Worker

let database: Database | undefined

self.onmessage = async ({ data: { id, request } }: MessageEvent<Sent>) => {
  const answer = await handle(request).catch((error: unknown) => failed(request, error))
  const moved = 'bytes' in answer ? [answer.bytes.buffer] : []
  self.postMessage({ id, answer }, moved)
}

async function handle(request: Request): Promise<Answer> {
  if (request.kind === 'open') {
    database = await openDatabase(request.path, () => import('@nxtedition/rocksdb'))
    return { kind: 'done' }
  }
  if (database?.reopening !== undefined && request.kind !== 'commit') await database.reopening.catch(() => {})
  if (database === undefined) throw new StoreError('closed', 'The store is closed')
  switch (request.kind) {
    case 'commit':
      await database.commit(request.batches, request.sync)
      return { kind: 'done' }
    case 'getMany':
      return { kind: 'values', bytes: encodeValues(database.getMany(request.keys)) }
    case 'openScan':
      database.openScan(request.reader, request.range)
      return { kind: 'done' }
    case 'scan': {
      const { flat, finished } = database.scan(request.reader, request.rowsMax)
      return { kind: 'page', bytes: encodeValues(flat), finished }
    }
    case 'openView':
      database.openView(request.reader)
      return { kind: 'done' }
    case 'viewGetMany':
      return { kind: 'values', bytes: encodeValues(database.viewGetMany(request.reader, request.keys)) }
    case 'viewScan': {
      const { flat, finished } = database.viewScan(request.reader, request.range, request.rowsMax)
      return { kind: 'page', bytes: encodeValues(flat), finished }
    }
    case 'closeReader':
      await database.closeReader(request.reader)
      return { kind: 'done' }
    case 'close': {
      const closing = database
      database = undefined
      await closing.close()
      return { kind: 'done' }
    }
  }
}

function failed(request: Request, error: unknown): Answer {
  const { kind, message, cause } = toStoreError(works[request.kind], error)
  return {
    kind: 'failed',
    errorKind: kind,
    message,
    cause: cause instanceof Error ? cause.message : String(cause),
  }
}

const works: Record<Request['kind'], string> = {
  open: 'open',
  commit: 'write',
  getMany: 'read',
  openScan: 'read',
  scan: 'read',
  openView: 'open a snapshot',
  viewGetMany: 'read',
  viewScan: 'read',
  closeReader: 'close a reader',
  close: 'close',
}
