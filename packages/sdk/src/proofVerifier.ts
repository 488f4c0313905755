/**
 * Verifies proofs with the keys that a manifest lists, wherever its files come from: a folder, a site, an orchestrator. What could not be had
 * is asked for again next time.
 */
import {
  type KeyTrust,
  type KeyVersion,
  loadArtifact,
  openVerifier,
  parseManifest,
  parseVerifyingKey,
  type Verifier,
} from '@shardy/proofs'
import type { Sha256 } from '@shardy/protocol'
import type { ProofVerdict, VerifyProof } from './receiptProof.ts'

/** Brings a file of the manifest, or `manifest.json` itself. */
export type FetchKeyFile = (name: string) => Promise<Uint8Array>

export function createProofVerifier(fetchFile: FetchKeyFile, sha256: Sha256): VerifyProof {
  const opened = new Map<number, Promise<Verifier>>()
  let reading: Promise<readonly KeyVersion[]> | undefined

  async function readVersions(): Promise<readonly KeyVersion[]> {
    const parsed = parseManifest(JSON.parse(new TextDecoder().decode(await fetchFile('manifest.json'))))
    if (!parsed.ok) throw new Error(parsed.refusal.detail)
    return parsed.value.versions
  }

  function versions(): Promise<readonly KeyVersion[]> {
    if (reading === undefined) {
      reading = readVersions()
      reading.catch(() => {
        reading = undefined
      })
    }
    return reading
  }

  async function open({ files }: KeyVersion): Promise<Verifier> {
    const bytes = await loadArtifact(files.vkey, fetchFile, sha256)
    const key = parseVerifyingKey(JSON.parse(new TextDecoder().decode(bytes)))
    const verifier = key.ok ? await openVerifier(key.value) : key
    if (!verifier.ok) throw new Error(verifier.refusal.detail)
    return verifier.value
  }

  return async ({ kind, verifierVersion, proof }, signals) => {
    let verifier: Verifier
    let key: { readonly trust: KeyTrust; readonly isRetired?: true }
    try {
      const version = (await versions()).find((each) => each.verifierVersion === verifierVersion)
      if (version?.kind !== kind)
        return unknown(`no key here is of version ${verifierVersion} and kind ${kind}`)
      const opening = opened.get(verifierVersion) ?? open(version)
      opened.set(verifierVersion, opening)
      opening.catch(() => opened.delete(verifierVersion))
      // A retired key still says what it said: that it may be broken is for whoever reads the facts to weigh.
      key = { trust: version.trust, ...(version.status === 'retired' && { isRetired: true }) }
      verifier = await opening
    } catch (error) {
      return unknown(`the key cannot be had: ${error instanceof Error ? error.message : String(error)}`)
    }
    const verdict = verifier.verify(proof, signals)
    if (verdict.ok) return { kind: 'holds', ...key }
    const { code, detail } = verdict.refusal
    return { kind: 'false', reason: `${code}: ${detail}` }
  }
}

function unknown(reason: string): ProofVerdict {
  return { kind: 'unknown', reason }
}
