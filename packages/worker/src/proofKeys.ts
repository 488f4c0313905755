/**
 * The files that proofs are made with, from the orchestrator that asks for the proofs: its manifest names the version's files with
 * their digests, and what comes with another is not used. A version that is not known yet may be new, so the manifest is read again.
 */
import { ArtifactError, acceptedVersion, loadArtifact, type Manifest, parseManifest } from '@shardy/proofs'
import type { MadeProofKind, Sha256 } from '@shardy/protocol'
import { readAtMost } from './readAtMost.ts'
import type { ProofKeyFiles } from './taskProver.ts'

/** Brings a file from where the manifest is; its digest is named so that it may be kept for good under it. */
export type FetchProofFile = (
  name: string,
  sha256: string | undefined,
  bytesMax: number,
) => Promise<Uint8Array>

const manifestName = 'manifest.json'
const manifestBytesMax = 1024 * 1024

export function createKeyLoader(
  fetchFile: FetchProofFile,
  sha256: Sha256,
): (kind: MadeProofKind, verifierVersion: number) => Promise<ProofKeyFiles> {
  async function readManifest(): Promise<Manifest> {
    const text = new TextDecoder().decode(await fetchFile(manifestName, undefined, manifestBytesMax))
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch (cause) {
      throw new ArtifactError('the manifest of the proof keys is not JSON', { cause })
    }
    const parsed = parseManifest(json)
    if (!parsed.ok) throw new ArtifactError(parsed.refusal.detail)
    return parsed.value
  }

  return async (kind, verifierVersion) => {
    const found = acceptedVersion(await readManifest(), kind, verifierVersion)
    if (!found.ok) throw new ArtifactError(found.refusal.detail)
    const { wasm, zkey, vkey } = found.value.files
    const load = (file: typeof zkey) => loadArtifact(file, fetchFile, sha256)
    return {
      zkey: await load(zkey),
      vkey: JSON.parse(new TextDecoder().decode(await load(vkey))),
      // A witness of v2 is a subtraction; those of other kinds are computed by the circuit's own program.
      wasm: kind === 'v2' ? undefined : await load(wasm),
    }
  }
}

/** Whoever waits for a key makes no other proof meanwhile, so that a server that says nothing must not be waited for for good. */
const fetchPatienceMs = 240_000

/** Over HTTP; the address may be the socket's. */
export function fetchProofFiles(orchestratorUrl: string, patienceMs = fetchPatienceMs): FetchProofFile {
  return async (name, sha256, bytesMax) => {
    const url = new URL(`/snark/${name}`, orchestratorUrl)
    url.protocol = url.protocol.replace('ws', 'http')
    if (sha256 !== undefined) url.searchParams.set('sha256', sha256)
    let response: Response
    let bytes: Uint8Array | undefined
    try {
      response = await fetch(url, { signal: AbortSignal.timeout(patienceMs) })
      if (response.ok) bytes = await readAtMost(response, bytesMax)
    } catch (cause) {
      throw new ArtifactError(`${name} cannot be fetched: ${cause}`, { cause })
    }
    if (!response.ok) throw new ArtifactError(`${name} is not given out: HTTP ${response.status}`)
    if (bytes === undefined)
      throw new ArtifactError(`${name} has more than the ${bytesMax} bytes that were expected`)
    return bytes
  }
}
