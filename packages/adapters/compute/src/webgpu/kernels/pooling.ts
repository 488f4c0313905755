/**
 * Pooling (spec T40, T41), each entry of the result from its window. A large window is taken along its rows first and then
 * across them, so that no invocation walks for long.
 */
import type { NodeFor } from '@shardy/tensor'
import type { Draft, Operand } from '../plan/draft.ts'
import { floorDivide } from './integers.ts'
import { map } from './map.ts'

type Pooling = NodeFor<'maxPool'> | NodeFor<'averagePool'>

/** Entries of a window that an invocation still takes by itself. */
const entriesMax = 4096

interface Window {
  readonly windowH: number
  readonly windowW: number
  readonly strideH: number
  readonly strideW: number
  readonly padTop: number
  readonly padLeft: number
}

interface Pass extends Window {
  readonly x: Operand
  readonly result: Operand
  /** The divisor is the number of entries inside, which the whole window decides. */
  readonly mean?: { readonly whole: Window; readonly x: Operand }
}

/** WGSL for the part of a window that lies inside the image, along one axis: where it begins, and where it has ended. */
function inside(axis: 'row' | 'column', prefix = ''): string {
  const of = (name: string) => `params.${prefix}${name}`
  const [side, pad] = axis === 'row' ? ['H', of('padTop')] : ['W', of('padLeft')]
  const start = `${axis} * ${of(`stride${side}`)}`
  // Pads are smaller than the window, so no difference is below zero.
  return `max(${start}, ${pad}) - ${pad}, min(${start} + ${of(`window${side}`)} - ${pad}, ${of(`extent${side}`)})`
}

function emitPass(draft: Draft, op: Pooling['op'], pass: Pass): void {
  const { x, result, mean } = pass
  const [, height = 1, width = 1, channels = 1] = x.shape
  const [, rows = 1, columns = 1] = result.shape
  const windowParams = (window: Window, of: Operand, prefix: string) => ({
    [`${prefix}windowH`]: window.windowH,
    [`${prefix}windowW`]: window.windowW,
    [`${prefix}strideH`]: window.strideH,
    [`${prefix}strideW`]: window.strideW,
    [`${prefix}padTop`]: window.padTop,
    [`${prefix}padLeft`]: window.padLeft,
    [`${prefix}extentH`]: of.shape[1] ?? 1,
    [`${prefix}extentW`]: of.shape[2] ?? 1,
  })
  const unsigned = x.dtype === 'u32'
  const pick = unsigned
    ? 'bitcast<i32>(max(bitcast<u32>(pooled), bitcast<u32>(value)))'
    : 'max(pooled, value)'
  const start = op === 'averagePool' ? '0' : unsigned ? '0' : 'i32(-2147483647 - 1)'
  map(draft, {
    reads: { x },
    params: {
      height,
      width,
      channels,
      rows,
      columns,
      ...windowParams(pass, x, ''),
      ...(mean === undefined ? {} : windowParams(mean.whole, mean.x, 'whole')),
    },
    result,
    functions: floorDivide,
    entry: `  let channel = i % params.channels;
  let place = i / params.channels;
  let column = place % params.columns;
  let row = (place / params.columns) % params.rows;
  let image = place / (params.columns * params.rows);
  let down = vec2u(${inside('row')});
  let across = vec2u(${inside('column')});
  var pooled = ${start};
  for (var y = down.x; y < down.y; y++) {
    for (var x = across.x; x < across.y; x++) {
      let value = xAt(((image * params.height + y) * params.width + x) * params.channels + channel);
      pooled = ${op === 'averagePool' ? 'pooled + value' : pick};
    }
  }
${
  mean === undefined
    ? '  return pooled;'
    : `  let wholeDown = vec2u(${inside('row', 'whole')});
  let wholeAcross = vec2u(${inside('column', 'whole')});
  let count = i32((wholeDown.y - wholeDown.x) * (wholeAcross.y - wholeAcross.x));
  return floorDivide(2 * pooled + count, 2 * count);`
}`,
    workPerEntry: Math.min(pass.windowH, height) * Math.min(pass.windowW, width),
  })
}

export function emitPooling(draft: Draft, node: Pooling, [x]: readonly [Operand], result: Operand): void {
  const { op } = node
  const [images = 1, height = 1, width = 1, channels = 1] = x.shape
  const mean = { whole: node, x }
  const final = op === 'averagePool' ? { mean } : {}
  if (Math.min(node.windowH, height) * Math.min(node.windowW, width) <= entriesMax) {
    emitPass(draft, op, { ...node, x, result, ...final })
    return
  }
  const columns = result.shape[2] ?? 1
  const dtype = op === 'averagePool' ? 'i32' : x.dtype
  const along = draft.place({ dtype, shape: [images, height, columns, channels] })
  emitPass(draft, op, { ...node, windowH: 1, strideH: 1, padTop: 0, x, result: along })
  emitPass(draft, op, { ...node, windowW: 1, strideW: 1, padLeft: 0, x: along, result, ...final })
}
