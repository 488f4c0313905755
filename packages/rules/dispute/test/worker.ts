/** A worker as a dispute sees it: what it signed, and the trace that it answers from. */
import {
  type Digest,
  domainPayload,
  type ProgramId,
  type TraceLeaf,
  type TraceTree,
  traceTree,
} from '@shardy/protocol'
import type { Halves, Party, ShownLeaf } from '../src/index.ts'
import { attest, digestOf, publicKeyOf, resultOf, sha256, workerIdOf } from './identity.ts'
import { type Blobs, encodeProgram, putBlob, run, type TestProgram } from './program.ts'

export interface Task {
  readonly program: TestProgram
  readonly bytes: Uint8Array
  readonly programId: ProgramId
  readonly input: Uint8Array
  /** What everybody can have: the input and the constants. */
  readonly blobs: Blobs
}

export function taskOf(program: TestProgram, blobs: Blobs, input = inputOf(program)): Task {
  const bytes = encodeProgram(program)
  putBlob(blobs, input)
  return {
    program,
    bytes,
    programId: digestOf(domainPayload('program', bytes)) as string as ProgramId,
    input,
    blobs,
  }
}

function inputOf({ inputs }: TestProgram): Uint8Array {
  const length = inputs.reduce((sum, each) => sum + each, 0)
  return Uint8Array.from({ length }, (_, index) => index + 1)
}

export interface TestWorker {
  readonly name: string
  readonly workerId: Party['statement']['workerId']
  readonly party: Party
  readonly leaves: readonly TraceLeaf[]
  readonly tree: TraceTree
  /** What its nodes gave. */
  readonly blobs: Blobs
  halves(from: number, to: number): Halves | undefined
  shown(nodes: readonly number[]): readonly ShownLeaf[]
}

export interface Deviation {
  /** Replaces what a node gives, before later nodes take it. */
  readonly lie?: ((node: number, bytes: Uint8Array) => Uint8Array) | undefined
  /** Replaces leaves of the trace, after everything was computed. */
  readonly leaves?: ((leaves: readonly TraceLeaf[]) => readonly TraceLeaf[]) | undefined
  readonly output?: ((output: Uint8Array) => Uint8Array) | undefined
  readonly statement?: Partial<Party['statement']> | undefined
}

export const flip = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from(bytes, (byte, index) => (index === 0 ? byte ^ 1 : byte))

/** Deviates at these nodes and goes on from there as the program says. */
export const lieAt =
  (...nodes: readonly number[]) =>
  (node: number, bytes: Uint8Array): Uint8Array =>
    nodes.includes(node) ? flip(bytes) : bytes

export function worker(name: string, task: Task, deviation: Deviation = {}): TestWorker {
  const { nodes, output } = run(task.program, task.input, task.blobs, deviation.lie)
  const blobs: Blobs = new Map(task.blobs)
  for (const bytes of nodes) putBlob(blobs, bytes)
  const honest = nodes.map(
    (bytes, node): TraceLeaf => ({ node, byteLength: bytes.length, digest: digestOf(bytes) }),
  )
  const leaves = deviation.leaves?.(honest) ?? honest
  const tree = traceTree(leaves, sha256)
  const about = { programId: task.programId, inputDigest: digestOf(task.input) }
  const outputDigest = digestOf(deviation.output?.(output) ?? output)
  const statement = { ...resultOf(name, about, outputDigest, tree.root), ...deviation.statement }
  return {
    name,
    workerId: workerIdOf(name),
    party: { statement, attestation: attest(name, statement), publicKey: publicKeyOf(name) },
    leaves,
    tree,
    blobs,
    halves: (from, to) => tree.halves(from, to),
    shown: (wanted) =>
      wanted.flatMap((node) => {
        const leaf = leaves[node]
        const path: readonly Digest[] | undefined = tree.path(node)
        return leaf && path ? [{ leaf, path }] : []
      }),
  }
}
