// The keys that new deliveries are proven under, one for each kind of proof, from the manifest beside the circuits. A file
// that is not the one which the manifest names is refused.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { VerifierFacts } from './groth16Verifier.ts'
import { readVerifyingKey, type VerifyingKey } from './verifyingKey.ts'

export const artifactsFolder = path.join(import.meta.dirname, '../../../circuits/artifacts')

type Version = {
  readonly verifierVersion: number
  readonly kind: string
  readonly status: string
  readonly trust: VerifierFacts['trust']
  readonly circuit: string
  readonly publicSignals: number
  readonly files: {
    readonly vkey: { readonly path: string; readonly sha256: string }
    readonly r1cs: { readonly sha256: string }
  }
}

export type ActiveKey = { readonly key: VerifyingKey; readonly facts: Omit<VerifierFacts, 'name'> }

export function activeKey(kind: string): ActiveKey {
  const manifest: { readonly format: number; readonly versions: readonly Version[] } = JSON.parse(
    readFileSync(path.join(artifactsFolder, 'manifest.json'), 'utf8'),
  )
  if (manifest.format !== 1) throw new Error(`manifest.json has the format ${manifest.format}; this reads 1`)
  const [version, ...others] = manifest.versions.filter((one) => one.kind === kind && one.status === 'active')
  if (version === undefined || others.length > 0)
    throw new Error(
      `manifest.json has ${others.length + (version ? 1 : 0)} active versions of ${kind}: one is wanted`,
    )
  const { vkey, r1cs } = version.files
  const bytes = readFileSync(path.join(artifactsFolder, vkey.path))
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (sha256 !== vkey.sha256)
    throw new Error(`${vkey.path} has SHA-256 ${sha256}; manifest.json names ${vkey.sha256}`)
  const key = readVerifyingKey(bytes.toString())
  if (key.inputs.length !== version.publicSignals + 1)
    throw new Error(
      `${vkey.path} is for ${key.inputs.length - 1} signals; manifest.json says ${version.publicSignals}`,
    )
  const { circuit, verifierVersion, trust } = version
  return {
    key,
    facts: { circuit, verifierVersion, trust, circuitSha256: r1cs.sha256, verifyingKeySha256: vkey.sha256 },
  }
}
