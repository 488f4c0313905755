/**
 * Signatures as the simulation has them: the hash of what is signed, and whose key it was. Like those of ECDSA, each has a second
 * form that is as valid as the first. Nobody forges one here; statements, leaves and batches are the real ones.
 */
import { sha256 } from '@shardy/crypto/native'
import {
  type BatchResult,
  encodeHex,
  merkleTree,
  type PublicKey,
  type Results,
  resultStatement,
  type Signature,
  signedBatch,
  statementLeaf,
  type WorkerId,
} from '@shardy/protocol'
import type { Described } from './message.ts'
import type { Answer } from './work.ts'

const keyAt = 32
const formAt = 33

function sign(payload: Uint8Array, publicKey: PublicKey): Signature {
  const signature = new Uint8Array(64)
  signature.set(sha256(payload))
  signature[keyAt] = publicKey[1] ?? 0
  return signature as Signature
}

/** In the place of the host's verification. */
export async function verify(
  publicKey: PublicKey,
  payload: Uint8Array,
  signature: Signature,
): Promise<boolean> {
  if (signature[keyAt] !== publicKey[1]) return false
  return Buffer.compare(sha256(payload), signature.subarray(0, keyAt)) === 0
}

export interface Signer {
  readonly workerId: WorkerId
  readonly publicKey: PublicKey
}

/** Several answers to one delivery are several statements: it is for the host to take the first alone. */
export function signAnswers(
  { workerId, publicKey }: Signer,
  { programId, ...described }: Described,
  answers: readonly Answer[],
  salt: string | undefined,
): Results {
  const { deliveryId } = described
  const leaves = answers.map(({ outputDigest }) =>
    statementLeaf(
      resultStatement(described, programId, workerId, { outputDigest, traceRoot: undefined }),
      sha256,
    ),
  )
  const results = answers.map(
    ({ output, outputDigest }, index): BatchResult => ({
      deliveryId,
      outputDigest,
      output,
      salt,
      traceRoot: undefined,
      leaf: encodeHex(leaves[index] ?? new Uint8Array(0)) as BatchResult['leaf'],
      proof: undefined,
    }),
  )
  const { root } = merkleTree(leaves, sha256)
  return { results, signature: sign(signedBatch(root, results.length), publicKey) }
}

/** The same statement under another signature that is valid as well. */
export function secondForm({ results, signature }: Results): Results {
  const other = signature.slice()
  other[formAt] = 1
  return { results, signature: other as Signature }
}

/** Somebody else's statement, or an older one, in the place of the one that is asked for. */
export function misplaced({ results, signature }: Results, deliveryId: BatchResult['deliveryId']): Results {
  return { results: results.map((each) => ({ ...each, deliveryId })), signature }
}
