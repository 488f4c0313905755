/**
 * Operations that make entry i out of entry i (spec T22 to T30, T45), one after the other in one kernel: a chain reads its
 * first operand once, carries each entry as an i32, and writes the last result alone.
 */
import { dtypeFacts, type Node, type NodeFor } from '@shardy/tensor'
import type { Draft, Operand } from '../plan/draft.ts'
import { wideIntegers } from './integers.ts'
import { map } from './map.ts'
import type { Params, Reads } from './module.ts'
import { broadcastView, viewIndex } from './view.ts'

const pointwiseOperations = [
  'bias',
  'requantize',
  'requantizeChannels',
  'add',
  'subtract',
  'multiply',
  'relu',
  'clamp',
  'lookup',
  'convert',
] as const

export type PointwiseNode = NodeFor<(typeof pointwiseOperations)[number]>

export function isPointwise(node: Node): node is PointwiseNode {
  return pointwiseOperations.some((op) => op === node.op)
}

/** One operation of a chain; `operands` are those after the first, which is the chain's own value. */
export interface Stage {
  readonly node: PointwiseNode
  readonly input: Pick<Operand, 'dtype' | 'shape'>
  readonly operands: readonly Operand[]
  readonly result: Pick<Operand, 'dtype' | 'shape'>
}

/** What a stage adds to its kernel; its names end in its number among the stages. */
interface StageText {
  readonly reads?: Reads
  readonly params?: Params
  /** Statements that take `v` and leave the stage's result in it; `i` is the entry. */
  readonly text: string
}

const requantizeFunction = /* wgsl */ `
fn requantize(x: i32, multiplier: i32, shift: u32, zeroPoint: i32, low: i32, high: i32) -> i32 {
  let scaled = roundShiftWide(multiplySigned(x, multiplier), shift);
  return clampWide(addWide(scaled, widen(zeroPoint)), low, high);
}
`

/** A number of a kind of integer as WGSL writes an i32; the literal of the smallest one does not exist. */
function literal(value: number): string {
  return value === -(2 ** 31) ? 'i32(-2147483647 - 1)' : `${value}i`
}

function boundsOf(dtype: 'i8' | 'u8' | 'i32'): string {
  const { min, max } = dtypeFacts[dtype]
  return `${literal(min)}, ${literal(max)}`
}

function stageText({ node, input, operands, result }: Stage, number: number): StageText {
  const named = (name: string) => `${name}${number}n`
  const [first, second] = operands
  const operand = (at: Operand | undefined): Operand => {
    if (at === undefined) throw new Error(`${node.op} lacks an operand`)
    return at
  }
  const channels = result.shape.at(-1) ?? 1
  const channel = `i % params.${named('channels')}`
  switch (node.op) {
    case 'bias':
      return {
        reads: { [named('b')]: operand(first) },
        params: { [named('channels')]: channels },
        text: `v += ${named('b')}At(${channel});`,
      }
    case 'requantize': {
      const { multiplier, shift, zeroPoint, to } = node
      const [m, s, z] = ['multiplier', 'shift', 'zero'].map(named)
      return {
        params: { [String(m)]: multiplier, [String(s)]: shift, [String(z)]: zeroPoint },
        text: `v = requantize(v, bitcast<i32>(params.${m}), params.${s}, bitcast<i32>(params.${z}), ${boundsOf(to)});`,
      }
    }
    case 'requantizeChannels': {
      const [m, s, z] = ['multipliers', 'shifts', 'zero'].map(named)
      return {
        reads: { [String(m)]: operand(first), [String(s)]: operand(second) },
        params: { [named('channels')]: channels, [String(z)]: node.zeroPoint },
        text: `v = requantize(v, ${m}At(${channel}), u32(${s}At(${channel})), bitcast<i32>(params.${z}), ${boundsOf(node.to)});`,
      }
    }
    case 'add':
    case 'subtract':
    case 'multiply': {
      const sign = { add: '+', subtract: '-', multiply: '*' }[node.op]
      const y = operand(first)
      const { index, params } = viewIndex(broadcastView(y.shape, result.shape), named('y'))
      return { reads: { [named('y')]: y }, params, text: `v = v ${sign} ${named('y')}At(${index});` }
    }
    case 'relu':
      return { text: 'v = max(v, 0);' }
    case 'clamp': {
      const [low, high] = ['low', 'high'].map(named)
      const as = input.dtype === 'u32' ? 'u32' : 'i32'
      return {
        params: { [String(low)]: node.min, [String(high)]: node.max },
        text: `v = bitcast<i32>(clamp(bitcast<${as}>(v), bitcast<${as}>(params.${low}), bitcast<${as}>(params.${high})));`,
      }
    }
    case 'lookup':
      return {
        reads: { [named('table')]: operand(first) },
        text: `v = ${named('table')}At(u32(v + ${input.dtype === 'i8' ? 128 : 0}));`,
      }
    case 'convert':
      return { text: '' }
  }
}

export function needsOf(stages: readonly Stage[]): {
  readonly reads: readonly Operand[]
  readonly params: number
} {
  const texts = stages.map(stageText)
  return {
    reads: texts.flatMap(({ reads = {} }) => Object.values(reads)),
    params: texts.reduce((count, { params = {} }) => count + Object.keys(params).length, 0),
  }
}

export function emitPointwise(draft: Draft, x: Operand, stages: readonly Stage[], result: Operand): void {
  const texts = stages.map(stageText)
  const requantizes = stages.some(({ node }) => node.op === 'requantize' || node.op === 'requantizeChannels')
  map(draft, {
    reads: Object.assign({ x }, ...texts.map(({ reads }) => reads)),
    params: Object.assign({}, ...texts.map(({ params }) => params)),
    result,
    functions: requantizes ? `${wideIntegers}${requantizeFunction}` : '',
    entry: `  var v = xAt(i);
${texts.map(({ text }) => `  ${text}`).join('\n')}
  return v;`,
    workPerEntry: stages.length,
  })
}
