/**
 * The check of a claim (spec C12): walks the program node by node, each from operands that are established already, and
 * either projects the claimed sums, or computes the node itself. What it accepts is right but for the policy's probability;
 * what it refuses is wrong for certain.
 */

import { describeRefusal } from '@shardy/protocol'
import { operandsOf, operationOf } from '../operations/index.ts'
import { programId } from '../program/encoding.ts'
import { type Blobs, noBlobs, readConstants, readInputs } from '../program/evaluate.ts'
import { inferProgram } from '../program/inference.ts'
import type { Program } from '../program/program.ts'
import { byteLengthOf, sizeOf, type Tensor, tensorBytes, tensorFromBytes } from '../tensor.ts'
import type { Value } from '../value.ts'
import { type Challenge, publicSeed } from './challenge.ts'
import { type Claim, type ClaimCommitment, digestOf, opensCommitment } from './claim.ts'
import { projectNode } from './nodeProjection.ts'
import { decodePart } from './part.ts'
import { type CheckPlan, planCheck, type Source } from './plan.ts'
import type { Policy } from './policy.ts'
import type { Sums } from './product.ts'
import { type Projection, type Projections, projectionKey, weightsOf } from './projection.ts'
import type { CheckTools } from './tools.ts'
import { expandVectors, type Vectors } from './vectors.ts'
import type { CheckCost, CheckVerdict, Fault } from './verdict.ts'

export interface CheckRequest {
  readonly program: Program
  readonly input: Uint8Array
  readonly blobs?: Blobs | undefined
  readonly policy: Policy
  readonly claim: Claim
  /**
   * What the worker bound itself to, with its signature, before it could know `challenge`. Left out where the bytes in hand
   * are what binds (C10): a seed that was drawn after their arrival, or no challenge at all.
   */
  readonly commitment?: ClaimCommitment | undefined
  readonly challenge: Challenge
  /** Secret projections, of use to every policy that projects (C15); weights without one are read. */
  readonly projections?: Projections | undefined
}

const noProjections: Projections = new Map()

/** A wrong claim is refused by value; a program, an input or a policy that do not fit are a bug of the caller. */
export function check(request: CheckRequest, tools: CheckTools): CheckVerdict {
  const { program, policy, claim } = request
  const { values } = inferProgram(program)
  const plan = planCheck(program, policy)
  const length = refuseLength(plan, claim)
  if (length !== undefined) return { ok: false, ...length }
  const digest = refuseDigest(plan, request, tools)
  if (digest !== undefined) return { ok: false, ...digest }

  const vectors = vectorsOf(request, tools)
  const tensors = readGiven(request)
  const cost = { projected: 0, recomputed: 0, replayed: 0, sparedWork: 0, repeatedWork: 0 }
  for (const [index, node] of program.nodes.entries()) {
    const operands = operandsOf(node).map((operand) => tensors[operand] as Tensor)
    const result = values[tensors.length] as Value
    const work = operationOf(node.op).work(
      node,
      operandsOf(node).map((operand) => values[operand] as Value),
      result,
    )
    const treatment = plan.treatments[index]
    let tensor: Tensor
    if (treatment?.kind === 'projected') {
      const sums = readSums(treatment.source, claim, result, tools)
      if ('mechanism' in sums) return { ok: false, ...sums, node: index }
      const kept = findProjection(request, index)
      const given = { operands, result, sums: sums.sums }
      const projected = projectNode(program, index, given, vectors, tools.products, kept)
      if (!projected.ok) return { ...projected, node: index }
      tensor = sums.tensor()
      cost.projected += 1
      cost.sparedWork += work
    } else {
      tensor = tools.compute(program, index, operands, result)
      const entry = differingOutput(tensor, claim.output, plan.offsets.get(tensors.length))
      if (entry !== undefined) {
        const mechanism = treatment?.kind === 'recomputed' ? 'recompute' : 'replay'
        return { ok: false, mechanism, node: index, entry }
      }
      if (treatment?.kind === 'recomputed') cost.recomputed += 1
      else cost.replayed += 1
      cost.repeatedWork += work
    }
    tensors.push(tensor)
  }
  return { ok: true, cost: { ...cost, claimBytes: claimBytes(claim) } satisfies CheckCost }
}

function claimBytes({ output, transcript }: Claim): number {
  return transcript.reduce((bytes, part) => bytes + part.length, output.length)
}

function refuseLength(plan: CheckPlan, { output, transcript }: Claim): Fault | undefined {
  if (output.length !== plan.outputLength) return { mechanism: 'length' }
  if (transcript.length === plan.parts.length) return undefined
  return { mechanism: 'length', node: plan.parts[transcript.length] }
}

function refuseDigest(
  { parts }: CheckPlan,
  { claim, commitment, challenge }: CheckRequest,
  { sha256 }: CheckTools,
): Fault | undefined {
  const hasArrived = challenge.kind === 'drawn' && challenge.after === 'arrival'
  if (commitment === undefined) {
    if (hasArrived || challenge.kind === 'none') return undefined
    throw new RangeError('a challenge before arrival, and a public one, need the commitment')
  }
  return opensCommitment(parts, claim, commitment, hasArrived, sha256) ? undefined : { mechanism: 'digest' }
}

function vectorsOf(
  { program, input, policy, commitment, challenge }: CheckRequest,
  tools: CheckTools,
): Vectors {
  const { sha256 } = tools
  const { repetitions } = policy
  if (challenge.kind !== policy.challenge) {
    throw new RangeError(
      `the policy ${policy.name} takes a challenge that is ${policy.challenge}, not ${challenge.kind}`,
    )
  }
  switch (challenge.kind) {
    case 'none':
      return { repetitions, take: () => ({ repetitions, elements: new Uint32Array(0) }) }
    case 'drawn':
      return expandVectors(challenge.seed, repetitions, sha256)
    case 'public': {
      if (commitment === undefined) throw new RangeError('a public challenge is made of the commitment')
      const content = {
        ...challenge.binding,
        ...commitment,
        programId: programId(program, sha256),
        inputDigest: digestOf(input, sha256),
        repetitions,
      }
      return expandVectors(publicSeed(content, sha256), repetitions, sha256)
    }
  }
}

function readGiven({ program, input, blobs = noBlobs }: CheckRequest): Tensor[] {
  const inputs = readInputs(program, input)
  if (!inputs.ok) throw new RangeError(describeRefusal(inputs.refusal))
  const constants = readConstants(program, blobs)
  if (!constants.ok) throw new RangeError(describeRefusal(constants.refusal))
  return [...inputs.value, ...constants.value]
}

interface ClaimedSums {
  readonly sums: Sums
  readonly tensor: () => Tensor
}

/** The claimed sums of a node, as they lie: from the output they are not copied before they are wanted. */
function readSums(source: Source, claim: Claim, result: Value, { bits }: CheckTools): ClaimedSums | Fault {
  const { dtype, shape } = result
  if (source.kind === 'output') {
    const sums = claim.output.subarray(source.offset, source.offset + byteLengthOf(result))
    return { sums, tensor: () => tensorFromBytes(result, sums) }
  }
  const part = claim.transcript[source.part] ?? new Uint8Array(0)
  const unpacked = decodePart(part, sizeOf(shape), bits)
  if (!unpacked.ok) return { mechanism: unpacked.kind === 'length' ? 'length' : 'encoding' }
  return { sums: unpacked.values, tensor: () => ({ dtype, shape, data: unpacked.values }) }
}

function findProjection(
  { program, policy: { name, repetitions }, projections = noProjections }: CheckRequest,
  index: number,
): Projection | undefined {
  const fixed = weightsOf(program, index)
  const found = fixed && projections.get(projectionKey(fixed))
  if (found === undefined || found.vectors.repetitions >= repetitions) return found
  throw new RangeError(
    `a projection of ${found.vectors.repetitions} vectors is too weak for the policy ${name}`,
  )
}

/** The first entry that the output has otherwise, for a value that begins at `offset` of it. */
function differingOutput(tensor: Tensor, output: Uint8Array, offset: number | undefined): number | undefined {
  if (offset === undefined) return undefined
  const bytes = tensorBytes(tensor)
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== output[offset + at]) return Math.floor(at / tensor.data.BYTES_PER_ELEMENT)
  }
  return undefined
}
