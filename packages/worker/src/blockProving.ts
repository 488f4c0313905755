/**
 * Makes proofs of kind v3 in the calling thread, some seconds of it. Keys, which are large, are loaded when they are first asked for; a proof is
 * verified before it is given out.
 */
import {
  type Commitments,
  createV3Prover,
  openField,
  openVerifier,
  parseVerifyingKey,
  type V3Prover,
  type Verifier,
  v3Signals,
} from '@shardy/proofs'
import {
  foldDigest,
  idSignal,
  type MadeProofKind,
  packPosition,
  type Sha256,
  workerSignals,
} from '@shardy/protocol'
import { tilePartialSums } from '@shardy/tensor'
import { type BlockProver, cutBlock } from './blockProver.ts'
import type { ProofKeyFiles } from './taskProver.ts'

interface Opened {
  readonly prover: V3Prover
  readonly verifier: Verifier
}

export function createBlockProver(
  load: (kind: MadeProofKind, verifierVersion: number) => Promise<ProofKeyFiles>,
  sha256: Sha256,
): BlockProver {
  /** One: each takes tens of megabytes. */
  let current: { readonly verifierVersion: number; readonly opening: Promise<Opened> } | undefined
  let field: Promise<Commitments> | undefined

  function openVersion(verifierVersion: number): Promise<Opened> {
    if (current?.verifierVersion === verifierVersion) return current.opening
    const opening = load('v3', verifierVersion).then(open)
    const asked = { verifierVersion, opening }
    current = asked
    // What could not be loaded is asked for again next time.
    opening.catch(() => {
      if (current === asked) current = undefined
    })
    return opening
  }

  async function commitments(): Promise<Commitments> {
    field ??= openField().then((opened) => {
      if (!opened.ok) throw new Error(opened.refusal.message)
      return opened.field
    })
    return field
  }

  return {
    kinds: ['v3'],
    async sums(product, input, tile) {
      const { commitSums } = await commitments()
      return tilePartialSums(product, input, tile).map((sums) => commitSums(sums))
    },
    async prove(block) {
      const { verifierVersion, taskId, deliveryId, workerId, outputDigest, outputLength, position } = block
      const [{ prover, verifier }, { commitOperand, commitSums }] = await Promise.all([
        openVersion(verifierVersion),
        commitments(),
      ])
      const { a, b, before, after } = cutBlock(block)
      const [workerHigh, workerLow] = workerSignals(workerId)
      const binding = {
        taskId: idSignal(taskId),
        deliveryId: idSignal(deliveryId),
        workerHigh,
        workerLow,
        resultDigest: foldDigest(outputDigest, outputLength, sha256),
        position: packPosition(position),
        commitA: commitOperand(a, 'a'),
        commitB: commitOperand(b, 'b'),
        commitIn: commitSums(before),
        commitOut: commitSums(after),
      }
      const proof = await prover.prove({ binding, a, b, sumsIn: before })
      const verdict = verifier.verify(proof, v3Signals(binding))
      if (!verdict.ok) throw new Error(`the proof that was just made is refused: ${verdict.refusal.detail}`)
      return { kind: 'v3', verifierVersion, proof }
    },
  }
}

async function open({ zkey, vkey, wasm }: ProofKeyFiles): Promise<Opened> {
  if (wasm === undefined) throw new Error('the program that computes witnesses is missing')
  const key = parseVerifyingKey(vkey)
  const verifier = key.ok ? await openVerifier(key.value) : key
  if (!verifier.ok) throw new Error(`the verifying key is refused: ${verifier.refusal.detail}`)
  return { prover: await createV3Prover(zkey, wasm), verifier: verifier.value }
}
