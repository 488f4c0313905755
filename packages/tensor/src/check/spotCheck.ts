/**
 * A worker's look at its own answer before it signs (spec C17): a few sums of every product, and as many whole nodes as the
 * budget allows. It is there to find a driver's bug or a flipped bit, so that they become a second try and not an offence;
 * it protects the worker and convinces nobody else.
 */
import type { Sha256 } from '@shardy/protocol'
import { heavyOperations, operandsOf, operationOf } from '../operations/index.ts'
import { inferProgram } from '../program/inference.ts'
import type { Program } from '../program/program.ts'
import { entryAt, sizeOf, type Tensor } from '../tensor.ts'
import type { Value } from '../value.ts'
import { projectNode } from './nodeProjection.ts'
import { projectionSteps } from './plan.ts'
import { sumAt } from './sum.ts'
import type { CheckTools } from './tools.ts'
import { expandVectors } from './vectors.ts'
import type { Fault } from './verdict.ts'

export type Probe =
  /** Some sums of a product, each computed again. */
  | { readonly kind: 'sums'; readonly node: number; readonly entries: readonly number[] }
  /** All sums of a product, by one random projection. */
  | { readonly kind: 'projection'; readonly node: number }
  /** All entries of another operation, computed again. */
  | { readonly kind: 'replay'; readonly node: number }

export interface SpotCheck {
  readonly probes: readonly Probe[]
  /** The values of nodes that the probes read: what the executor has to keep. */
  readonly keep: readonly number[]
  /** Probability that one wrong entry, anywhere among the entries of all nodes, is found. */
  readonly foundIfOne: number
  /** Probability that a node is found out in which at least this share of the entries is wrong. */
  foundIfShare(share: number): number
}

export interface SpotBudget {
  /** Steps of plain arithmetic that the worker will spend; sums are probed whatever it is. */
  readonly steps: number
  /** Sums of every product that are computed again. */
  readonly sumsPerProduct: number
}

/** Reading an entry into a projection costs about as much as this many steps. */
const projectionFactor = 4

/** `seed` is 32 bytes that need not be secret, only fresh: faults do not choose their place. */
export function planSpotCheck(
  program: Program,
  { steps, sumsPerProduct }: SpotBudget,
  seed: Uint8Array,
  sha256: Sha256,
): SpotCheck {
  const { values } = inferProgram(program)
  const first = program.inputs.length + program.constants.length
  const random = randomNumbers(seed, sha256)
  const sizes = program.nodes.map((_, index) => sizeOf((values[first + index] as Value).shape))
  const probes = new Map<number, Probe>()
  for (const [node, { op }] of program.nodes.entries()) {
    if (!heavyOperations.has(op)) continue
    const entries = Array.from({ length: sumsPerProduct }, () => random(sizes[node] ?? 1))
    probes.set(node, { kind: 'sums', node, entries: [...new Set(entries)].sort((one, other) => one - other) })
  }
  let left = steps
  const rest = program.nodes.map((_, index) => index)
  while (rest.length > 0) {
    const [index = 0] = rest.splice(random(rest.length), 1)
    const cost = wholeCost(program, index)
    if (cost > left) continue
    left -= cost
    const isHeavy = probes.has(index)
    probes.set(index, { kind: isHeavy ? 'projection' : 'replay', node: index })
  }
  const ordered = [...probes.values()].sort((one, other) => one.node - other.node)
  const read = ordered.flatMap(({ node }) => [...operandsOf(program.nodes[node] as never), first + node])
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const seen = (probe: Probe) => (probe.kind === 'sums' ? probe.entries.length : (sizes[probe.node] ?? 0))
  return {
    probes: ordered,
    keep: [...new Set(read)].filter((value) => value >= first).sort((one, other) => one - other),
    foundIfOne: ordered.reduce((sum, probe) => sum + seen(probe), 0) / total,
    foundIfShare(share) {
      const chances = program.nodes.map((_, node) => {
        const probe = probes.get(node)
        if (probe === undefined) return 0
        return probe.kind === 'sums' ? 1 - (1 - share) ** probe.entries.length : 1
      })
      return Math.min(...chances)
    },
  }
}

function wholeCost(program: Program, index: number): number {
  const { values } = inferProgram(program)
  const node = program.nodes[index] as Program['nodes'][number]
  const projected = projectionSteps(program, index, 'read')
  if (projected !== undefined) return projectionFactor * projected
  const operation = operationOf(node.op)
  const operands = operation.operandsOf(node).map((operand) => values[operand] as Value)
  const result = values[program.inputs.length + program.constants.length + index] as Value
  return operation.work(node, operands, result)
}

/** Whole numbers below a bound, each as likely as another but for a part in 2^31 / bound. */
function randomNumbers(seed: Uint8Array, sha256: Sha256): (bound: number) => number {
  const stream = expandVectors(seed, 1, sha256)
  let { elements } = stream.take(256)
  let used = 0
  return (bound) => {
    if (used === elements.length) elements = stream.take(2 * used).elements
    return entryAt(elements, used++) % bound
  }
}

/** `read` gives any value of the program that is an input, a constant, or in `keep`. */
export function runSpotCheck(
  program: Program,
  { probes }: Pick<SpotCheck, 'probes'>,
  read: (value: number) => Tensor,
  seed: Uint8Array,
  { sha256, products, compute }: Pick<CheckTools, 'sha256' | 'products' | 'compute'>,
): { readonly ok: true } | ({ readonly ok: false } & Fault) {
  const { values } = inferProgram(program)
  const first = program.inputs.length + program.constants.length
  const vectors = expandVectors(seed, 1, sha256)
  for (const probe of probes) {
    const node = program.nodes[probe.node] as Program['nodes'][number]
    const result = values[first + probe.node] as Value
    const operands = operandsOf(node).map(read)
    const { data } = read(first + probe.node)
    if (probe.kind === 'projection') {
      if (!(data instanceof Int32Array)) throw new Error('sums are i32')
      const projected = projectNode(program, probe.node, { operands, result, sums: data }, vectors, products)
      if (!projected.ok) return { ...projected, node: probe.node }
    } else if (probe.kind === 'sums') {
      const entry = probe.entries.find((at) => sumAt(node, operands, at) !== entryAt(data, at))
      if (entry !== undefined) return { ok: false, mechanism: 'recompute', node: probe.node, entry }
    } else {
      const expected = compute(program, probe.node, operands, result).data
      const entry = expected.findIndex((one, at) => one !== data[at])
      if (entry >= 0) return { ok: false, mechanism: 'replay', node: probe.node, entry }
    }
  }
  return { ok: true }
}
