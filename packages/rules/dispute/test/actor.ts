/**
 * Workers of many characters, each with what it signed and how it answers. What a worker is asked reaches it as the
 * effect that asks; what it says goes back as an input.
 */
import { type Digest, type TraceLeaf, traceTree } from '@shardy/protocol'
import { digestOf, sha256 } from './identity.ts'
import type { Random } from './random.ts'
import type { EffectOf, Timeless } from './scene.ts'
import { type Deviation, flip, lieAt, type Task, type TestWorker, worker } from './worker.ts'

export const characters = [
  'honest',
  /** Gives another value at one node and goes on from there. */
  'liar',
  'manyLiar',
  /** Computes truly and writes something else into the trace. */
  'traceLiar',
  'outputLiar',
  /** Its leaf names another length. */
  'bender',
  /** Has leaves too many or too few. */
  'miscounter',
  /** Lies, and says nothing when asked, or nothing any more. */
  'silent',
  /** Lies, and shows what hashes to nothing. */
  'garbage',
  /** Lies, and shows now its own tree, now the true one. */
  'equivocator',
  /** Lies, and gives no blobs. */
  'withholder',
] as const
export type Character = (typeof characters)[number]

/** Those that answer what they are asked from the tree that they signed: they are found by evidence, always. */
export const cooperative: readonly Character[] = [
  'liar',
  'manyLiar',
  'traceLiar',
  'outputLiar',
  'bender',
  'withholder',
]

export interface Actor {
  readonly character: Character
  readonly worker: TestWorker
  halves(ask: EffectOf<'askHalves'>): Timeless | undefined
  leaves(ask: EffectOf<'askLeaves'>): Timeless | undefined
  /** The bytes that it gives of those asked for. */
  blobs(ask: EffectOf<'askBlobs'>): readonly Uint8Array[]
}

export function createActor(name: string, character: Character, task: Task, random: Random): Actor {
  const own = worker(name, task, deviationOf(character, task, random))
  const truth = traceTree(worker(name, task).leaves, sha256)
  const about = { workerId: own.workerId }
  let answers = character === 'silent' ? random.below(4) : Number.POSITIVE_INFINITY
  const isSilent = (): boolean => answers-- <= 0
  const anyDigest = (): Digest => digestOf(Buffer.of(random.below(256), random.below(256)))
  return {
    character,
    worker: own,
    halves({ disputeId, from, to }) {
      if (isSilent()) return undefined
      const isTrue = character === 'equivocator' && random.chance(0.5)
      const halves = isTrue ? truth.halves(from, to) : own.halves(from, to)
      const shown =
        character === 'garbage' && random.chance(0.8)
          ? { left: random.chance(0.5) ? (halves?.left ?? anyDigest()) : anyDigest(), right: anyDigest() }
          : halves
      return shown && { kind: 'halvesShown', disputeId, ...about, from, to, halves: shown }
    },
    leaves({ disputeId, nodes }) {
      if (isSilent()) return undefined
      const leaves = own.shown(nodes)
      const shown =
        character === 'garbage'
          ? leaves.map((each) => ({ ...each, leaf: { ...each.leaf, digest: anyDigest() } }))
          : leaves
      return { kind: 'leavesShown', disputeId, ...about, leaves: shown }
    },
    blobs({ digests }) {
      if (character === 'withholder' || character === 'silent') return []
      if (character === 'garbage') return [Buffer.from('not what was asked for')]
      return digests.flatMap((digest) => own.blobs.get(digest) ?? [])
    },
  }
}

function deviationOf(character: Character, { program }: Task, random: Random): Deviation {
  const count = program.nodes.length
  const node = random.below(count)
  const some = Array.from({ length: 1 + random.below(4) }, () => random.below(count))
  const bend = (change: (leaf: TraceLeaf) => TraceLeaf, nodes: readonly number[]): Deviation => ({
    leaves: (leaves) => leaves.map((leaf) => (nodes.includes(leaf.node) ? change(leaf) : leaf)),
  })
  switch (character) {
    case 'honest':
      return {}
    case 'manyLiar':
      return { lie: lieAt(...some) }
    case 'traceLiar':
      return bend((leaf) => ({ ...leaf, digest: digestOf(Buffer.from(leaf.digest)) }), some)
    case 'outputLiar':
      return { output: flip }
    case 'bender':
      return bend((leaf) => ({ ...leaf, byteLength: leaf.byteLength + 1 }), [node])
    case 'miscounter': {
      const extra: TraceLeaf = { node: count, byteLength: 1, digest: digestOf(Buffer.from('extra')) }
      return random.chance(0.5) && count > 1
        ? { leaves: (leaves) => leaves.slice(0, -1) }
        : { leaves: (leaves) => [...leaves, extra] }
    }
    case 'liar':
    case 'silent':
    case 'garbage':
    case 'equivocator':
    case 'withholder':
      return { lie: lieAt(node) }
  }
}
