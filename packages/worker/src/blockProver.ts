/**
 * Commits to sums and makes proofs of kind v3 in the calling thread, one after the other: a proof takes a second and more, and two at a time
 * take longer than both in turn. Each is verified before it is given out.
 */
import {
  createV3Prover,
  type Field,
  openField,
  openVerifier,
  parseVerifyingKey,
  type V3Prover,
  type Verifier,
} from '@shardy/proofs'
import {
  foldDigest,
  idSignal,
  type MadeProofKind,
  packPosition,
  type Sha256,
  taskProofV3Signals,
  workerSignals,
  type ZkProofPayload,
} from '@shardy/protocol'
import { tilePartialSums } from '@shardy/tensor'
import { cutBlock } from './cutBlock.ts'
import { createKeyVersions } from './keyVersions.ts'
import type { BlockProver, ProvableBlock } from './prover.ts'
import type { ProofKeyFiles } from './taskProver.ts'

interface Opened {
  readonly prover: V3Prover
  readonly verifier: Verifier
}

/** `load` gives the files of a version, or rejects with the reason why they cannot be had. */
export function createBlockProver(
  load: (kind: MadeProofKind, verifierVersion: number) => Promise<ProofKeyFiles>,
  sha256: Sha256,
): BlockProver {
  const version = createKeyVersions((verifierVersion) => load('v3', verifierVersion).then(open))
  let opening: Promise<Field> | undefined
  const field = (): Promise<Field> => {
    opening ??= openCommitments()
    return opening
  }
  let last: Promise<unknown> = Promise.resolve()

  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = last.then(act)
    last = done.catch(() => {})
    return done
  }

  async function prove(block: ProvableBlock): Promise<ZkProofPayload> {
    const { verifierVersion, taskId, deliveryId, workerId, outputDigest, outputLength, position } = block
    const { prover, verifier } = await version(verifierVersion)
    const { commitOperand, commitSums } = await field()
    const { a, b, before, after } = cutBlock(block)
    const commitments = {
      commitA: commitOperand(a, 'a'),
      commitB: commitOperand(b, 'b'),
      commitIn: commitSums(before),
      commitOut: commitSums(after),
    }
    const [workerHigh, workerLow] = workerSignals(workerId)
    const binding = {
      taskId: idSignal(taskId),
      deliveryId: idSignal(deliveryId),
      workerHigh,
      workerLow,
      resultDigest: foldDigest(outputDigest, outputLength, sha256),
      position: packPosition(position),
      ...commitments,
    }
    const proof = await prover.prove({ binding, a, b, sumsIn: before })
    const about = { taskId, deliveryId, workerId, outputDigest, outputLength, position, ...commitments }
    const verdict = verifier.verify(proof, taskProofV3Signals(about, sha256))
    if (!verdict.ok) throw new Error(`a proof that was just made is refused: ${verdict.refusal.detail}`)
    return { kind: 'v3', verifierVersion, proof }
  }

  return {
    kinds: ['v3'],
    sums: (product, input, tile) =>
      inTurn(async () => {
        const { commitSums } = await field()
        return tilePartialSums(product, input, tile).map(commitSums)
      }),
    prove: (block) => inTurn(() => prove(block)),
  }
}

async function openCommitments(): Promise<Field> {
  const opened = await openField()
  if (!opened.ok) throw new Error(opened.refusal.message)
  return opened.field
}

async function open({ zkey, vkey, wasm }: ProofKeyFiles): Promise<Opened> {
  if (wasm === undefined) throw new Error("the circuit's own program is missing")
  const key = parseVerifyingKey(vkey)
  if (!key.ok) throw new Error(`the verifying key is refused: ${key.refusal.detail}`)
  const verifier = await openVerifier(key.value)
  if (!verifier.ok) throw new Error(`the verifying key is refused: ${verifier.refusal.detail}`)
  return { prover: await createV3Prover(zkey, wasm), verifier: verifier.value }
}
