/** Windows over images, with the paddings that ONNX names or lets follow. */
import { intOf, intsOf, textOf } from '../attributes.ts'
import type { GraphNode } from '../graph.ts'
import { planeStepsMax, windowEntriesMax } from '../onnx/limits.ts'
import { refuse } from '../refusal.ts'

type Pair = readonly [number, number]

export interface Window {
  readonly kernel: Pair
  readonly strides: Pair
  readonly dilations: Pair
  /** Top and left, then bottom and right. */
  readonly before: Pair
  readonly after: Pair
  readonly out: Pair
  /** The last windows reach beyond the padding that the node itself names. */
  readonly isExtended: boolean
}

export const windowAttributes = ['auto_pad', 'kernel_shape', 'strides', 'dilations', 'pads'] as const

function pairOf(node: GraphNode, name: string, absent: Pair, min: number): Pair {
  const [first, second, ...rest] = intsOf(node, name) ?? absent
  if (first === undefined || second === undefined || rest.length > 0) {
    return refuse('unsupported', node.label, `has '${name}' for another number of axes than an image's two`)
  }
  const odd = [first, second].find((value) => value < min || value > 65_535)
  if (odd !== undefined) refuse('inconsistent', node.label, `has ${odd} in '${name}'`)
  return [first, second]
}

/** The window of a node over an image [N, C, H, W]. `kernel` is given where weights say it. */
export function windowOf(node: GraphNode, shape: readonly number[], kernel?: Pair): Window {
  const { label } = node
  if (shape.length !== 4) {
    refuse('unsupported', label, `is given [${shape.join(',')}]; images of four dimensions are understood`)
  }
  const named = intsOf(node, 'kernel_shape')
  if (kernel === undefined && named === undefined) refuse('malformed', label, "has no 'kernel_shape'")
  const size = pairOf(node, 'kernel_shape', kernel ?? [1, 1], 1)
  if (kernel !== undefined && (size[0] !== kernel[0] || size[1] !== kernel[1])) {
    refuse('inconsistent', label, `has a kernel of ${size.join(' x ')} and weights of ${kernel.join(' x ')}`)
  }
  const strides = pairOf(node, 'strides', [1, 1], 1)
  const dilations = pairOf(node, 'dilations', [1, 1], 1)
  const pads = intsOf(node, 'pads') ?? [0, 0, 0, 0]
  if (pads.length !== 4 || pads.some((pad) => pad < 0 || pad > 65_535)) {
    refuse('unsupported', label, `has the padding [${pads.join(',')}], expected four numbers from 0 on`)
  }
  const automatic = textOf(node, 'auto_pad', 'NOTSET')
  const isCeiling = intOf(node, 'ceil_mode', 0) !== 0
  const axes = ([0, 1] as const).map((axis) => {
    const extent = shape[2 + axis] ?? 0
    const [stride, span] = [strides[axis], dilations[axis] * (size[axis] - 1) + 1]
    const [before, after] = paddingOf(node, automatic, extent, stride, span, [
      pads[axis] ?? 0,
      pads[2 + axis] ?? 0,
    ])
    const steps = (extent + before + after - span) / stride
    let out = Math.floor(steps) + 1
    if (isCeiling && steps > 0) {
      out = Math.ceil(steps) + 1
      // A window that would begin beside the image is left out.
      if ((out - 1) * stride >= extent + before) out--
    }
    if (out < 1) {
      refuse(
        'inconsistent',
        label,
        `has a window of ${span}, which does not fit into ${extent} and its padding`,
      )
    }
    const reached = (out - 1) * stride + span - extent - before
    return { before, after: Math.max(after, reached), out, isExtended: reached > after }
  })
  const [rows, columns] = axes
  if (rows === undefined || columns === undefined) throw new Error('there are two axes')
  const entries = size[0] * size[1]
  if (entries > windowEntriesMax || rows.out * columns.out * entries > planeStepsMax) {
    refuse('tooLarge', label, `moves a window of ${size.join(' x ')} to ${rows.out} x ${columns.out} places`)
  }
  return {
    kernel: size,
    strides,
    dilations,
    before: [rows.before, columns.before],
    after: [rows.after, columns.after],
    out: [rows.out, columns.out],
    isExtended: rows.isExtended || columns.isExtended,
  }
}

function paddingOf(
  { label }: GraphNode,
  automatic: string,
  extent: number,
  stride: number,
  span: number,
  named: Pair,
): Pair {
  switch (automatic) {
    case 'NOTSET':
      return named
    case 'VALID':
      return [0, 0]
    case 'SAME_UPPER':
    case 'SAME_LOWER': {
      const total = Math.max((Math.ceil(extent / stride) - 1) * stride + span - extent, 0)
      const less = Math.floor(total / 2)
      return automatic === 'SAME_UPPER' ? [less, total - less] : [total - less, less]
    }
    default:
      return refuse('unsupported', label, `has auto_pad '${automatic}'`)
  }
}

export function padsOf({ before, after }: Window) {
  return { padTop: before[0], padLeft: before[1], padBottom: after[0], padRight: after[1] }
}

export function stridesOf({ strides }: Window) {
  return { strideH: strides[0], strideW: strides[1] }
}
