/**
 * Convolution (spec T21). Without groups it is a product: each place of the window becomes a row of the image's entries
 * under it, against the weights as they lie. With groups, where a row is short, each sum is made by itself.
 */
import { type NodeFor, sizeOf } from '@shardy/tensor'
import { blocksOf, type Draft, type Operand } from '../plan/draft.ts'
import { map } from './map.ts'

type Conv2d = NodeFor<'conv2d'>

/** Products of a sum that an invocation adds up in one dispatch. */
const termsMax = 2 ** 16

/** Whether the rows are the image as it lies: every place is one pixel, in order. */
export function isPlain(node: Conv2d, w: Pick<Operand, 'shape'>): boolean {
  const [, windowH, windowW] = w.shape
  const { strideH, strideW, padTop, padLeft, padBottom, padRight } = node
  const pads = padTop + padLeft + padBottom + padRight
  return windowH === 1 && windowW === 1 && strideH === 1 && strideW === 1 && pads === 0
}

function geometry(node: Conv2d, x: Operand, w: Operand, result: Pick<Operand, 'shape'>) {
  const { strideH, strideW, padTop, padLeft, dilationH, dilationW, padValue } = node
  const [, height = 1, width = 1, channels = 1] = x.shape
  const [, , windowW = 1, groupChannels = 1] = w.shape
  const [, rows = 1, columns = 1] = result.shape
  const window = { windowW, groupChannels, terms: sizeOf(w.shape.slice(1)) }
  const image = { height, width, channels, rows, columns, padValue }
  return { ...image, ...window, strideH, strideW, padTop, padLeft, dilationH, dilationW }
}

/** The image's entry under a term of the window that stands at a place; beside the image, the padding. */
const entryUnder = /* wgsl */ `
fn entryUnder(place: u32, term: u32, firstChannel: u32) -> i32 {
  let channel = firstChannel + term % params.groupChannels;
  let inWindow = term / params.groupChannels;
  // Rows and columns count from the padding's first.
  let y = (place / params.columns) % params.rows * params.strideH + inWindow / params.windowW * params.dilationH;
  let x = place % params.columns * params.strideW + inWindow % params.windowW * params.dilationW;
  if (y < params.padTop || x < params.padLeft) { return bitcast<i32>(params.padValue); }
  let row = y - params.padTop;
  let column = x - params.padLeft;
  if (row >= params.height || column >= params.width) { return bitcast<i32>(params.padValue); }
  let image = place / (params.columns * params.rows);
  return xAt(((image * params.height + row) * params.width + column) * params.channels + channel);
}
`

/** The rows of the product that a convolution is, of the places from `firstPlace` on. */
export function emitPatches(
  draft: Draft,
  node: Conv2d,
  [x, w]: readonly [Operand, Operand],
  result: Pick<Operand, 'shape'>,
  patches: Operand,
  firstPlace: number,
): void {
  map(draft, {
    reads: { x },
    params: { ...geometry(node, x, w, result), firstPlace },
    result: patches,
    functions: entryUnder,
    entry: '  return entryUnder(params.firstPlace + i / params.terms, i % params.terms, 0u);',
  })
}

/** Sum by sum. Long ones go on from what the result holds. */
export function emitDirect(
  draft: Draft,
  node: Conv2d,
  [x, w]: readonly [Operand, Operand],
  result: Operand,
): void {
  const outputs = w.shape[0] ?? 1
  const shared = geometry(node, x, w, result)
  for (const { from, to } of blocksOf(shared.terms, termsMax)) {
    map(draft, {
      reads: { x, w },
      params: { ...shared, outputs, groupOutputs: outputs / node.groups, termsFrom: from, termsEnd: to },
      result,
      functions: entryUnder,
      entry: `  let place = i / params.outputs;
  let output = i % params.outputs;
  let firstChannel = output / params.groupOutputs * params.groupChannels;
  var sum = 0;
  if (params.termsFrom > 0u) { sum = oldAt(i); }
  for (var term = params.termsFrom; term < params.termsEnd; term++) {
    sum += entryUnder(place, term, firstChannel) * wAt(output * params.terms + term);
  }
  return sum;`,
      workPerEntry: 8 * (to - from),
    })
  }
}
