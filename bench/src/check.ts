/**
 * What a sound check costs beside doing the work again: products and a quantised MLP, checked at p^-2 < 2^-61.9 with range
 * check, unpacking, replay and the hashing that the mode needs, and computed again by our best CPU kernel, both on one
 * core. The bytes that a worker sends for it are counted as well.
 *
 * CPU time is counted rather than the clock, because other programs may have the core meanwhile. Checks and recomputations
 * take turns, and the medians count.
 */
import { type Kernels, openCheckTools, openKernels } from '@shardy/compute'
import { sha256 } from '@shardy/crypto/native'
import { type Digest, encodeHex } from '@shardy/protocol'
import {
  type Blobs,
  complexity,
  inferProgram,
  matmulProgram,
  operandsOf,
  type Program,
  readConstants,
  readInputs,
  type Tensor,
  tensorBytes,
  tensorType,
  type Value,
} from '@shardy/tensor'
import {
  type CheckRequest,
  type CheckTools,
  type Claim,
  check,
  commitToClaim,
  makeClaim,
  type Policy,
  planCheck,
  policies,
  projectWeights,
} from '@shardy/tensor/check'
import type { Goals, Measured, Progress } from './run.ts'

export const goals: Goals = {
  checkPercentOfRecompute4096: { atMost: 2 },
  checkPercentOfRecomputeMlp: { atMost: 5 },
  checkGigabytesPerSecond: { atLeast: 5 },
}

const sizes = [512, 1024, 2048, 4096] as const
/** A block of a language model: so many tokens, through 1024 × 4096 and back. */
const tokens = 128
const [outer, inner] = [1024, 4096] as const
const seed = new Uint8Array(32).fill(5)
const roundsMax = 15
const roundsMin = 3
const contestMs = 4_000

interface Work {
  readonly program: Program
  readonly input: Uint8Array
  readonly blobs: Blobs
}

interface Contest {
  readonly request: CheckRequest
  readonly claim: Claim
  readonly again: () => unknown
}

export async function run({ progress }: { readonly progress: Progress }): Promise<Measured> {
  const opened = await openKernels()
  if (!opened.ok) throw new Error(opened.refusal.message)
  const { kernels } = opened
  const tools = await openCheckTools(sha256)
  const figures: Record<string, number> = {}

  for (const size of sizes) {
    progress(`product of ${size} cubed`)
    const work = {
      program: matmulProgram({ m: size, k: size, n: size }),
      input: noise(2 * size * size),
      blobs: new Map(),
    }
    // The policy would compute small products again; here it is the projection that is measured.
    const contest = claimOf(
      work,
      { ...policies.interactive, recomputeFactor: 0 },
      tools,
      productAgain(kernels, work, size),
    )
    const { checkMs, againMs } = measure(contest, tools)
    const hashMs = medianMs(() => sha256(contest.claim.output), roundsMin)
    figures[`checkPercentOfRecompute${size}`] = (100 * checkMs) / againMs
    figures[`checkMs${size}`] = checkMs
    figures[`hashMs${size}`] = hashMs
    figures[`recomputeMs${size}`] = againMs
    figures.checkGigabytesPerSecond = (6 * size * size) / 1e6 / checkMs
    figures.projectionGigabytesPerSecond = (6 * size * size) / 1e6 / (checkMs - hashMs)
  }

  progress(`MLP of ${tokens} tokens`)
  const mlp = mlpWork()
  const again = mlpAgain(kernels, mlp)
  const kept = claimOf(mlp, policies.fixedWeights, tools, again)
  const keptMs = measure(kept, tools)
  const arrivedMs = measure(onArrival(kept), tools)
  const fresh = claimOf(mlp, { ...policies.interactive, recomputeFactor: 0 }, tools, again)
  const freshMs = measure(fresh, tools)
  const transcriptBytes = kept.claim.transcript.reduce((bytes, part) => bytes + part.length, 0)
  const gigaOperations = (2 * complexity(mlp.program)) / 1e9
  return {
    figures: {
      ...figures,
      checkPercentOfRecomputeMlp: (100 * arrivedMs.checkMs) / arrivedMs.againMs,
      checkPercentOfRecomputeMlpCommitted: (100 * keptMs.checkMs) / keptMs.againMs,
      checkPercentOfRecomputeMlpFreshWeights: (100 * freshMs.checkMs) / freshMs.againMs,
      checkMsMlp: arrivedMs.checkMs,
      recomputeMsMlp: arrivedMs.againMs,
      transcriptBytesMlp: transcriptBytes,
      uploadBytesPerGop: (transcriptBytes + kept.claim.output.length) / gigaOperations,
    },
    // What the same claim takes as whole int32 words.
    peers: { unpackedBytesPerGop: (4 * tokens * (inner + outer) + tokens * outer) / gigaOperations },
  }
}

function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let from = 0; from < length; from += 65_536)
    crypto.getRandomValues(bytes.subarray(from, from + 65_536))
  return bytes
}

function blobOf(bytes: Uint8Array): readonly [Digest, Uint8Array] {
  return [encodeHex(sha256(bytes)) as Digest, bytes]
}

function mlpWork(): Work {
  const weights = [blobOf(noise(outer * inner)), blobOf(noise(inner * outer))] as const
  const program: Program = {
    inputs: [tensorType('i8', [tokens, outer])],
    constants: [
      { type: tensorType('i8', [outer, inner]), digest: weights[0][0] },
      { type: tensorType('i8', [inner, outer]), digest: weights[1][0] },
    ],
    nodes: [
      { op: 'matmul', a: 0, b: 1, transposeB: false },
      { op: 'requantize', x: 3, multiplier: 1_500, shift: 22, zeroPoint: 0, to: 'i8' },
      { op: 'matmul', a: 4, b: 2, transposeB: false },
      { op: 'requantize', x: 5, multiplier: 700, shift: 22, zeroPoint: 0, to: 'i8' },
    ],
    outputs: [6],
  }
  return { program, input: noise(tokens * outer), blobs: new Map(weights) }
}

/** The honest claim, committed to, with all that its check wants. */
function claimOf(work: Work, policy: Policy, tools: CheckTools, again: () => unknown): Contest {
  const { program, input, blobs } = work
  const { values } = inferProgram(program)
  const [inputs, constants] = [readInputs(program, input), readConstants(program, blobs)]
  if (!inputs.ok || !constants.ok) throw new Error('the sample does not fit its program')
  const tensors: Tensor[] = [...inputs.value, ...constants.value]
  for (const [index, node] of program.nodes.entries()) {
    const operands = operandsOf(node).map((operand) => tensors[operand] as Tensor)
    tensors.push(tools.compute(program, index, operands, values[tensors.length] as Value))
  }
  const plan = planCheck(program, policy)
  const kept = new Map(plan.keep.map((index) => [index, tensorBytes(tensors[index] as Tensor)]))
  const output = tensorBytes(tensors[program.outputs[0] ?? 0] as Tensor)
  const claim = makeClaim(program, policy, { output, kept }, tools.bits)
  const projections =
    policy.weights === 'kept' ? projectWeights(program, policy, blobs, seed, tools) : undefined
  const commitment = commitToClaim(plan.parts, claim, sha256)
  const challenge = { kind: 'drawn', seed, after: 'commitment' } as const
  return { request: { ...work, policy, claim, commitment, challenge, projections }, claim, again }
}

/** The same claim, checked by somebody who held all of it before drawing: the transcript needs no commitment then. */
function onArrival({ request, ...rest }: Contest): Contest {
  const { commitment, challenge } = request
  if (challenge.kind !== 'drawn' || commitment === undefined)
    throw new Error('the seed is drawn after the commitment')
  return {
    ...rest,
    request: {
      ...request,
      commitment: { ...commitment, transcriptRoot: undefined },
      challenge: { ...challenge, after: 'arrival' },
    },
  }
}

function drain<T>(steps: Generator<unknown, T, void>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** C again by the kernel, B packed each time, because it is an input. */
function productAgain({ matmul }: Kernels, { input }: Work, size: number): () => unknown {
  const [a, b] = [0, 1].map((at) => new Int8Array(input.buffer, at * size * size, size * size)) as [
    Int8Array,
    Int8Array,
  ]
  return () => drain(matmul.multiply(a, size, matmul.packRight(b, { k: size, n: size, layout: 'rows' })))
}

/** The MLP again by the kernels, with its weights packed beforehand, as a host that serves it would have them. */
function mlpAgain({ matmul, elements }: Kernels, { input, blobs }: Work): () => unknown {
  const [first, second] = [...blobs.values()].map((bytes) => new Int8Array(bytes.buffer)) as [
    Int8Array,
    Int8Array,
  ]
  const x = new Int8Array(input.buffer)
  const up = matmul.packRight(first, { k: outer, n: inner, layout: 'rows' })
  const down = matmul.packRight(second, { k: inner, n: outer, layout: 'rows' })
  const narrow = (sums: Int32Array, multiplier: number) =>
    elements.requantize(sums, new Int8Array(sums.length), {
      multipliers: Int32Array.of(multiplier),
      shifts: Uint8Array.of(22),
      zeroPoint: 0,
      channels: 1,
    })
  return () => {
    const hidden = narrow(drain(matmul.multiply(x, tokens, up)), 1_500)
    return narrow(drain(matmul.multiply(hidden, tokens, down)), 700)
  }
}

let sink: unknown

function cpuMs(operate: () => unknown): number {
  const start = process.cpuUsage()
  sink = operate()
  const { user, system } = process.cpuUsage(start)
  if (sink === undefined) throw new Error('the operation gave nothing')
  return (user + system) / 1_000
}

function measure(
  { request, again }: Contest,
  tools: CheckTools,
): { readonly checkMs: number; readonly againMs: number } {
  const checks: number[] = []
  const agains: number[] = []
  const startMs = performance.now()
  for (let round = 0; round <= roundsMax; round++) {
    if (round > roundsMin && performance.now() - startMs > contestMs) break
    const checkMs = cpuMs(() => {
      const verdict = check(request, tools)
      if (!verdict.ok) throw new Error(`the honest claim was refused: ${verdict.mechanism}`)
      return verdict
    })
    const againMs = cpuMs(again)
    // The first round compiles.
    if (round > 0) {
      checks.push(checkMs)
      agains.push(againMs)
    }
  }
  return { checkMs: median(checks), againMs: median(agains) }
}

function medianMs(operate: () => unknown, rounds: number): number {
  return median(Array.from({ length: rounds }, () => cpuMs(operate)))
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0
}
