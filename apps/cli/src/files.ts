/** Reads and writes the files that a person names; every failure says which file and why. */
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { Failure } from './failure.ts'

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ENOENT':
      return 'there is no such file or folder'
    case 'EACCES':
    case 'EPERM':
      return 'permission is denied'
    case 'EISDIR':
      return 'it is a folder'
    case 'ENOSPC':
      return 'the disk is full'
    default:
      return error instanceof Error ? error.message : String(error)
  }
}

/** At most `bytesMax` bytes: a wrong file named by mistake may be of any size. */
export async function readBytesFrom(file: string, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { size } = await stat(file)
    if (size > bytesMax) throw new Error(`it has ${size} bytes, at most ${bytesMax} were expected`)
    return new Uint8Array(await readFile(file))
  } catch (cause) {
    throw new Failure('file', `${file} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}

/** Whole or not at all: what stands there is replaced only by a finished file. */
export async function writeBytesTo(file: string, bytes: Uint8Array | string): Promise<void> {
  const partial = `${file}.${process.pid}.partial`
  try {
    await writeFile(partial, bytes)
    await rename(partial, file)
  } catch (cause) {
    await rm(partial, { force: true }).catch(() => {})
    throw new Failure('file', `${file} cannot be written: ${reasonOf(cause)}`, { cause })
  }
}

/** Before long work, so that it is not done for nothing. */
export async function assertWritable(file: string): Promise<void> {
  const partial = `${file}.${process.pid}.partial`
  try {
    await (await open(partial, 'w')).close()
    await rm(partial)
  } catch (cause) {
    throw new Failure('file', `${file} cannot be written: ${reasonOf(cause)}`, { cause })
  }
}
