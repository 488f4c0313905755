/**
 * Random programs, small and of odd shapes, over every operation of the language; and inputs that lean to the extremes of
 * what the programs declare. All choices come from `draw`, so a property shrinks them and a seed repeats them.
 */
import { type Digest, encodeHex, type Sha256 } from '@shardy/protocol'
import {
  type Node,
  type OperationName,
  operandsOf,
  operationNames,
  operationOf,
} from '../src/operations/index.ts'
import type { Constant, Program, TensorType } from '../src/program/program.ts'
import {
  createEntries,
  type Dtype,
  dtypeFacts,
  dtypes,
  type Shape,
  sizeOf,
  tensorBytes,
  tensorFromBytes,
} from '../src/tensor.ts'
import type { Range, Value } from '../src/value.ts'

/** A whole number from `min` to `max`. */
export type Draw = (min: number, max: number) => number

export interface DrawnProgram {
  readonly program: Program
  readonly input: Uint8Array
  readonly blobs: ReadonlyMap<Digest, Uint8Array>
}

export interface DrawOptions {
  readonly sha256: Sha256
  /** Nodes that are tried; the program has one at least. */
  readonly nodes: number
  /** The operations to draw from; all of them, if left out. */
  readonly among?: readonly OperationName[]
}

const entriesMax = 1_500
/** Shrinking leads to choices that an operation never accepts. */
const attemptsMax = 500
const workMax = 30_000
const small = { min: -32_767, max: 32_767 }

/** A value under construction: indices are given when all inputs and constants are known. */
interface Source {
  readonly value: Value
  readonly place: { readonly kind: 'input' | 'constant' | 'node'; readonly index: number }
}

interface Proposal {
  readonly operands: Readonly<Record<string, Source | readonly Source[]>>
  readonly attributes: Readonly<Record<string, unknown>>
}

/** What a proposal is made with. */
interface Workshop {
  readonly draw: Draw
  pick<T>(from: readonly T[]): T
  chance(percent: number): boolean
  range(bounds: Range): Range
  shape(rankMin: number, rankMax: number): number[]
  fresh(dtype: Dtype, shape: Shape, bounds?: Range): Source
  /** A value that exists, or else the new one. */
  some(fits: (value: Value) => boolean, otherwise: () => Source): Source
}

const bytes = ['i8', 'u8'] as const
const within = ({ min, max }: Range, bounds: Range) => min >= bounds.min && max <= bounds.max

function isByte({ dtype }: Value): boolean {
  return dtype === 'i8' || dtype === 'u8'
}

function sums({ some, fresh, shape }: Workshop, bounds?: Range): Source {
  return some(
    (value) => value.dtype === 'i32' && (bounds === undefined || within(value, bounds)),
    () => fresh('i32', shape(1, 4), bounds),
  )
}

function anything({ some, fresh, shape, pick }: Workshop): Source {
  return some(
    () => true,
    () => fresh(pick(dtypes), shape(1, 4)),
  )
}

function image({ some, fresh, pick, draw }: Workshop, kinds: readonly Dtype[], bounds?: Range): Source {
  return some(
    (value) =>
      value.shape.length === 4 &&
      kinds.includes(value.dtype) &&
      (bounds === undefined || within(value, bounds)),
    () => fresh(pick(kinds), [draw(1, 2), draw(1, 7), draw(1, 7), draw(1, 4)], bounds),
  )
}

function arithmetic(workshop: Workshop): Proposal {
  const { draw, fresh, pick, chance } = workshop
  const x = anything(workshop)
  const bounds = pick([small, { min: -300, max: 300 }, dtypeFacts.i32])
  const { shape } = x.value
  const from = draw(0, shape.length - 1)
  const sizes = shape.slice(from).map((size) => (chance(30) ? 1 : size))
  const y = chance(20) ? x : fresh(pick(['i8', 'u8', 'i32']), sizes, bounds)
  return { operands: { x, y }, attributes: {} }
}

function pooling(workshop: Workshop, kinds: readonly Dtype[]): Proposal {
  const { draw } = workshop
  const x = image(workshop, kinds, { min: -100_000, max: 100_000 })
  const [windowH, windowW] = [draw(1, 4), draw(1, 4)]
  const attributes = {
    windowH,
    windowW,
    strideH: draw(1, 3),
    strideW: draw(1, 3),
    padTop: draw(0, windowH - 1),
    padLeft: draw(0, windowW - 1),
    padBottom: draw(0, windowH - 1),
    padRight: draw(0, windowW - 1),
  }
  return { operands: { x }, attributes }
}

function norm(workshop: Workshop): Proposal {
  const { some, fresh, pick, shape, draw } = workshop
  const x = some(
    (value) => value.dtype !== 'u32' && within(value, small),
    () => fresh(pick(['i8', 'u8', 'i32']), shape(1, 3), small),
  )
  const gain = fresh('i32', [x.value.shape.at(-1) ?? 1], small)
  const epsilon = pick([1, draw(1, 1_000), 2 ** 31 - 1])
  return { operands: { x, gain }, attributes: { epsilon, shift: draw(0, 6) } }
}

const proposals: Readonly<Record<string, (workshop: Workshop) => Proposal>> = {
  matmul({ some, fresh, pick, draw, shape, chance }) {
    const a = some(
      (value) => isByte(value) && value.shape.length >= 2,
      () => fresh(pick(bytes), shape(2, 4)),
    )
    const transposeB = chance(50)
    const [k = 1, n] = [a.value.shape.at(-1), draw(1, 6)]
    const columns = transposeB ? [n, k] : [k, n]
    const leading = chance(50) ? a.value.shape.slice(0, -2) : []
    return { operands: { a, b: fresh('i8', [...leading, ...columns]) }, attributes: { transposeB } }
  },
  conv2d(workshop) {
    const { draw, fresh, pick, range, chance } = workshop
    const x = image(workshop, bytes)
    const channels = x.value.shape[3] ?? 1
    const groups = pick([1, channels])
    const w = fresh('i8', [groups * draw(1, 3), draw(1, 3), draw(1, 3), channels / groups])
    const pad = () => (chance(50) ? 0 : draw(0, 4))
    const attributes = {
      strideH: draw(1, 3),
      strideW: draw(1, 3),
      padTop: pad(),
      padLeft: pad(),
      padBottom: pad(),
      padRight: pad(),
      dilationH: draw(1, 3),
      dilationW: draw(1, 3),
      groups,
      padValue: range(dtypeFacts[x.value.dtype]).min,
    }
    return { operands: { x, w }, attributes }
  },
  bias(workshop) {
    const x = sums(workshop)
    const bounds = workshop.pick([{ min: -1_000, max: 1_000 }, dtypeFacts.i32])
    const b = workshop.fresh('i32', [x.value.shape.at(-1) ?? 1], bounds)
    return { operands: { x, b }, attributes: {} }
  },
  requantize(workshop) {
    const { draw, pick, range } = workshop
    const attributes = {
      multiplier: range(dtypeFacts.i32).max,
      shift: pick([0, 1, 31, 32, 33, 62, draw(0, 62)]),
      zeroPoint: draw(-128, 255),
      to: pick(['i8', 'u8', 'i32']),
    }
    return { operands: { x: sums(workshop) }, attributes }
  },
  requantizeChannels(workshop) {
    const { draw, pick, fresh } = workshop
    const x = sums(workshop)
    const channels = [x.value.shape.at(-1) ?? 1]
    const multipliers = fresh('i32', channels)
    const shifts = fresh('u8', channels, { min: 0, max: 62 })
    const attributes = { zeroPoint: draw(-128, 255), to: pick(['i8', 'u8', 'i32']) }
    return { operands: { x, multipliers, shifts }, attributes }
  },
  add: arithmetic,
  subtract: arithmetic,
  multiply: arithmetic,
  relu({ some, fresh, pick, shape }) {
    const x = some(
      ({ dtype }) => dtype === 'i8' || dtype === 'i32',
      () => fresh(pick(['i8', 'i32']), shape(1, 4)),
    )
    return { operands: { x }, attributes: {} }
  },
  clamp(workshop) {
    const x = anything(workshop)
    return { operands: { x }, attributes: { ...workshop.range(dtypeFacts[x.value.dtype]) } }
  },
  lookup({ some, fresh, pick, shape }) {
    const x = some(isByte, () => fresh(pick(bytes), shape(1, 4)))
    return { operands: { x, table: fresh(pick(dtypes), [256]) }, attributes: {} }
  },
  softmax({ some, fresh, pick, shape }) {
    const x = some(
      ({ dtype }) => dtype !== 'u32',
      () => fresh(pick(['i8', 'u8', 'i32']), shape(1, 4)),
    )
    return { operands: { x, table: fresh('u32', [256], { min: 0, max: 65_535 }) }, attributes: {} }
  },
  rmsNorm: norm,
  layerNorm: norm,
  rotary({ some, fresh, pick, draw, chance }) {
    const x = some(
      (value) =>
        (value.dtype === 'i8' || value.dtype === 'i32') &&
        value.shape.length >= 2 &&
        (value.shape.at(-1) ?? 1) % 2 === 0 &&
        within(value, small),
      () => fresh(pick(['i8', 'i32']), [draw(1, 3), draw(1, 3), 2 * draw(1, 3)], small),
    )
    const angles = [x.value.shape.at(-2) ?? 1, (x.value.shape.at(-1) ?? 2) / 2]
    const operands = { x, cos: fresh('i32', angles, small), sin: fresh('i32', angles, small) }
    return { operands, attributes: { shift: draw(0, 15), interleaved: chance(50) } }
  },
  gather(workshop) {
    const { draw, fresh, pick, some, shape } = workshop
    const table = anything(workshop)
    const last = (table.value.shape[0] ?? 1) - 1
    const bounds = { min: 0, max: Math.min(last, 127) }
    const indices = some(
      (value) => within(value, { min: 0, max: last }),
      () => fresh(pick(dtypes), shape(1, draw(1, 2)), bounds),
    )
    return { operands: { table, indices }, attributes: {} }
  },
  transpose(workshop) {
    const x = anything(workshop)
    const rest = x.value.shape.map((_, axis) => axis)
    const permutation: number[] = []
    while (rest.length > 0) permutation.push(...rest.splice(workshop.draw(0, rest.length - 1), 1))
    return { operands: { x }, attributes: { permutation } }
  },
  reshape(workshop) {
    const x = anything(workshop)
    const shape: number[] = []
    let rest = sizeOf(x.value.shape)
    while (shape.length < 5 && workshop.chance(60)) {
      const divisors = [1, 2, 3, 4, 5, 6, 7].filter((divisor) => rest % divisor === 0)
      const size = workshop.pick(divisors)
      shape.push(size)
      rest /= size
    }
    return { operands: { x }, attributes: { shape: [...shape, rest] } }
  },
  slice(workshop) {
    const { draw } = workshop
    const x = anything(workshop)
    const [starts, sizes, steps]: [number[], number[], number[]] = [[], [], []]
    for (const extent of x.value.shape) {
      const start = draw(0, extent - 1)
      const stride = draw(1, 3)
      starts.push(start)
      steps.push(stride)
      sizes.push(draw(1, Math.floor((extent - 1 - start) / stride) + 1))
    }
    return { operands: { x }, attributes: { starts, sizes, steps } }
  },
  concat(workshop) {
    const { draw, fresh } = workshop
    const first = anything(workshop)
    const { dtype, shape } = first.value
    const axis = draw(0, shape.length - 1)
    const others = Array.from({ length: draw(0, 3) }, () => fresh(dtype, shape.with(axis, draw(1, 3))))
    return { operands: { xs: [first, ...others] }, attributes: { axis } }
  },
  maxPool: (workshop) => pooling(workshop, dtypes),
  averagePool: (workshop) => pooling(workshop, ['i8', 'u8', 'i32']),
  argmax: (workshop) => ({ operands: { x: anything(workshop) }, attributes: {} }),
  topK(workshop) {
    const x = anything(workshop)
    const k = workshop.draw(1, x.value.shape.at(-1) ?? 1)
    return { operands: { x }, attributes: { k, result: workshop.pick(['values', 'indices']) } }
  },
  ema({ some, fresh, pick, shape, draw }) {
    const bounds = { min: -(2 ** 22), max: 2 ** 22 }
    const x = some(
      (value) => value.dtype !== 'u32' && within(value, bounds),
      () => fresh(pick(['i8', 'u8', 'i32']), shape(1, 3), bounds),
    )
    const alpha = pick([1, 65_536, draw(1, 65_536)])
    return { operands: { x }, attributes: { alpha, fraction: draw(0, 8) } }
  },
  convert(workshop) {
    const x = anything(workshop)
    const targets = dtypes.filter((dtype) => within(x.value, dtypeFacts[dtype]))
    return { operands: { x }, attributes: { to: workshop.pick(targets) } }
  },
}

/** The entries' bytes: all at one end, or spread, with the ends often among them. */
function drawEntries(draw: Draw, { dtype, shape, min, max }: TensorType): Uint8Array {
  const data = createEntries(dtype, sizeOf(shape))
  const mood = draw(0, 3)
  let state = draw(0, 2 ** 31 - 1)
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 0) / 2 ** 32
  }
  for (let index = 0; index < data.length; index++) {
    const spread = min + Math.floor(next() * (max - min + 1))
    const end = next() < 0.5 ? min : max
    if (mood === 0) data[index] = min
    else if (mood === 1) data[index] = max
    else data[index] = mood === 2 || next() < 0.25 ? end : spread
  }
  return tensorBytes({ data })
}

export function drawProgram(
  draw: Draw,
  { sha256, nodes: wanted, among = operationNames }: DrawOptions,
): DrawnProgram {
  const inputs: TensorType[] = []
  const constants: Constant[] = []
  const blobs = new Map<Digest, Uint8Array>()
  const made: { readonly op: OperationName; readonly proposal: Proposal }[] = []
  let sources: Source[] = []

  const chance = (percent: number) => draw(1, 100) <= percent
  const pick = <T>(from: readonly T[]): T => from[draw(0, from.length - 1)] as T
  const range = ({ min, max }: Range): Range => {
    const mood = draw(0, 3)
    if (mood === 0) return { min, max }
    const [one, other] = [draw(min, max), draw(min, max)]
    if (mood === 1) return { min: one, max: one }
    return { min: Math.min(one, other), max: Math.max(one, other) }
  }
  const fresh = (dtype: Dtype, shape: Shape, bounds: Range = dtypeFacts[dtype]): Source => {
    const facts = dtypeFacts[dtype]
    const limits = { min: Math.max(bounds.min, facts.min), max: Math.min(bounds.max, facts.max) }
    const type: TensorType = { dtype, shape, ...range(limits) }
    if (inputs.length === 0 || chance(50)) {
      inputs.push(type)
      return { value: type, place: { kind: 'input', index: inputs.length - 1 } }
    }
    const data = drawEntries(draw, type)
    if (chance(50)) {
      constants.push({ type, data })
      const known = tensorFromBytes(type, data).data
      return { value: { ...type, known }, place: { kind: 'constant', index: constants.length - 1 } }
    }
    const digest = encodeHex(sha256(data)) as Digest
    blobs.set(digest, data)
    constants.push({ type, digest })
    return { value: type, place: { kind: 'constant', index: constants.length - 1 } }
  }
  const workshop: Workshop = {
    draw,
    pick,
    chance,
    range,
    fresh,
    shape: (rankMin, rankMax) => Array.from({ length: draw(rankMin, rankMax) }, () => draw(1, 5)),
    some(fits, otherwise) {
      const candidates = sources.filter(({ value }) => fits(value))
      return candidates.length > 0 && chance(80) ? pick(candidates) : otherwise()
    },
  }

  for (let attempt = 0; made.length === 0 || attempt < wanted; attempt++) {
    if (attempt > wanted + attemptsMax) throw new Error(`nothing that was drawn for ${among} is accepted`)
    const before = { inputs: inputs.length, constants: constants.length }
    const op = pick(among)
    const proposal = proposals[op]?.(workshop)
    if (proposal === undefined) throw new Error(`nothing is proposed for ${op}`)
    const operands = Object.values(proposal.operands).flat()
    const operation = operationOf(op)
    const node = { op, ...proposal.attributes } as unknown as Node
    const values = operands.map(({ value }) => value)
    const result = operation.infer(node, values)
    const accepted =
      !('broken' in result) &&
      sizeOf(result.shape) <= entriesMax &&
      operation.work(node, values, result) <= workMax
    if (!accepted) {
      inputs.length = before.inputs
      constants.length = before.constants
      continue
    }
    made.push({ op, proposal })
    const place = { kind: 'node', index: made.length - 1 } as const
    sources = [...new Set([...sources, ...operands]), { value: result, place }]
  }
  return finish(draw, { inputs, constants, made, blobs })
}

function finish(
  draw: Draw,
  drawn: {
    readonly inputs: readonly TensorType[]
    readonly constants: readonly Constant[]
    readonly made: readonly { readonly op: OperationName; readonly proposal: Proposal }[]
    readonly blobs: ReadonlyMap<Digest, Uint8Array>
  },
): DrawnProgram {
  const { inputs, constants, made, blobs } = drawn
  const first = { input: 0, constant: inputs.length, node: inputs.length + constants.length }
  const indexOf = ({ place }: Source) => first[place.kind] + place.index
  const nodes = made.map(({ op, proposal }) => {
    const operands = Object.entries(proposal.operands).map(([name, source]) => {
      return [name, Array.isArray(source) ? source.map(indexOf) : indexOf(source as Source)]
    })
    return { op, ...Object.fromEntries(operands), ...proposal.attributes } as unknown as Node
  })
  const used = new Set(nodes.flatMap(operandsOf))
  const outputs = nodes
    .map((_, index) => first.node + index)
    .filter((index) => !used.has(index) || draw(1, 100) <= 20)
  const input = inputs.map((type) => drawEntries(draw, type))
  return { program: { inputs, constants, nodes, outputs }, input: Buffer.concat(input), blobs }
}
