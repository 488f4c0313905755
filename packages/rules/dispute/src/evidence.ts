/**
 * What a decided dispute leaves (spec B20): both signed results, where their traces part, the agreed values that the
 * node there takes, and the digest that executing it gives. It holds all that a stranger needs but the blobs.
 */
import {
  blob,
  field,
  type Infer,
  list,
  message,
  optional,
  programBytesMax,
  type Sha256,
  type TraceLeaf,
  traceLeaf,
  traceLeafHash,
  traceNodesMax,
  tracePathMax,
  traceRootFromPath,
  values,
  type WorkerId,
  whole,
} from '@shardy/protocol'
import { type ProgramOutline, shownMax } from './outline.ts'
import { disputedBy, party } from './party.ts'

/** A leaf that leads to a trace root. */
export const shownLeaf = message('ShownLeaf', {
  leaf: field(1, traceLeaf.codec),
  path: field(2, list(values.digest, tracePathMax)),
})
export type ShownLeaf = Infer<typeof shownLeaf>

/** What one side has where the traces part. Its leaf need not be shown: the right one is known, and so is its hash. */
export const claim = message('Claim', {
  leafHash: field(1, values.digest),
  path: field(2, list(values.digest, tracePathMax)),
})
export type Claim = Infer<typeof claim>

export const evidence = message(
  'Evidence',
  {
    program: field(1, blob(programBytesMax)),
    a: field(2, party.codec),
    b: field(3, party.codec),
    /** The first node at which the traces differ; absent when they are equal and the outputs are not. */
    node: field(4, optional(whole(0, traceNodesMax - 1))),
    claimA: field(5, optional(claim.codec)),
    claimB: field(6, optional(claim.codec)),
    /** The nodes that the disputed one takes, or that are the output: ascending, each once. */
    shown: field(7, list(shownLeaf.codec, shownMax)),
    /** Of the bytes that the node gives from those values, or of the output made of them. */
    digest: field(8, values.digest),
  },
  ({ node, claimA, claimB }) =>
    (node === undefined) === (claimA === undefined) && (node === undefined) === (claimB === undefined)
      ? undefined
      : { field: 'claimA', rule: 'both sides have a claim about a node, and none about the output' },
)
export type Evidence = Infer<typeof evidence>

/** Whether these are the leaves of `nodes`, well formed, and in the trace of either side. */
export function areInTrace(
  shown: readonly ShownLeaf[],
  nodes: readonly number[],
  outline: ProgramOutline,
  { a, b }: Pick<Evidence, 'a' | 'b'>,
  sha256: Sha256,
): boolean {
  const count = outline.nodes.length
  const roots = [disputedBy(a).traceRoot, disputedBy(b).traceRoot]
  const isRight = ({ leaf, path }: ShownLeaf, node: number | undefined): boolean => {
    if (node === undefined || leaf.node !== node || leaf.byteLength !== outline.nodes[node]?.byteLength)
      return false
    const root = traceRootFromPath(traceLeafHash(leaf, sha256), { node, count, path }, sha256)
    return root !== undefined && roots.includes(root)
  }
  return shown.length === nodes.length && shown.every((each, index) => isRight(each, nodes[index]))
}

/** The one leaf that a node may have when it gives bytes of that digest. */
function rightLeaf(outline: ProgramOutline, node: number, digest: TraceLeaf['digest']): TraceLeaf {
  const byteLength = outline.nodes[node]?.byteLength
  if (byteLength === undefined) throw new RangeError(`the program has no node ${node}`)
  return { node, byteLength, digest }
}

/** Who is wrong if `digest` is what execution gives: at least one, since they differ. */
export function wrongBy(
  { a, b, node, claimA, claimB, digest }: Evidence,
  outline: ProgramOutline,
  sha256: Sha256,
): readonly WorkerId[] {
  const right = node === undefined ? digest : traceLeafHash(rightLeaf(outline, node, digest), sha256)
  const said = [
    [a, node === undefined ? disputedBy(a).outputDigest : claimA?.leafHash],
    [b, node === undefined ? disputedBy(b).outputDigest : claimB?.leafHash],
  ] as const
  return said.flatMap(([{ statement }, value]) => (value === right ? [] : [statement.workerId]))
}
