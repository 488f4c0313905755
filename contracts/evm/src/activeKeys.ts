// The keys that new deliveries are proven under, from the manifest beside the circuits.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { activeVersion, parseManifest, parseVerifyingKey, type VerifyingKey } from '@shardy/proofs'
import type { MadeProofKind } from '@shardy/protocol'
import type { VerifierFacts } from './groth16Verifier.ts'

export const artifactsFolder = path.join(import.meta.dirname, '../../../circuits/artifacts')

export type ActiveKey = { readonly key: VerifyingKey; readonly facts: Omit<VerifierFacts, 'name'> }

export function activeKey(kind: MadeProofKind): ActiveKey {
  const manifest = parseManifest(
    JSON.parse(readFileSync(path.join(artifactsFolder, 'manifest.json'), 'utf8')),
  )
  if (!manifest.ok) throw new Error(manifest.refusal.detail)
  const version = activeVersion(manifest.value, kind)
  if (version === undefined) throw new Error(`manifest.json has no active version of ${kind}`)
  const { vkey, r1cs } = version.files
  const bytes = readFileSync(path.join(artifactsFolder, vkey.path))
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (sha256 !== vkey.sha256)
    throw new Error(`${vkey.path} has SHA-256 ${sha256}; manifest.json names ${vkey.sha256}`)
  const key = parseVerifyingKey(JSON.parse(bytes.toString()))
  if (!key.ok) throw new Error(`${vkey.path}: ${key.refusal.detail}`)
  if (key.value.signalCount !== version.publicSignals)
    throw new Error(
      `${vkey.path} is for ${key.value.signalCount} signals; manifest.json says ${version.publicSignals}`,
    )
  const { circuit, verifierVersion, trust } = version
  return {
    key: key.value,
    facts: { circuit, verifierVersion, trust, circuitSha256: r1cs.sha256, verifyingKeySha256: vkey.sha256 },
  }
}
