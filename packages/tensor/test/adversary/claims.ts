/** How an adversary makes a claim: from an execution with lies in it, or by tampering with the bytes of an honest one. */
import { pureBits } from '../../src/check/bits.ts'
import { type Claim, type ClaimCommitment, commitToClaim } from '../../src/check/claim.ts'
import { encodePart } from '../../src/check/part.ts'
import { planCheck } from '../../src/check/plan.ts'
import { type Policy, policies } from '../../src/check/policy.ts'
import type { Entries, Tensor } from '../../src/tensor.ts'
import { sha256 } from '../sha256.ts'
import { at, bytesOf, change, type Execution, execute, offsets, program } from './scene.ts'

/** The sound policies, as strict with this small program as they are with a large one: every product is projected. */
export const strict = {
  interactive: { ...policies.interactive, recomputeFactor: 0 },
  fixedWeights: { ...policies.fixedWeights, recomputeFactor: 0 },
  public: { ...policies.public, recomputeFactor: 0 },
} as const satisfies Readonly<Record<string, Policy>>

export const { parts } = planCheck(program, strict.interactive)

/** What is claimed, and what the worker is bound to: its own claim, unless the cheat lies in that. */
export interface Attempt {
  readonly claim: Claim
  readonly commitment: ClaimCommitment
}

export function commitTo(claim: Claim): ClaimCommitment {
  const fitting = {
    ...claim,
    transcript: parts.map((_, index) => claim.transcript[index] ?? new Uint8Array(0)),
  }
  return commitToClaim(parts, fitting, sha256)
}

export function attempt(claim: Claim): Attempt {
  return { claim, commitment: commitTo(claim) }
}

export function claimOf({ nodes, output }: Execution): Claim {
  return { output, transcript: parts.map((node) => encodePart(sumsOf(nodes[node]), pureBits)) }
}

function sumsOf(tensor: Tensor | undefined): Int32Array {
  if (!(tensor?.data instanceof Int32Array)) throw new Error('sums are i32')
  return tensor.data
}

export const honest = execute()
export const honestClaim = claimOf(honest)

export type Image = (entry: number, index: number, all: Entries) => number

/** One node's value is another in the claim; nothing that follows from it is. */
export function alone(node: number, image: Image): Claim {
  const nodes = honest.nodes.map((tensor, index) => (index === node ? change(tensor, image) : tensor))
  return claimOf({ nodes, output: outputOf(nodes) })
}

/** One node tells a lie, and everything after it is computed from the lie. */
export function onward(node: number, lie: (honestly: Tensor, operands: readonly Tensor[]) => Tensor): Claim {
  return claimOf(execute({ [node]: lie }))
}

export function outputOf(nodes: readonly Tensor[]): Uint8Array {
  const output = new Uint8Array(honest.output.length)
  for (const name of ['scores', 'result', 'last'] as const) {
    output.set(bytesOf(nodes[at[name]] as Tensor), offsets[name])
  }
  return output
}

export function tamperWithPart(index: number, image: (part: Uint8Array) => Uint8Array): Claim {
  const transcript = honestClaim.transcript.map((part, at) => (at === index ? image(part.slice()) : part))
  return { ...honestClaim, transcript }
}

export function tamperWithOutput(image: (output: Uint8Array) => Uint8Array): Claim {
  return { ...honestClaim, output: image(honestClaim.output.slice()) }
}

/** A part as somebody writes it who does not keep to the rules. */
export function packLoosely(entries: readonly number[], base: number, width: number): Uint8Array {
  const part = new Uint8Array(5 + Math.ceil((entries.length * width) / 8))
  new DataView(part.buffer).setInt32(0, base, true)
  part[4] = width
  entries.forEach((entry, index) => {
    const above = BigInt(entry) - BigInt(base)
    for (let place = 0; place < width; place++) {
      const bit = index * width + place
      if ((above >> BigInt(place)) % 2n !== 0n)
        part[5 + (bit >> 3)] = (part[5 + (bit >> 3)] ?? 0) | (1 << (bit & 7))
    }
  })
  return part
}

/** The honest sums of a part. */
export function entriesOf(node: number): number[] {
  return Array.from((honest.nodes[node] as Tensor).data)
}
