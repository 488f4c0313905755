/**
 * Pooling as plain loops: window by window, a block of a pixel's channels together. A pause may fall inside a window,
 * since one window can be a whole image.
 */
import { createEntries, type Entries, type NodeFor, sizeOf, type Tensor, type Value } from '@shardy/tensor'
import { openPace, type Steps, stepWork } from './steps.ts'

/** Channels that are pooled together. */
const blockChannels = 2 ** 14
/** What a place costs beside its window. */
const placeWork = 16

export function* runPool(node: NodeFor<'maxPool'> | NodeFor<'averagePool'>, x: Tensor, result: Value): Steps {
  const { windowH, windowW, strideH, strideW, padTop, padLeft } = node
  const [, height = 0, width = 0, channels = 0] = x.shape
  const [images = 0, rows = 0, columns = 0] = result.shape
  const data = createEntries(result.dtype, sizeOf(result.shape))
  const places = images * rows * columns
  const pace = openPace(data.length * windowH * windowW + places * placeWork)
  const isMean = node.op === 'averagePool'
  const [accumulate, empty] = isMean ? [addPixels, 0] : [raiseByPixels, Number.NEGATIVE_INFINITY]
  const block = new Float64Array(Math.min(blockChannels, channels))
  for (let place = 0; place < places; place++) {
    const left = (place % columns) * strideW - padLeft
    const top = (Math.floor(place / columns) % rows) * strideH - padTop
    const image = Math.floor(place / (columns * rows)) * height
    const [firstRow, endRow] = [Math.max(top, 0), Math.min(top + windowH, height)]
    const [firstColumn, endColumn] = [Math.max(left, 0), Math.min(left + windowW, width)]
    const count = (endRow - firstRow) * (endColumn - firstColumn)
    for (let first = 0; first < channels; first += blockChannels) {
      const taken = Math.min(blockChannels, channels - first)
      const pooled = taken === block.length ? block : block.subarray(0, taken)
      pooled.fill(empty)
      const pixelsMax = Math.max(1, Math.floor(stepWork / taken))
      for (let row = firstRow; row < endRow; row++) {
        for (let column = firstColumn; column < endColumn; column += pixelsMax) {
          const pixels = Math.min(pixelsMax, endColumn - column)
          const source = ((image + row) * width + column) * channels + first
          accumulate(x.data, source, pixels, channels, pooled)
          if (pace.spend(pixels * taken)) yield pace.part()
        }
      }
      const target = place * channels + first
      if (isMean) writeMeans(pooled, count, data, target)
      else data.set(pooled, target)
    }
    if (pace.spend(placeWork)) yield pace.part()
  }
  return data
}

/** Neighbouring pixels, from `source` on, join what is pooled of each channel. */
function addPixels(x: Entries, source: number, pixels: number, channels: number, pooled: Float64Array): void {
  const end = source + pixels * channels
  for (let channel = 0; channel < pooled.length; channel++) {
    let sum = pooled[channel] ?? 0
    for (let index = source + channel; index < end; index += channels) sum += x[index] ?? 0
    pooled[channel] = sum
  }
}

function raiseByPixels(
  x: Entries,
  source: number,
  pixels: number,
  channels: number,
  pooled: Float64Array,
): void {
  const end = source + pixels * channels
  for (let channel = 0; channel < pooled.length; channel++) {
    let largest = pooled[channel] ?? 0
    for (let index = source + channel; index < end; index += channels) {
      const entry = x[index] ?? 0
      if (entry > largest) largest = entry
    }
    pooled[channel] = largest
  }
}

function writeMeans(sums: Float64Array, count: number, data: Entries, target: number): void {
  for (let channel = 0; channel < sums.length; channel++) {
    data[target + channel] = Math.floor((2 * (sums[channel] ?? 0) + count) / (2 * count))
  }
}
