/** A finished ceremony as one version of the manifest of proof keys. Its trust is that of its weakest part. */
import type { MadeProofKind } from '@shardy/protocol'
import { isClosed, type Transcript } from './transcript.ts'

interface NamedFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

export interface ManifestEntry {
  readonly verifierVersion: number
  readonly kind: MadeProofKind
  /** Verified but not yet given out: whoever runs the network makes it active. */
  readonly status: 'accepted'
  readonly trust: 'development' | 'ceremony'
  readonly circuit: string
  readonly system: 'groth16'
  readonly curve: 'bn254'
  readonly constraints: number
  readonly publicSignals: number
  readonly files: {
    readonly wasm: NamedFile
    readonly zkey: NamedFile
    readonly vkey: NamedFile
    readonly r1cs: { readonly sha256: string }
  }
  readonly contributions: readonly { readonly name: string; readonly hash: string }[]
  readonly note: string
}

export function manifestEntryOf(made: {
  readonly transcript: Transcript
  readonly verifierVersion: number
  readonly kind: MadeProofKind
  readonly zkey: NamedFile
  readonly vkey: NamedFile
  readonly wasm: NamedFile
}): ManifestEntry {
  const { transcript, verifierVersion, kind, zkey, vkey, wasm } = made
  const { circuit, phase1, contributions } = transcript
  const isCeremony = phase1.trust === 'ceremony' && isClosed(transcript)
  return {
    verifierVersion,
    kind,
    status: 'accepted',
    trust: isCeremony ? 'ceremony' : 'development',
    circuit: circuit.name,
    system: 'groth16',
    curve: 'bn254',
    constraints: circuit.constraints,
    publicSignals: circuit.publicSignals,
    files: { wasm, zkey, vkey, r1cs: { sha256: circuit.sha256 } },
    contributions: contributions.map(({ name, hash }) => ({ name, hash })),
    note: isCeremony
      ? `Sound if one contributor forgot the secret, and one contributor of the powers of tau with BLAKE2b ${phase1.blake2b512} did.`
      : 'Development: the powers of tau were made by one person, who could forge proofs. Never for work that is paid.',
  }
}
