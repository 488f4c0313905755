/** The windows of a convolution laid out as the rows of a product. */
import type { Conv2dLayout, NodeFor } from '@shardy/tensor'
import { copyRun } from './layout.ts'
import { openPace } from './steps.ts'

/** Windows `first` up to `end` of one group, one row each: KH × KW × channels of the group, as the weights lie. */
export function* layOutWindows(
  x: Int8Array | Uint8Array,
  rows: Int8Array | Uint8Array,
  layout: Conv2dLayout,
  node: NodeFor<'conv2d'>,
  group: number,
  first: number,
  end: number,
): Generator<number, void, void> {
  const { height, width, channels, windowH, windowW, outHeight, outWidth, groupChannels } = layout
  const { strideH, strideW, dilationH, dilationW, padTop, padLeft, padValue } = node
  const rowLength = windowW * groupChannels
  const pace = openPace((end - first) * windowH * rowLength)
  let target = 0
  for (let place = first; place < end; place++) {
    const left = (place % outWidth) * strideW - padLeft
    const top = (Math.floor(place / outWidth) % outHeight) * strideH - padTop
    const image = Math.floor(place / (outWidth * outHeight)) * height
    for (let row = 0; row < windowH; row++) {
      const y = top + row * dilationH
      if (y < 0 || y >= height) {
        rows.fill(padValue, target, target + rowLength)
      } else {
        const start = (image + y) * width * channels + group * groupChannels
        for (let column = 0; column < windowW; column++) {
          const at = left + column * dilationW
          const to = target + column * groupChannels
          if (at < 0 || at >= width) rows.fill(padValue, to, to + groupChannels)
          else copyRun(rows, to, x, start + at * channels, groupChannels, 1)
        }
      }
      target += rowLength
      if (pace.spend(rowLength)) yield pace.part()
    }
  }
}
