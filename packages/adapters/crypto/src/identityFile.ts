/**
 * A server's identity on disk: one JSON file that only its owner may read. A new one appears whole or not at all;
 * an existing one is never replaced, because a lost key is a lost standing.
 */
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { exportIdentity, generateIdentity, importIdentity, type KeyedIdentity } from './identity.ts'

export class IdentityFileError extends Error {
  override readonly name = 'IdentityFileError'
  readonly path: string
  constructor(path: string, reason: string, cause?: unknown) {
    super(
      `the identity file ${path} ${reason}; repair it, or move it away to start with a new identity`,
      cause === undefined ? undefined : { cause },
    )
    this.path = path
  }
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
}

async function load(path: string): Promise<KeyedIdentity | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw new IdentityFileError(path, `cannot be read (${codeOf(cause) ?? 'unknown error'})`, cause)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new IdentityFileError(path, 'is not JSON', cause)
  }
  const imported = await importIdentity(value, { extractable: false })
  if (!imported.ok) throw new IdentityFileError(path, imported.refusal.reason)
  return imported.value
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** False when somebody else made the file meanwhile: a link, unlike a rename, never replaces. */
async function create(path: string): Promise<boolean> {
  const jwk = await exportIdentity(await generateIdentity({ extractable: true }))
  const temporary = `${path}.${crypto.randomUUID()}.new`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(jwk, undefined, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await link(temporary, path)
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false
    throw cause
  } finally {
    await unlink(temporary)
  }
  await syncFolder(dirname(path))
  return true
}

/** The identity in the file, which is made (0600, with its folder) when there is none. */
export async function openIdentityFile(path: string): Promise<KeyedIdentity> {
  const known = await load(path)
  if (known !== undefined) return known
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await create(path)
  } catch (cause) {
    throw new IdentityFileError(path, `cannot be written (${codeOf(cause) ?? 'unknown error'})`, cause)
  }
  const made = await load(path)
  if (made === undefined) throw new IdentityFileError(path, 'vanished while it was made')
  return made
}
