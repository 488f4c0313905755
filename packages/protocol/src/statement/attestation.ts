/**
 * A signature over a batch of statements together with the path that leads from one statement to the signed root
 * (spec S4, S5). A single statement is a batch of one with an empty path. Signing and verifying are the host's work;
 * this file says over which bytes.
 */
import type { Sha256 } from '../hash.ts'
import type { Signature } from '../ids.ts'
import { attestationPathMax, statementsPerBatchMax } from '../limits.ts'
import { domainPayload } from '../payload.ts'
import { hex, list, signature, whole } from '../schema/codec.ts'
import { decodeHex, encodeHex } from '../schema/hex.ts'
import { field, type Infer, message } from '../schema/message.ts'
import { merkleRootFromPath, merkleTree } from './merkle.ts'
import { type Statement, statementLeaf } from './statement.ts'

export const attestation = message(
  'Attestation',
  {
    signature: field(1, signature()),
    index: field(2, whole(0, statementsPerBatchMax - 1)),
    count: field(3, whole(1, statementsPerBatchMax)),
    path: field(4, list(hex<string>(32), attestationPathMax)),
  },
  (value) =>
    value.index < value.count ? undefined : { field: 'index', rule: 'the index lies within the batch' },
)
export type Attestation = Infer<typeof attestation>

/** What the signature of a batch covers. */
export const batchContent = message('BatchContent', {
  root: field(1, hex<string>(32)),
  count: field(2, whole(1, statementsPerBatchMax)),
})

/** The bytes that are signed once for all statements under the root. */
export function signedBatch(root: Uint8Array, count: number): Uint8Array {
  return domainPayload('batch', batchContent.encode({ root: encodeHex(root), count }))
}

export interface Batch {
  /** The bytes to sign, once for all statements. */
  readonly payload: Uint8Array
  /** The attestations, in the order of the statements. */
  attest(signature: Signature): readonly Attestation[]
}

export function batchStatements(statements: readonly Statement[], sha256: Sha256): Batch {
  const { root, paths } = merkleTree(
    statements.map((value) => statementLeaf(value, sha256)),
    sha256,
  )
  const count = statements.length
  return {
    payload: signedBatch(root, count),
    attest: (signature) =>
      paths.map((path, index) => ({ signature, index, count, path: path.map(encodeHex) })),
  }
}

/** The bytes that the attestation's signature must cover, or undefined when its path fits no tree of that size. */
export function attestedPayload(
  value: Statement,
  { index, count, path }: Attestation,
  sha256: Sha256,
): Uint8Array | undefined {
  const siblings = path.map((text) => decodeHex(text) ?? new Uint8Array(0))
  const root = merkleRootFromPath(statementLeaf(value, sha256), index, count, siblings, sha256)
  return root && signedBatch(root, count)
}
