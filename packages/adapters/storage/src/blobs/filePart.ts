/** An unfinished upload as a file, and the file operations that make a blob durable. */
import { constants } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Digest } from '@shardy/protocol'
import { hashChunks } from './digest.ts'
import type { Part } from './partUpload.ts'

const readBytes = 256 * 1024

export async function openFilePart(partFile: string, finishedFile: string): Promise<Part> {
  const handle = await open(partFile, constants.O_RDWR | constants.O_CREAT, 0o600)
  let size = (await handle.stat()).size
  return {
    size: () => size,
    async append(chunk) {
      try {
        await writeAll(handle, size, chunk)
      } catch (error) {
        // A disk that is full takes part of a chunk; what follows must not begin behind it.
        await handle.truncate(size)
        throw error
      }
      size += chunk.byteLength
    },
    hash: (): Promise<Digest> => hashChunks(readChunks(handle, 0, size)),
    async store() {
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(partFile, finishedFile)
      await syncDirectory(dirname(finishedFile))
    },
    async keep() {
      await handle.close()
      if (size === 0) await rm(partFile, { force: true })
    },
    async remove() {
      await handle.close()
      await rm(partFile, { force: true })
    },
  }
}

export async function writeAll(handle: FileHandle, offset: number, bytes: Uint8Array): Promise<void> {
  let written = 0
  while (written < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.byteLength - written, offset + written)
    if (bytesWritten === 0) throw new Error('The file system accepted no bytes')
    written += bytesWritten
  }
}

export async function* readChunks(
  handle: FileHandle,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  let at = start
  while (at < end) {
    const chunk = new Uint8Array(Math.min(readBytes, end - at))
    const { bytesRead } = await handle.read(chunk, 0, chunk.byteLength, at)
    if (bytesRead === 0) throw new Error(`The file ended at ${at} of ${end} bytes`)
    at += bytesRead
    yield chunk.subarray(0, bytesRead)
  }
}

/** A new name is durable only once its folder is. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
