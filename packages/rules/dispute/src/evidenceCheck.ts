/**
 * Checks evidence without trusting whoever hands it over (spec B21). What passes shows that these keys signed these
 * results and that one of them, or both, cannot follow from program and input.
 */
import {
  type Digest,
  merkleSplit,
  type PublicKey,
  type Sha256,
  type Signature,
  traceRootFromPath,
  type WorkerId,
} from '@shardy/protocol'
import { areInTrace, type Claim, type Evidence, wrongBy } from './evidence.ts'
import { dependenciesOf, type Outline } from './outline.ts'
import {
  disputedBy,
  type Party,
  type PartyRefusal,
  type ProgramRefusal,
  readProgram,
  refuseParties,
  signatureOf,
} from './party.ts'
import { knownAnswer, type Question, questionOf } from './question.ts'

export interface EvidenceTools {
  readonly sha256: Sha256
  readonly outline: Outline
  readonly verify: (publicKey: PublicKey, payload: Uint8Array, signature: Signature) => boolean
  /** The digest of the bytes that the question asks for; undefined when a blob is not to be had. */
  readonly reexecute: (question: Question) => Digest | undefined
}

export type EvidenceProblem =
  | PartyRefusal
  | ProgramRefusal
  | { readonly kind: 'badSignature'; readonly workerId: WorkerId }
  | { readonly kind: 'noSuchNode'; readonly node: number; readonly count: number }
  /** There are claims about a node where there may be none, or none where both sides need one. */
  | { readonly kind: 'wrongBasis' }
  /** The path does not lead from the claimed leaf to the root that the worker signed. */
  | { readonly kind: 'notInTrace'; readonly workerId: WorkerId }
  | { readonly kind: 'sameClaim' }
  /** The traces differ before this node too, so the values that it takes are not agreed. */
  | { readonly kind: 'notTheFirst' }
  /** The values shown are not those that the question needs, or are in neither trace. */
  | { readonly kind: 'wrongValues' }
  /** Not false, but not to be repeated without these. */
  | { readonly kind: 'blobsMissing'; readonly blobs: readonly Digest[] }
  | { readonly kind: 'otherDigest'; readonly expected: Digest; readonly actual: Digest }

export type CheckedEvidence =
  | { readonly ok: true; readonly wrong: readonly WorkerId[] }
  | { readonly ok: false; readonly problem: EvidenceProblem }

export function checkEvidence(value: Evidence, tools: EvidenceTools): CheckedEvidence {
  const { sha256, verify } = tools
  const { program, a, b, node } = value
  const refuse = (problem: EvidenceProblem): CheckedEvidence => ({ ok: false, problem })
  const refusal = refuseParties(a, b, sha256)
  if (refusal !== undefined) return refuse(refusal)
  for (const each of [a, b]) {
    const { workerId, publicKey, payload, signature } = signatureOf(each, sha256)
    if (!verify(publicKey, payload, signature)) return refuse({ kind: 'badSignature', workerId })
  }
  const read = readProgram(program, a.statement.programId, tools)
  if (!read.ok) return refuse(read.refusal)
  const { outline } = read
  const problem = checkBasis(value, outline.nodes.length, sha256)
  if (problem !== undefined) return refuse(problem)
  const { nodes } = dependenciesOf(outline, node)
  if (!areInTrace(value.shown, nodes, outline, value, sha256)) return refuse({ kind: 'wrongValues' })
  const question = questionOf(value, outline)
  const actual = knownAnswer(question, outline) ?? tools.reexecute(question)
  if (actual === undefined) return refuse({ kind: 'blobsMissing', blobs: question.blobs })
  if (actual !== value.digest) return refuse({ kind: 'otherDigest', expected: value.digest, actual })
  return { ok: true, wrong: wrongBy(value, outline, sha256) }
}

/** Whether the sides differ at the node that is named, and there first; or, without one, in the output alone. */
function checkBasis(
  { a, b, node, claimA, claimB }: Evidence,
  count: number,
  sha256: Sha256,
): EvidenceProblem | undefined {
  const hasEqualTraces = disputedBy(a).traceRoot === disputedBy(b).traceRoot
  if (node === undefined) {
    return hasEqualTraces && claimA === undefined && claimB === undefined ? undefined : { kind: 'wrongBasis' }
  }
  if (claimA === undefined || claimB === undefined) return { kind: 'wrongBasis' }
  if (node >= count) return { kind: 'noSuchNode', node, count }
  for (const [side, its] of [
    [a, claimA],
    [b, claimB],
  ] as const) {
    if (!leadsToRoot(side, its, node, count, sha256)) {
      return { kind: 'notInTrace', workerId: side.statement.workerId }
    }
  }
  if (claimA.leafHash === claimB.leafHash) return { kind: 'sameClaim' }
  return hasEqualLeft(node, count, claimA.path, claimB.path) ? undefined : { kind: 'notTheFirst' }
}

function leadsToRoot(
  side: Party,
  { leafHash, path }: Claim,
  node: number,
  count: number,
  sha256: Sha256,
): boolean {
  return traceRootFromPath(leafHash, { node, count, path }, sha256) === disputedBy(side).traceRoot
}

/** Whether all that stands to the left of the leaf is equal on both paths. Both are of the length that fits. */
function hasEqualLeft(
  node: number,
  count: number,
  pathA: readonly Digest[],
  pathB: readonly Digest[],
): boolean {
  let [from, to] = [0, count]
  for (let level = pathA.length - 1; level >= 0; level--) {
    const middle = from + merkleSplit(to - from)
    if (node < middle) to = middle
    else {
      if (pathA[level] !== pathB[level]) return false
      from = middle
    }
  }
  return true
}
