/**
 * Projection of a convolution (spec C14). As a product its rows are the patches of the image, place by place, and each
 * output channel is a column. Multiplied by r from the right, the weights fold into one vector over a whole patch, all
 * groups together; each patch times that vector must be what the place's sums times r are.
 */

import type { Conv2dLayout } from '../operations/conv2d.ts'
import type { NodeFor } from '../operations/index.ts'
import type { Range } from '../value.ts'
import type { FieldProducts, FieldVectors } from './field.ts'
import { compareProducts, type KeptProducts, type Projected, type Sums } from './product.ts'
import type { Vectors } from './vectors.ts'

type Bytes = Int8Array | Uint8Array

export interface ConvolutionClaim {
  readonly node: NodeFor<'conv2d'>
  readonly layout: Conv2dLayout
  readonly x: Bytes
  readonly w: Bytes
  readonly sums: Sums
  readonly range: Range
}

/** Patches that lie written out at once. */
const blockBytesMax = 2 ** 20

/** Σ over the outputs o of r(o) · w(o, ·), with every channel in its place among all groups. */
export function foldWeights(
  { layout }: Pick<ConvolutionClaim, 'layout'>,
  w: Bytes,
  { repetitions, elements }: FieldVectors,
  products: FieldProducts,
): FieldVectors {
  const { outputs, groupOutputs, groupChannels, channels, windowH, windowW } = layout
  const taps = windowH * windowW
  const folded = new Uint32Array(repetitions * taps * channels)
  for (let output = 0; output < outputs; output += groupOutputs) {
    const group = output / groupOutputs
    const part = new Uint32Array(repetitions * groupOutputs)
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const from = repetition * outputs + output
      part.set(elements.subarray(from, from + groupOutputs), repetition * groupOutputs)
    }
    const shape = { rows: groupOutputs, columns: taps * groupChannels }
    const weights = w.subarray(output * shape.columns, (output + groupOutputs) * shape.columns)
    const inner = products.multiplyBytesFromLeft(weights, shape, { repetitions, elements: part })
    for (let tap = 0; tap < repetitions * taps; tap++) {
      const row = inner.subarray(tap * groupChannels, (tap + 1) * groupChannels)
      folded.set(row, tap * channels + group * groupChannels)
    }
  }
  return { repetitions, elements: folded }
}

/** Writes the patches of some places one after the other: what the window sees there, padding included. */
function writePatches(
  { node, layout, x }: ConvolutionClaim,
  patches: Bytes,
  firstPlace: number,
  places: number,
): void {
  const { height, width, channels, windowH, windowW, outHeight, outWidth } = layout
  let at = 0
  for (let place = firstPlace; place < firstPlace + places; place++) {
    const left = (place % outWidth) * node.strideW - node.padLeft
    const top = (Math.floor(place / outWidth) % outHeight) * node.strideH - node.padTop
    const image = Math.floor(place / (outWidth * outHeight))
    for (let windowRow = 0; windowRow < windowH; windowRow++) {
      const row = top + windowRow * node.dilationH
      for (let windowColumn = 0; windowColumn < windowW; windowColumn++, at += channels) {
        const column = left + windowColumn * node.dilationW
        if (row < 0 || row >= height || column < 0 || column >= width) {
          patches.fill(node.padValue, at, at + channels)
        } else {
          const from = ((image * height + row) * width + column) * channels
          for (let channel = 0; channel < channels; channel++) patches[at + channel] = x[from + channel] ?? 0
        }
      }
    }
  }
}

export function projectConvolution(
  claim: ConvolutionClaim,
  vectors: Vectors,
  products: FieldProducts,
  kept?: KeptProducts | undefined,
): Projected {
  const { layout, x, w, sums, range } = claim
  const { images, outHeight, outWidth, outputs, windowH, windowW, channels } = layout
  const random = kept?.vectors ?? vectors.take(outputs)
  const folded = kept?.products ?? foldWeights(claim, w, random, products)
  const places = images * outHeight * outWidth
  const columns = windowH * windowW * channels
  const block = Math.max(1, Math.min(places, Math.floor(blockBytesMax / columns)))
  const patches = x instanceof Int8Array ? new Int8Array(block * columns) : new Uint8Array(block * columns)
  const { repetitions } = random
  const expected = new Uint32Array(repetitions * places)
  for (let place = 0; place < places; place += block) {
    const rows = Math.min(block, places - place)
    writePatches(claim, patches, place, rows)
    const made = products.multiplyBytes(patches.subarray(0, rows * columns), { rows, columns }, folded)
    for (let repetition = 0; repetition < repetitions; repetition++) {
      expected.set(made.subarray(repetition * rows, (repetition + 1) * rows), repetition * places + place)
    }
  }
  const actual = products.multiplyWords(sums, { rows: places, columns: outputs }, range, random)
  return compareProducts('row', expected, actual, 0, repetitions)
}
