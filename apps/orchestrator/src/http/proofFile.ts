/**
 * What proofs are made and verified with, as it is given out: `manifest.json` and the files that it names with their digests. Megabytes for
 * whoever asks, so that all responses share one copy, however slowly they are read.
 */
import path from 'node:path'

export interface ProofFile {
  readonly content: Blob
  /** What the manifest says, of a file that it names. */
  readonly sha256: string | undefined
}

/** Undefined when nothing of that name is given out. */
export type FindProofFile = (name: string) => ProofFile | undefined

const proofFilesPath = '/snark/'

const types: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

export function proofFile(bytes: Uint8Array<ArrayBuffer>, sha256?: string): ProofFile {
  return { content: new Blob([bytes]), sha256 }
}

/**
 * Whoever fetches a file names its digest and need never fetch it again. Only under the digest that it has: between here and there are
 * caches that would keep another file under it for good.
 */
export function serveProofFile(find: FindProofFile, { pathname, searchParams }: URL): Response | undefined {
  if (!pathname.startsWith(proofFilesPath)) return undefined
  const name = pathname.slice(proofFilesPath.length)
  const file = find(name)
  if (file === undefined) return undefined
  const { content, sha256 } = file
  const isNamedByContent = sha256 !== undefined && searchParams.get('sha256') === sha256
  const caching = isNamedByContent ? 'public, max-age=31536000, immutable' : 'no-cache'
  const type = types[path.extname(name)] ?? 'application/octet-stream'
  return new Response(content, { headers: { 'content-type': type, 'cache-control': caching } })
}
