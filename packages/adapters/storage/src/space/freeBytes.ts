/** How much room a path's file system has for this process, in bytes. */
import { statfs } from 'node:fs/promises'
import { StoreError } from '../storeError.ts'

export async function freeBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch (cause) {
    const message = `Could not ask how much room is left at ${path}: ${cause instanceof Error ? cause.message : cause}`
    throw new StoreError('failed', message, { cause })
  }
}
