/** Pooling as plain loops: window by window, all channels of a pixel together. */
import { createEntries, type Entries, type NodeFor, sizeOf, type Tensor, type Value } from '@shardy/tensor'

export function runPool(
  node: NodeFor<'maxPool'> | NodeFor<'averagePool'>,
  x: Tensor,
  result: Value,
): Entries {
  const { windowH, windowW, strideH, strideW, padTop, padLeft } = node
  const [, height = 0, width = 0, channels = 0] = x.shape
  const [images = 0, rows = 0, columns = 0] = result.shape
  const data = createEntries(result.dtype, sizeOf(result.shape))
  const isMean = node.op === 'averagePool'
  const pooled = new Float64Array(channels)
  let target = 0
  for (let place = 0; place < images * rows * columns; place++) {
    const left = (place % columns) * strideW - padLeft
    const top = (Math.floor(place / columns) % rows) * strideH - padTop
    const image = Math.floor(place / (columns * rows)) * height
    pooled.fill(isMean ? 0 : Number.NEGATIVE_INFINITY)
    const [firstRow, endRow] = [Math.max(top, 0), Math.min(top + windowH, height)]
    const [firstColumn, endColumn] = [Math.max(left, 0), Math.min(left + windowW, width)]
    for (let row = firstRow; row < endRow; row++) {
      for (let column = firstColumn; column < endColumn; column++) {
        const source = ((image + row) * width + column) * channels
        for (let channel = 0; channel < channels; channel++) {
          const entry = x.data[source + channel] ?? 0
          const before = pooled[channel] ?? 0
          pooled[channel] = isMean ? before + entry : Math.max(before, entry)
        }
      }
    }
    const count = (endRow - firstRow) * (endColumn - firstColumn)
    for (let channel = 0; channel < channels; channel++) {
      const value = pooled[channel] ?? 0
      data[target++] = isMean ? Math.floor((2 * value + count) / (2 * count)) : value
    }
  }
  return data
}
