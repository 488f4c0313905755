/**
 * Which operations after a product its own kernel can do before it writes: a bias, one requantization, and one table. Any
 * map from bytes to bytes or int32 is a table, so clamping afterwards is one; and so is a relu before a requantization
 * that never falls, since clamping at the image of zero does the same.
 */
import { createEntries, type Dtype, dtypeFacts, type Entries, entryAt, tensorBytes } from '@shardy/tensor'
import type { ProductSpec } from '../gemm/index.ts'
import type { PointwiseNode, Stage } from '../kernels/pointwise.ts'
import type { Operand, TensorType } from './draft.ts'

/** A stage, with what inference knows of its operands after the first. */
export interface KnownStage extends Stage {
  readonly known: readonly { readonly min: number; readonly data: Entries | undefined }[]
}

export type Epilogue = NonNullable<ProductSpec['epilogue']>

export interface Absorbed {
  /** How many stages the product's kernel does. */
  readonly count: number
  readonly epilogue: Epilogue
  readonly bias?: Operand
  readonly multipliers?: Operand
  readonly shifts?: Operand
  /** An operand of the program, or entries that stand for several stages. */
  readonly table?: { readonly operand: Operand } | { readonly bytes: Uint8Array }
  /** What the product writes; without stages, its int32 sums. */
  readonly result: TensorType
}

type Table = NonNullable<Absorbed['table']>

interface ByteMap {
  readonly count: number
  readonly table: Table | undefined
  readonly result: TensorType
}

/** The image of every byte, indexed as `lookup` does, from the lowest on. */
function identity(dtype: 'i8' | 'u8'): Entries {
  return createEntries(dtype, 256).map((_, index) => index + dtypeFacts[dtype].min)
}

function mapEntries(entries: Entries, dtype: Dtype, image: (entry: number) => number): Entries {
  const images = createEntries(dtype, entries.length)
  for (const [index, entry] of entries.entries()) images[index] = image(entry)
  return images
}

/** A stage as a map of single entries, where it is one whose entries are known. */
function imageOf({ node, input, known }: KnownStage): ((entry: number) => number) | undefined {
  if (node.op === 'relu') return (entry) => Math.max(entry, 0)
  if (node.op === 'clamp') return (entry) => Math.min(Math.max(entry, node.min), node.max)
  if (node.op === 'convert') return (entry) => entry
  const table = known[0]?.data
  if (node.op !== 'lookup' || table === undefined) return undefined
  return (entry) => entryAt(table, entry - dtypeFacts[input.dtype].min)
}

/** The longest run of stages that is one table, after bytes of this type. `floor` is a relu that came before them. */
function absorbBytes(type: TensorType, stages: readonly KnownStage[], floor: number | undefined): ByteMap {
  const { dtype, shape } = type
  if (dtype !== 'i8' && dtype !== 'u8') return { count: 0, table: undefined, result: type }
  const [first] = stages
  let best: ByteMap = { count: 0, table: undefined, result: type }
  let entries = identity(dtype)
  if (floor !== undefined) {
    entries = mapEntries(entries, dtype, (entry) => Math.max(entry, floor))
    best = { ...best, table: { bytes: tensorBytes({ data: entries }) } }
  } else if (first?.node.op === 'lookup' && first.known[0]?.data === undefined) {
    const [operand] = first.operands
    const to = first.result.dtype
    return operand === undefined || to === 'u32'
      ? best
      : { count: 1, table: { operand }, result: { dtype: to, shape } }
  }
  for (const [index, stage] of stages.entries()) {
    const image = imageOf(stage)
    const to = stage.result.dtype
    // A table of bytes may lead to int32 only at its end: nothing is looked up by those.
    if (image === undefined || stage.input.dtype === 'i32' || stage.input.dtype === 'u32') break
    entries = mapEntries(entries, to, image)
    if (to !== 'u32') {
      const bytes = tensorBytes({ data: entries })
      best = { count: index + 1, table: { bytes }, result: { dtype: to, shape } }
    }
  }
  return best
}

function requantization(node: PointwiseNode): Epilogue['requantize'] {
  const { op } = node
  if (op === 'requantizeChannels') return { per: 'channel', zeroPoint: node.zeroPoint, to: node.to }
  if (op !== 'requantize') return undefined
  const { multiplier, shift, zeroPoint, to } = node
  return { per: 'tensor', multiplier, shift, zeroPoint, to }
}

/** Whether larger sums never give smaller results. */
function neverFalls({ node, known }: KnownStage): boolean {
  if (node.op === 'requantize') return node.multiplier >= 0
  return node.op === 'requantizeChannels' && (known[0]?.min ?? -1) >= 0
}

function saturated(value: number, dtype: 'i8' | 'u8'): number {
  const { min, max } = dtypeFacts[dtype]
  return Math.min(Math.max(value, min), max)
}

/** What of the stages after a product of this shape goes into its kernel. */
export function absorb(sums: TensorType, stages: readonly KnownStage[]): Absorbed {
  let at = 0
  const [first] = stages
  const bias = first?.node.op === 'bias' ? first.operands[0] : undefined
  if (bias !== undefined) at++
  const plain: Absorbed = {
    count: at,
    epilogue: bias === undefined ? {} : { bias: true },
    ...(bias === undefined ? {} : { bias }),
    result: sums,
  }
  const isFloored = stages[at]?.node.op === 'relu'
  const scaling = stages[isFloored ? at + 1 : at]
  const requantize = scaling === undefined ? undefined : requantization(scaling.node)
  if (scaling === undefined || requantize === undefined) return plain
  const { to, zeroPoint } = requantize
  if (isFloored && (to === 'i32' || !neverFalls(scaling))) return plain
  const floor = isFloored && to !== 'i32' ? saturated(zeroPoint, to) : undefined
  at += isFloored ? 2 : 1
  const bytes = absorbBytes({ dtype: to, shape: sums.shape }, stages.slice(at), floor)
  const [multipliers, shifts] = scaling.operands
  const { dtype } = bytes.result
  return {
    count: at + bytes.count,
    epilogue: {
      ...plain.epilogue,
      requantize,
      ...(bytes.table === undefined || dtype === 'u32' ? {} : { lookup: { to: dtype } }),
    },
    ...(bias === undefined ? {} : { bias }),
    ...(multipliers === undefined ? {} : { multipliers }),
    ...(shifts === undefined ? {} : { shifts }),
    ...(bytes.table === undefined ? {} : { table: bytes.table }),
    result: bytes.result,
  }
}
