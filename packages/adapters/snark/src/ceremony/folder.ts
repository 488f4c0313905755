/**
 * The folder of a ceremony. A file gets its name once it is whole and on disk, and no key ever takes the place of another:
 * stopping at any moment leaves what was there before, and two who contribute at once cannot both win.
 */
import { createHash } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { CeremonyError } from './ceremonyError.ts'
import {
  decodeTranscript,
  encodeTranscript,
  type FileFacts,
  type Transcript,
  transcriptBytesMax,
} from './transcript.ts'
import type { Checked } from './verdict.ts'

export const transcriptFile = 'ceremony.json'
export const circuitFile = 'circuit.r1cs'
export const phase1File = 'phase1.ptau'
/** Files are held in memory as a whole. */
export const sourceBytesMax = 2 ** 31

export const sha256Hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ENOENT':
      return 'there is no such file or folder'
    case 'EACCES':
    case 'EPERM':
      return 'permission is denied'
    case 'EISDIR':
      return 'it is a folder'
    case 'ENOTDIR':
      return 'its folder is a file'
    case 'ENOSPC':
      return 'the disk is full'
    default:
      return error instanceof Error ? error.message : String(error)
  }
}

export async function readSource(file: string, bytesMax = sourceBytesMax): Promise<Uint8Array> {
  try {
    const { size } = await stat(file)
    if (size > bytesMax) throw new Error(`it has ${size} bytes, and at most ${bytesMax} are read`)
    return new Uint8Array(await readFile(file))
  } catch (cause) {
    throw new CeremonyError('file', `${file} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}

export async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

const factsOf = (file: string, bytes: Uint8Array): FileFacts => ({
  file,
  bytes: bytes.length,
  sha256: sha256Hex(bytes),
})

/** Refuses to take the place of anything. */
export async function writeNew(folder: string, file: string, bytes: Uint8Array | string): Promise<FileFacts> {
  const target = path.join(folder, file)
  const partial = await writePartial(target, bytes)
  try {
    // Unlike a rename, a link fails when the name is taken.
    await link(partial, target)
  } catch (cause) {
    const isTaken = (cause as NodeJS.ErrnoException).code === 'EEXIST'
    throw new CeremonyError(
      'file',
      isTaken ? `${target} is there already` : `${target} cannot be written: ${reasonOf(cause)}`,
      {
        cause,
        ...(isTaken && { next: 'Nothing was changed. `npx shardy ceremony verify` says what there is.' }),
      },
    )
  } finally {
    await rm(partial, { force: true })
  }
  await syncFolder(folder)
  return factsOf(file, typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
}

export async function writeTranscript(folder: string, transcript: Transcript): Promise<void> {
  const target = path.join(folder, transcriptFile)
  const partial = await writePartial(target, encodeTranscript(transcript))
  try {
    await rename(partial, target)
  } catch (cause) {
    await rm(partial, { force: true })
    throw new CeremonyError('file', `${target} cannot be written: ${reasonOf(cause)}`, { cause })
  }
  await syncFolder(folder)
}

export async function readTranscript(folder: string): Promise<Checked<Transcript>> {
  const file = path.join(folder, transcriptFile)
  if (!(await isThere(file))) {
    throw new CeremonyError('file', `${folder} holds no ceremony: there is no ${transcriptFile} in it`, {
      next: '`npx shardy ceremony init` begins one.',
    })
  }
  return decodeTranscript(Buffer.from(await readSource(file, transcriptBytesMax)).toString('utf8'))
}

/** Not there yet, or an empty folder: anything else would be mixed with what is made. */
export async function assertFresh(folder: string): Promise<void> {
  let found: string[]
  try {
    found = await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw new CeremonyError('file', `${folder} cannot be used: ${reasonOf(error)}`, { cause: error })
  }
  if (found.length === 0) return
  throw new CeremonyError('file', `${folder} is not empty, and nothing in it is overwritten`, {
    next: 'Name a folder that is not there yet.',
  })
}

/** All of it or nothing: written beside its place, and moved there once it is whole. */
export async function createFolder(
  folder: string,
  files: readonly (readonly [name: string, bytes: Uint8Array | string])[],
): Promise<void> {
  await assertFresh(folder)
  const target = path.resolve(folder)
  await clearLeftovers(path.dirname(target), `${path.basename(target)}.`)
  const partial = partialOf(target)
  try {
    await rm(partial, { recursive: true, force: true })
    await mkdir(partial, { recursive: true })
    for (const [name, bytes] of files) {
      const handle = await open(path.join(partial, name), 'wx')
      try {
        await handle.writeFile(bytes)
        await handle.sync()
      } finally {
        await handle.close()
      }
    }
    await syncFolder(partial)
    await rename(partial, folder)
    await syncFolder(path.dirname(target))
  } catch (cause) {
    await rm(partial, { recursive: true, force: true })
    throw new CeremonyError('file', `${folder} cannot be written: ${reasonOf(cause)}`, { cause })
  }
}

/** What writers that were stopped left behind; one that still runs keeps its own. */
export async function clearLeftovers(folder: string, of = ''): Promise<void> {
  for (const file of await readdir(folder).catch(() => [])) {
    const pid = /\.(\d+)\.\d+\.partial$/.exec(file)?.[1]
    if (pid === undefined || !file.startsWith(of) || isRunning(Number(pid))) continue
    await rm(path.join(folder, file), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

let partials = 0

/** A name for this writer alone. */
const partialOf = (target: string): string => `${target}.${process.pid}.${++partials}.partial`

async function writePartial(target: string, bytes: Uint8Array | string): Promise<string> {
  const partial = partialOf(target)
  try {
    const handle = await open(partial, 'w')
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    return partial
  } catch (cause) {
    await rm(partial, { force: true })
    throw new CeremonyError('file', `${target} cannot be written: ${reasonOf(cause)}`, { cause })
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
