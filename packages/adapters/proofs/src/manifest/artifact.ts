/** Files of a manifest as they come from anywhere: used only when length and digest are those that it names. */
import { encodeHex, type Sha256 } from '@shardy/protocol'
import type { ManifestFile } from './manifest.ts'

export class ArtifactError extends Error {
  override readonly name = 'ArtifactError'
}

export async function loadArtifact(
  { path, bytes, sha256: expected }: ManifestFile,
  fetchBytes: (path: string, sha256: string, bytesMax: number) => Promise<Uint8Array>,
  sha256: Sha256,
): Promise<Uint8Array> {
  const found = await fetchBytes(path, expected, bytes)
  if (found.length !== bytes)
    throw new ArtifactError(`${path} has ${found.length} bytes, the manifest says ${bytes}`)
  const actual = encodeHex(sha256(found))
  if (actual !== expected)
    throw new ArtifactError(`${path} has the digest ${actual}, the manifest says ${expected}`)
  return found
}
