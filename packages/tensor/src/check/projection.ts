/**
 * Secret projections of fixed weights (spec C15): random vectors and what the weights make of them, computed once and used
 * for many checks. Whoever learns the vectors can forge at will, so they never leave the checker, and all of them are thrown
 * away with the first refusal.
 */
import { type Digest, domainPayload, type Sha256 } from '@shardy/protocol'
import { conv2dLayout } from '../operations/conv2d.ts'
import { matmulLayout } from '../operations/matmul.ts'
import type { Blobs } from '../program/evaluate.ts'
import { inferProgram } from '../program/inference.ts'
import type { Program } from '../program/program.ts'
import { tensorFromBytes } from '../tensor.ts'
import type { Value } from '../value.ts'
import { foldWeights } from './convolution.ts'
import type { FieldVectors } from './field.ts'
import { planCheck } from './plan.ts'
import type { Policy } from './policy.ts'
import { type KeptProducts, multiplyRight } from './product.ts'
import type { CheckTools } from './tools.ts'
import { expandVectors } from './vectors.ts'

/** Kept by the checker alone. */
export interface Projection extends KeptProducts {
  /** SHA-256 of the weights. */
  readonly digest: Digest
  /** How they are laid out as one side of a product. */
  readonly layout: string
}

/** By `projectionKey`; good for every program that uses the same weights in the same layout. */
export type Projections = ReadonlyMap<string, Projection>

interface Weights {
  readonly digest: Digest
  readonly layout: string
  /** The constant's index among the values. */
  readonly value: number
  fold(
    bytes: Int8Array,
    random: (length: number) => FieldVectors,
    tools: Pick<CheckTools, 'products'>,
  ): KeptProducts
}

export function projectionKey({ digest, layout }: Pick<Projection, 'digest' | 'layout'>): string {
  return `${digest} ${layout}`
}

/** The fixed weights of a node, when it has any that are blobs: what is in the program itself is too small to matter. */
export function weightsOf(program: Program, index: number): Weights | undefined {
  const { values } = inferProgram(program)
  const node = program.nodes[index]
  const digestAt = (at: number) => program.constants[at - program.inputs.length]?.digest
  if (node?.op === 'matmul') {
    const [a, b] = [values[node.a] as Value, values[node.b] as Value]
    const digest = digestAt(node.b)
    if (digest === undefined || b.shape.length !== 2) return undefined
    const layout = matmulLayout(a, b, node.transposeB)
    const { transposeB } = node
    return {
      digest,
      layout: `matmul ${layout.k} ${layout.n} ${transposeB ? 'transposed' : 'rows'}`,
      value: node.b,
      fold(bytes, random, { products }) {
        const vectors = random(layout.n)
        return { vectors, products: multiplyRight({ layout, transposeB }, bytes, vectors, products) }
      },
    }
  }
  if (node?.op === 'conv2d') {
    const [x, w] = [values[node.x] as Value, values[node.w] as Value]
    const digest = digestAt(node.w)
    if (digest === undefined) return undefined
    const layout = conv2dLayout(x, w, node)
    return {
      digest,
      layout: `conv2d ${w.shape.join(' ')} in ${node.groups}`,
      value: node.w,
      fold(bytes, random, { products }) {
        const vectors = random(layout.outputs)
        return { vectors, products: foldWeights({ layout }, bytes, vectors, products) }
      },
    }
  }
  return undefined
}

/** The seed is one of its own for each projection, so that what a refusal of one tells says nothing of the others. */
function projectionSeed(seed: Uint8Array, key: string, sha256: Sha256): Uint8Array {
  const label = Uint8Array.from(key, (letter) => letter.charCodeAt(0))
  const bytes = new Uint8Array(seed.length + label.length)
  bytes.set(seed)
  bytes.set(label, seed.length)
  return sha256(domainPayload('projection', bytes))
}

/**
 * Projections for all fixed weights of the program that the policy checks by projection. `seed` is 32 fresh random bytes
 * which are kept secret as long as the projections are.
 */
export function projectWeights(
  program: Program,
  policy: Policy,
  blobs: Blobs,
  seed: Uint8Array,
  tools: Pick<CheckTools, 'sha256' | 'products'>,
): Projections {
  const { values } = inferProgram(program)
  const { treatments } = planCheck(program, policy)
  const projections = new Map<string, Projection>()
  for (const [index, treatment] of treatments.entries()) {
    const weights = treatment.kind === 'projected' ? weightsOf(program, index) : undefined
    if (weights === undefined) continue
    const key = projectionKey(weights)
    if (projections.has(key)) continue
    const bytes = blobs.get(weights.digest)
    if (bytes === undefined) throw new RangeError(`the weights ${weights.digest} are not at hand`)
    const { data } = tensorFromBytes(values[weights.value] as Value, bytes)
    if (!(data instanceof Int8Array)) throw new Error('weights are i8')
    const vectors = expandVectors(projectionSeed(seed, key, tools.sha256), policy.repetitions, tools.sha256)
    const { digest, layout } = weights
    projections.set(key, { digest, layout, ...weights.fold(data, vectors.take, tools) })
  }
  return projections
}
