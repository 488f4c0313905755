/**
 * Makes proofs of kind v2 in the calling thread. Every proof is verified before it is given out, so that a faulty machine hands its
 * work back instead of sending what is refused.
 */
import {
  createV2Prover,
  openVerifier,
  parseVerifyingKey,
  type V2Prover,
  type Verifier,
  v2Signals,
} from '@shardy/proofs'
import { foldDigest, idSignal, type MadeProofKind, type Sha256, type ZkProofPayload } from '@shardy/protocol'
import { createKeyVersions } from './keyVersions.ts'
import type { Provable, TaskProver } from './prover.ts'

/** What a version of the manifest is proven and verified with. */
export interface ProofKeyFiles {
  readonly zkey: Uint8Array
  /** As snarkjs writes it, parsed. */
  readonly vkey: unknown
  /** The circuit's own program, where a witness needs it. */
  readonly wasm: Uint8Array | undefined
}

interface Opened {
  readonly prover: V2Prover
  readonly verifier: Verifier
}

/** `load` gives the files of a version, or rejects with the reason why they cannot be had. */
export function createTaskProver(
  load: (kind: MadeProofKind, verifierVersion: number) => Promise<ProofKeyFiles>,
  sha256: Sha256,
): TaskProver {
  const version = createKeyVersions((verifierVersion) => load('v2', verifierVersion).then(open))

  /** All of one version, in one go. */
  async function proveAll(verifierVersion: number, answers: readonly Provable[]): Promise<Uint8Array[]> {
    const { prover, verifier } = await version(verifierVersion)
    const made = answers.map(({ taskId, seed, outputDigest, outputLength }) => {
      const resultDigest = foldDigest(outputDigest, outputLength, sha256)
      const statement = { taskId: idSignal(taskId), seed, outputLength: BigInt(outputLength), resultDigest }
      return { proof: prover.prove(statement), signals: v2Signals(statement) }
    })
    for (const verdict of verifier.verifyBatch(made)) {
      if (!verdict.ok) throw new Error(`a proof that was just made is refused: ${verdict.refusal.detail}`)
    }
    return made.map(({ proof }) => proof)
  }

  return {
    kinds: ['v2'],
    async prove(answers) {
      const payloads: ZkProofPayload[] = []
      for (const [verifierVersion, places] of byVersion(answers)) {
        const proofs = await proveAll(
          verifierVersion,
          places.map((place) => answers[place] as Provable),
        )
        for (const [index, place] of places.entries()) {
          payloads[place] = { kind: 'v2', verifierVersion, proof: proofs[index] as Uint8Array }
        }
      }
      return payloads
    },
  }
}

async function open({ zkey, vkey }: ProofKeyFiles): Promise<Opened> {
  const key = parseVerifyingKey(vkey)
  if (!key.ok) throw new Error(`the verifying key is refused: ${key.refusal.detail}`)
  const verifier = await openVerifier(key.value)
  if (!verifier.ok) throw new Error(`the verifying key is refused: ${verifier.refusal.detail}`)
  return { prover: await createV2Prover(zkey), verifier: verifier.value }
}

function byVersion(answers: readonly Provable[]): ReadonlyMap<number, readonly number[]> {
  const places = new Map<number, number[]>()
  for (const [place, { kind, verifierVersion }] of answers.entries()) {
    if (kind !== 'v2') throw new Error(`proofs of kind ${kind} are not made here`)
    const same = places.get(verifierVersion) ?? []
    same.push(place)
    places.set(verifierVersion, same)
  }
  return places
}
