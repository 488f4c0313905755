/**
 * The sizes a store accepts. They are the same for every engine, so that what passes on the memory twin in a test
 * passes on disk, and are checked before a byte is copied.
 */
import type { Operation, Range } from './store.ts'
import { StoreError } from './storeError.ts'

export const keyBytesMax = 1024
export const valueBytesMax = 16 * 1024 * 1024
export const batchOperationsMax = 100_000
/** Operations of kind `deleteRange` in one batch. */
export const batchRangesMax = 1_000
/** Keys and values together. */
export const batchBytesMax = 64 * 1024 * 1024
export const getManyKeysMax = 10_000
/** Writes accepted but not yet committed, over all callers. */
export const waitingBytesMax = 128 * 1024 * 1024
/** Snapshots and unfinished iterations open at once on one store. */
export const readersMax = 512
/** One more than a key, so that a bound can be the successor of the longest key. */
const boundBytesMax = keyBytesMax + 1

export function checkKey(key: Uint8Array): void {
  if (key.byteLength >= 1 && key.byteLength <= keyBytesMax) return
  throw new StoreError('keyOutOfBounds', `A key has 1 to ${keyBytesMax} bytes, this one ${key.byteLength}`)
}

export function checkKeys(keys: readonly Uint8Array[]): void {
  if (keys.length > getManyKeysMax) {
    throw new StoreError(
      'tooManyKeys',
      `One getMany takes at most ${getManyKeysMax} keys, this one has ${keys.length}: ask in parts`,
    )
  }
  for (const key of keys) checkKey(key)
}

export function checkBatch(batch: readonly Operation[]): void {
  if (batch.length > batchOperationsMax) {
    throw new StoreError(
      'batchTooLarge',
      `A batch has at most ${batchOperationsMax} operations, this one ${batch.length}`,
    )
  }
  let bytes = 0
  let ranges = 0
  for (const operation of batch) {
    if (operation.kind === 'deleteRange') {
      checkRange(operation)
      ranges += 1
      continue
    }
    checkKey(operation.key)
    bytes += operation.key.byteLength
    if (operation.kind === 'delete') continue
    const valueBytes = operation.value.byteLength
    if (valueBytes > valueBytesMax) {
      throw new StoreError(
        'valueTooLarge',
        `A value has at most ${valueBytesMax} bytes, this one ${valueBytes}`,
      )
    }
    bytes += valueBytes
  }
  if (ranges > batchRangesMax) {
    throw new StoreError(
      'batchTooLarge',
      `A batch deletes at most ${batchRangesMax} ranges, this one ${ranges}: write it in parts`,
    )
  }
  if (bytes > batchBytesMax) {
    throw new StoreError('batchTooLarge', `A batch has at most ${batchBytesMax} bytes, this one ${bytes}`)
  }
}

export function checkRange(range: Range): void {
  for (const bound of [range.gte, range.lt]) {
    if (bound !== undefined && bound.byteLength > boundBytesMax) {
      throw new StoreError(
        'rangeOutOfBounds',
        `A range bound has at most ${boundBytesMax} bytes, this one ${bound.byteLength}`,
      )
    }
  }
  const { limit } = range
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw new StoreError('rangeOutOfBounds', `A limit is a whole number of rows, not ${limit}`)
  }
}
