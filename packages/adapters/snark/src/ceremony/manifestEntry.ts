/** A finished ceremony as one version of the manifest of proof keys. Its trust is that of its weakest part. */
import type { ManifestFile, WrittenVersion } from '@shardy/proofs'
import type { MadeProofKind } from '@shardy/protocol'
import { isClosed, type Transcript } from './transcript.ts'

export interface ManifestEntry extends WrittenVersion {
  /** Verified but not yet given out: whoever runs the network makes it active. */
  readonly status: 'accepted'
}

export function manifestEntryOf(made: {
  readonly transcript: Transcript
  readonly verifierVersion: number
  readonly kind: MadeProofKind
  readonly zkey: ManifestFile
  readonly vkey: ManifestFile
  readonly wasm: ManifestFile
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
