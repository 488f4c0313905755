// `artifacts/manifest.json`: which keys there are, of which circuit, with which files, and how far each may be trusted.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { circuitsFolder } from './compile.ts'
import type { Statement } from './statements.ts'

export const artifactsFolder = path.join(circuitsFolder, 'artifacts')
export const manifestFile = path.join(artifactsFolder, 'manifest.json')
export const artifactFile = (name: string): string => path.join(artifactsFolder, name)

export interface ManifestFile {
  /** Beside the manifest. */
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

export interface Version {
  readonly verifierVersion: number
  readonly kind: Statement['kind']
  readonly status: 'active' | 'accepted' | 'retired'
  /** `development`: one dealer knew the secrets of this key, and could forge any proof under it. */
  readonly trust: 'development' | 'ceremony'
  readonly circuit: string
  readonly system: 'groth16'
  readonly curve: 'bn254'
  readonly constraints: number
  readonly publicSignals: number
  readonly files: {
    readonly wasm: ManifestFile
    readonly zkey: ManifestFile
    readonly vkey: ManifestFile
    /** Not kept: compiling the circuit again must give these bytes. */
    readonly r1cs: { readonly sha256: string }
  }
  readonly contributions: readonly { readonly name: string; readonly hash: string }[]
  readonly note: string
}

export interface Manifest {
  readonly format: 1
  readonly versions: readonly Version[]
}

export function readManifest(): Manifest {
  if (!existsSync(manifestFile)) return { format: 1, versions: [] }
  const manifest: Manifest = JSON.parse(readFileSync(manifestFile, 'utf8'))
  if (manifest.format !== 1) throw new Error(`manifest.json has the format ${manifest.format}; this reads 1`)
  return manifest
}

/** Puts a version in the place of the one that has its number, or adds it. */
export function writeVersion(version: Version): void {
  const others = readManifest().versions.filter((one) => one.verifierVersion !== version.verifierVersion)
  const versions = [...others, version].sort((left, right) => left.verifierVersion - right.verifierVersion)
  writeFileSync(manifestFile, `${JSON.stringify({ format: 1, versions }, null, 2)}\n`)
}

export function describeFile(name: string): ManifestFile {
  const bytes = readFileSync(artifactFile(name))
  return { path: name, bytes: bytes.length, sha256: digest(bytes) }
}

export const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
