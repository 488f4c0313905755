/**
 * From a program to the steps that run it on a device, and the regions of memory that those read and write. Pure: limits
 * come in as numbers, and a product's layouts, which its kernel decides, in a second turn (`packings.ts`).
 */
import {
  inferProgram,
  matmulLayout,
  type Node,
  type NodeFor,
  nodePath,
  operandsOf,
  type Program,
  sizeOf,
  type Value,
} from '@shardy/tensor'
import type { ProductSpec } from '../gemm/index.ts'
import { emitDirect, emitPatches, isPlain } from '../kernels/convolution.ts'
import { emitEma } from '../kernels/ema.ts'
import { emitNorm } from '../kernels/norm.ts'
import { emitPointwise, isPointwise, needsOf } from '../kernels/pointwise.ts'
import { emitPooling } from '../kernels/pooling.ts'
import { emitArgmax, emitTopK } from '../kernels/ranking.ts'
import { emitRotary } from '../kernels/rotary.ts'
import { emitSoftmax } from '../kernels/softmax.ts'
import { emitConcat, emitGather, emitPart, emitSlice, emitTranspose } from '../kernels/view.ts'
import type { PlanLimits } from '../limits.ts'
import {
  blocksOf,
  createDraft,
  type Draft,
  type Operand,
  type TensorType,
  windowBytes,
  windowsOf,
} from './draft.ts'
import { absorb, type KnownStage } from './epilogue.ts'
import { type Group, groupNodes } from './groups.ts'
import { paramsMax, type Region, type Step } from './step.ts'

export interface Plan {
  readonly regions: readonly Region[]
  readonly steps: readonly Step[]
  /** Where each wanted value ends up: in a region, or where the host has it already. */
  readonly answers: ReadonlyMap<number, { readonly region: number } | { readonly given: number }>
}

/** A kernel with some words of its own beside those of its stages. */
const paramsOfMap = 2

/** A plan for the program's outputs and for the values that are to be kept beside them. */
export function planProgram(program: Program, limits: PlanLimits, keep: readonly number[] = []): Plan {
  const { values } = inferProgram(program)
  const { inputs, constants, nodes, outputs } = program
  const firstNode = inputs.length + constants.length
  const draft = createDraft(limits)
  const wanted = new Set([...outputs, ...keep])
  /** What each reshaped value is the same bytes as. */
  const aliases = new Map<number, number>()
  const operands = new Map<number, Operand>()

  const rootOf = (value: number): number => {
    let root = value
    for (let next = aliases.get(root); next !== undefined; next = aliases.get(root)) root = next
    return root
  }
  const valueAt = (index: number): Value => {
    const value = values[index]
    if (value === undefined) throw new Error(`the program has no value ${index}`)
    return value
  }
  const nodeAt = (index: number): Node => {
    const node = nodes[index]
    if (node === undefined) throw new Error(`the program has no node ${index}`)
    return node
  }

  const operandOf = (value: number): Operand => {
    const { dtype, shape } = valueAt(value)
    const root = rootOf(value)
    let operand = operands.get(root)
    if (operand === undefined) {
      if (root >= firstNode) throw new Error(`the value ${root} is used before it is made`)
      const digest = constants[root - inputs.length]?.digest
      // A digest with another length would be another blob.
      const resident = { kind: 'resident', value: root, key: `raw ${digest}` } as const
      operand = draft.place(valueAt(root), digest === undefined ? { kind: 'given', value: root } : resident)
      operands.set(root, operand)
    }
    return { region: operand.region, dtype, shape }
  }

  const stageOf = (index: number): KnownStage => {
    const node = nodeAt(index)
    if (!isPointwise(node)) throw new Error(`${node.op} is no stage of a chain`)
    const [x = -1, ...others] = operandsOf(node)
    return {
      node,
      input: valueAt(x),
      operands: others.map(operandOf),
      result: valueAt(firstNode + index),
      known: others.map((other) => ({ min: valueAt(other).min, data: valueAt(other).known })),
    }
  }

  const fits = (members: readonly number[]): boolean => {
    const isPointwiseHead = isPointwise(nodeAt(members[0] ?? -1))
    const stages = (isPointwiseHead ? members : members.slice(1)).map((index): KnownStage => {
      const node = nodeAt(index)
      if (!isPointwise(node)) throw new Error(`${node.op} is no stage of a chain`)
      const [x = -1, ...others] = operandsOf(node)
      const typed = others.map((other): Operand => ({ region: -1, ...valueAt(other) }))
      return { node, input: valueAt(x), operands: typed, result: valueAt(firstNode + index), known: [] }
    })
    const [first] = stages
    if (first === undefined) return true
    const needs = needsOf(stages)
    const read: readonly Operand[] = [{ region: -1, ...first.input }, ...needs.reads]
    const bindings = read.reduce((count, operand) => count + windowsOf(operand, limits).length, 1)
    return bindings <= limits.maxStorageBuffersPerShaderStage && needs.params + paramsOfMap <= paramsMax
  }

  const emitGroup = ({ nodes: members }: Group): void => {
    const [head = -1, ...rest] = members
    const last = members.at(-1) ?? head
    const node = nodeAt(head)
    draft.at(nodePath(head, node))
    const result = (): Operand => {
      const operand = draft.place(valueAt(firstNode + last))
      operands.set(firstNode + last, operand)
      return operand
    }
    const sums = valueAt(firstNode + head)
    if (node.op === 'reshape') {
      aliases.set(firstNode + head, node.x)
    } else if (isPointwise(node)) {
      emitPointwise(draft, operandOf(node.x), members.map(stageOf), result())
    } else if (node.op === 'matmul' || (node.op === 'conv2d' && node.groups === 1)) {
      const taken = operandsOf(node).map(operandOf)
      emitProductGroup(draft, node, taken, sums, rest.map(stageOf), result)
    } else if (node.op === 'conv2d') {
      const [x, w] = operandsOf(node).map(operandOf)
      if (x === undefined || w === undefined) throw new Error('a convolution has two operands')
      const made = rest.length === 0 ? result() : draft.place(sums)
      emitDirect(draft, node, [x, w], made)
      if (rest.length > 0) emitPointwise(draft, made, rest.map(stageOf), result())
    } else {
      emitSingle(draft, node, operandsOf(node).map(operandOf), result())
    }
  }

  for (const group of groupNodes(program, wanted, fits)) emitGroup(group)

  const answers = new Map<number, { readonly region: number } | { readonly given: number }>()
  for (const value of wanted) {
    const root = rootOf(value)
    answers.set(value, root < firstNode ? { given: root } : { region: operandOf(value).region })
  }
  return { regions: draft.regions, steps: draft.steps, answers }
}

/** A product as one kernel, as far as its epilogue goes; what is left of the chain is another. */
function emitProductGroup(
  draft: Draft,
  node: Extract<Node, { op: 'matmul' | 'conv2d' }>,
  taken: readonly Operand[],
  sums: TensorType,
  stages: readonly KnownStage[],
  result: () => Operand,
): void {
  const [left, right] = taken
  if (left === undefined || right === undefined) throw new Error(`${node.op} has two operands`)
  const { count, epilogue, bias, multipliers, shifts, table, result: type } = absorb(sums, stages)
  const rest = stages.slice(count)
  const made = rest.length === 0 ? result() : draft.place(type)
  const tableRegion =
    table === undefined
      ? undefined
      : 'operand' in table
        ? table.operand.region
        : draft.place({ dtype: 'u8', shape: [table.bytes.length] }, { kind: 'made', bytes: table.bytes })
            .region
  const reads = {
    ...(bias === undefined ? {} : { bias: bias.region }),
    ...(multipliers === undefined ? {} : { multipliers: multipliers.region }),
    ...(shifts === undefined ? {} : { shifts: shifts.region }),
    ...(tableRegion === undefined ? {} : { table: tableRegion }),
  }
  const residentB = draft.regions[right.region]?.source.kind === 'resident'
  const emit = (a: Operand, out: Operand, spec: Omit<ProductSpec, 'left' | 'epilogue'>) => {
    if (a.dtype !== 'i8' && a.dtype !== 'u8') throw new Error(`${node.op} has rows of ${a.dtype}`)
    draft.emitProduct({
      spec: { ...spec, left: a.dtype, residentB, epilogue },
      regions: { a: a.region, b: right.region, out: out.region, ...reads },
      work: spec.batch * spec.m * spec.k * spec.n,
    })
  }
  if (node.op === 'matmul') {
    const { transposeB } = node
    emit(left, made, { ...matmulLayout(left, right, transposeB), transposeB })
  } else {
    emitConvolution(draft, node, [left, right], made, emit)
  }
  if (rest.length > 0) emitPointwise(draft, made, rest, result())
}

/** Patches of a convolution that are made at once. */
const patchBytesMax = 128 * 2 ** 20

/** A convolution as a product of its patches; of so many that they are made block by block, if need be. */
function emitConvolution(
  draft: Draft,
  node: NodeFor<'conv2d'>,
  [x, w]: readonly [Operand, Operand],
  made: Operand,
  emit: (a: Operand, out: Operand, spec: Omit<ProductSpec, 'left' | 'epilogue'>) => void,
): void {
  const { shape } = made
  const places = sizeOf(shape.slice(0, -1))
  const k = sizeOf(w.shape.slice(1))
  const n = w.shape[0] ?? 1
  const product = (m: number) => ({ batch: 1, m, k, n, sharedB: true, transposeB: true })
  if (isPlain(node, w)) {
    emit(x, made, product(places))
    return
  }
  const room = Math.min(patchBytesMax, windowBytes(draft.limits))
  for (const { from, to } of blocksOf(places, Math.floor(room / k), 4)) {
    const m = to - from
    const patches = draft.place({ dtype: x.dtype, shape: [m, k] })
    emitPatches(draft, node, [x, w], made, patches, from)
    if (m === places) {
      emit(patches, made, product(m))
      continue
    }
    const part = draft.place({ dtype: made.dtype, shape: [m, n] })
    emit(patches, part, product(m))
    emitPart(draft, part, made, from * n)
  }
}

function emitSingle(draft: Draft, node: Node, operands: readonly Operand[], result: Operand): void {
  const [one, two, three] = operands as readonly [Operand, Operand, Operand]
  switch (node.op) {
    case 'softmax':
      return emitSoftmax(draft, node, [one, two], result)
    case 'rmsNorm':
    case 'layerNorm':
      return emitNorm(draft, node, [one, two], result)
    case 'rotary':
      return emitRotary(draft, node, [one, two, three], result)
    case 'gather':
      return emitGather(draft, node, [one, two], result)
    case 'transpose':
      return emitTranspose(draft, node, [one], result)
    case 'slice':
      return emitSlice(draft, node, [one], result)
    case 'concat':
      return emitConcat(draft, node, operands, result)
    case 'maxPool':
    case 'averagePool':
      return emitPooling(draft, node, [one], result)
    case 'argmax':
      return emitArgmax(draft, node, [one], result)
    case 'topK':
      return emitTopK(draft, node, [one], result)
    case 'ema':
      return emitEma(draft, node, [one], result)
    default:
      throw new Error(`${node.op} is planned with its group`)
  }
}
