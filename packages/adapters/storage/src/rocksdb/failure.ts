/** Names what RocksDB says. Its binding gives codes for a few states and leaves the rest to the text. */
import { StoreError } from '../storeError.ts'

export function toStoreError(work: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error
  // The binding wraps the reason an open failed.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const text = cause instanceof Error ? cause.message : String(cause)
  const message = `The RocksDB store could not ${work}: ${text}`
  if (code === 'LEVEL_LOCKED') {
    return new StoreError('locked', `${message}. Something else has it open: stop that first`, { cause })
  }
  if (/column famil/i.test(text)) {
    const why = 'A newer program wrote it: run that one, or restore a backup'
    return new StoreError('schemaMismatch', `${message}. ${why}`, { cause })
  }
  if (/no space left|disk quota exceeded|max allowed space/i.test(text) || code === 'ENOSPC') {
    return new StoreError('diskFull', `${message}. Free some space on that disk, then start again`, { cause })
  }
  if (code === 'LEVEL_CORRUPTION' || /^Corruption/.test(text))
    return new StoreError('corrupt', message, { cause })
  return new StoreError('failed', message, { cause })
}

export function unsupportedPlatform(platform: string, cause: unknown): StoreError {
  return new StoreError(
    'unsupportedPlatform',
    `RocksDB does not load on this platform (${platform}): it is built for Linux x64 with glibc 2.34 or newer ` +
      'and for macOS on arm64. Use the SQLite store instead (kind sqlite; SHARDY_STORE=sqlite)',
    { cause },
  )
}
