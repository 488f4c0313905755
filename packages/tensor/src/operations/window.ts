/** Windows that slide over an axis of an image, for convolution and pooling (spec T14). */
import { type Field, field, whole } from '@shardy/protocol'

/** Every coordinate that a window can reach then stays far inside int32. */
export const slideMax = 65_535

/** One axis: `before` and `after` are the padding, `dilation` the distance between neighbours in the window. */
export interface Sliding {
  readonly extent: number
  readonly window: number
  readonly stride: number
  readonly dilation: number
  readonly before: number
  readonly after: number
}

/** How often the window fits; 0 or less where it does not fit at all. */
export function positions({ extent, window, stride, dilation, before, after }: Sliding): number {
  const span = dilation * (window - 1) + 1
  return Math.floor((extent + before + after - span) / stride) + 1
}

/** A stride, a dilation, a window: at least 1. */
export function step(number: number): Field<number> {
  return field(number, whole(1, slideMax))
}

export function padding(number: number): Field<number> {
  return field(number, whole(0, slideMax))
}

export interface Paddings {
  readonly padTop: number
  readonly padLeft: number
  readonly padBottom: number
  readonly padRight: number
}
