/**
 * What a worker claims (spec C6, C8): the output, and the transcript, which is the sums of every projected node that are
 * not in the output anyway. And what it binds itself to before anyone says where they will look: the output's digest, and the
 * root of a Merkle tree over the parts, so that one part can be asked for alone.
 */
import {
  type Digest,
  decodeHex,
  domainPayload,
  encodeHex,
  field,
  type Infer,
  merkleLeaf,
  merkleRootFromPath,
  merkleTree,
  message,
  type Sha256,
  values,
  whole,
} from '@shardy/protocol'
import { valuesMax } from '../operation.ts'
import { inferProgram } from '../program/inference.ts'
import type { Program } from '../program/program.ts'
import { tensorFromBytes } from '../tensor.ts'
import type { Value } from '../value.ts'
import type { Bits } from './bits.ts'
import { encodePart } from './part.ts'
import { planCheck } from './plan.ts'
import type { Policy } from './policy.ts'

export interface Claim {
  readonly output: Uint8Array
  /** In the order of the plan's `parts`. */
  readonly transcript: readonly Uint8Array[]
}

export interface ClaimCommitment {
  readonly outputDigest: Digest
  /** Absent where the plan has no parts, or where nothing was committed to before everything had arrived. */
  readonly transcriptRoot: Digest | undefined
}

/** Node and length are hashed too, so a leaf is good for one place and one reading of its bytes. */
export const transcriptLeaf = message('TranscriptLeaf', {
  node: field(1, whole(0, valuesMax - 1)),
  byteLength: field(2, whole(0, Number.MAX_SAFE_INTEGER)),
  digest: field(3, values.digest),
})
export type TranscriptLeaf = Infer<typeof transcriptLeaf>

/** What an executor gave, with the values that the plan's `keep` names, as a claim. */
export function makeClaim(
  program: Program,
  policy: Policy,
  { output, kept }: { readonly output: Uint8Array; readonly kept: ReadonlyMap<number, Uint8Array> },
  bits: Bits,
): Claim {
  const { values: inferred } = inferProgram(program)
  const transcript = planCheck(program, policy).keep.map((index) => {
    const bytes = kept.get(index)
    if (bytes === undefined) throw new RangeError(`the value ${index} was not kept`)
    const { data } = tensorFromBytes(inferred[index] as Value, bytes)
    return encodePart(Int32Array.from(data), bits)
  })
  return { output, transcript }
}

/** Whether these bytes are what was committed to. */
export function opensCommitment(
  parts: readonly number[],
  claim: Claim,
  { outputDigest, transcriptRoot }: ClaimCommitment,
  isTranscriptFree: boolean,
  sha256: Sha256,
): boolean {
  const looked = isTranscriptFree && transcriptRoot === undefined ? { ...claim, transcript: [] } : claim
  const found = commitToClaim(looked === claim ? parts : [], looked, sha256)
  return found.outputDigest === outputDigest && found.transcriptRoot === transcriptRoot
}

export function digestOf(bytes: Uint8Array, sha256: Sha256): Digest {
  return encodeHex(sha256(bytes)) as Digest
}

function leafHash(leaf: TranscriptLeaf, sha256: Sha256): Uint8Array {
  return merkleLeaf(domainPayload('transcript', transcriptLeaf.encode(leaf)), sha256)
}

function partHash(node: number, part: Uint8Array, sha256: Sha256): Uint8Array {
  return leafHash({ node, byteLength: part.length, digest: digestOf(part, sha256) }, sha256)
}

/** `parts` are the plan's. A claim with another number of them has no commitment. */
export function commitToClaim(parts: readonly number[], claim: Claim, sha256: Sha256): ClaimCommitment {
  if (claim.transcript.length !== parts.length) {
    throw new RangeError(`${claim.transcript.length} parts for ${parts.length} nodes`)
  }
  const leaves = claim.transcript.map((part, index) => partHash(parts[index] ?? 0, part, sha256))
  const root = leaves.length === 0 ? undefined : merkleTree(leaves, sha256).root
  return {
    outputDigest: digestOf(claim.output, sha256),
    transcriptRoot: root && (encodeHex(root) as Digest),
  }
}

/** The hashes beside the way from part `index` to the root: what a worker sends with a part that is asked for alone. */
export function pathToPart(
  parts: readonly number[],
  transcript: readonly Uint8Array[],
  index: number,
  sha256: Sha256,
): readonly Digest[] {
  const leaves = transcript.map((part, at) => partHash(parts[at] ?? 0, part, sha256))
  const path = merkleTree(leaves, sha256).paths[index]
  if (path === undefined) throw new RangeError(`there is no part ${index}`)
  return path.map((hash) => encodeHex(hash) as Digest)
}

/** Whether a part that came alone is the one committed to. */
export function isPartOf(
  root: Digest,
  parts: readonly number[],
  {
    index,
    part,
    path,
  }: { readonly index: number; readonly part: Uint8Array; readonly path: readonly Digest[] },
  sha256: Sha256,
): boolean {
  const node = parts[index]
  if (node === undefined) return false
  const hashes = path.map((hash) => decodeHex(hash) ?? new Uint8Array(0))
  const found = merkleRootFromPath(partHash(node, part, sha256), index, parts.length, hashes, sha256)
  return found !== undefined && encodeHex(found) === root
}
