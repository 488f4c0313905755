// `artifacts/manifest.json`: which keys there are, of which circuit, with which files, and how far each may be trusted.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { ManifestFile, WrittenVersion } from '@shardy/proofs'
import { circuitsFolder } from './compile.ts'

export const artifactsFolder = path.join(circuitsFolder, 'artifacts')
export const manifestFile = path.join(artifactsFolder, 'manifest.json')
export const artifactFile = (name: string): string => path.join(artifactsFolder, name)

export interface Manifest {
  readonly format: 1
  readonly versions: readonly WrittenVersion[]
}

export function readManifest(): Manifest {
  if (!existsSync(manifestFile)) return { format: 1, versions: [] }
  const manifest: Manifest = JSON.parse(readFileSync(manifestFile, 'utf8'))
  if (manifest.format !== 1) throw new Error(`manifest.json has the format ${manifest.format}; this reads 1`)
  return manifest
}

/** Puts a version in the place of the one that has its number, or adds it. */
export function writeVersion(version: WrittenVersion): void {
  const others = readManifest().versions.filter((one) => one.verifierVersion !== version.verifierVersion)
  const versions = [...others, version].sort((left, right) => left.verifierVersion - right.verifierVersion)
  writeFileSync(manifestFile, `${JSON.stringify({ format: 1, versions }, null, 2)}\n`)
}

export function describeFile(name: string): ManifestFile {
  const bytes = readFileSync(artifactFile(name))
  return { path: name, bytes: bytes.length, sha256: digest(bytes) }
}

export const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
