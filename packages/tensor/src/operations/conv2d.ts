/**
 * T21: convolution of NHWC images with weights [O, KH, KW, C / groups], exact int32 sums. Checked by projection, not
 * replayed.
 */
import { field, integer, whole } from '@shardy/protocol'
import { checkedSum } from '../modulus.ts'
import { operation } from '../operation.ts'
import { dtypeFacts, entryAt, sizeOf } from '../tensor.ts'
import {
  broken,
  describeType,
  joinRanges,
  multiplyRanges,
  type Range,
  resultOf,
  scaleRange,
  type Value,
} from '../value.ts'
import { type Paddings, padding, positions, slideMax, step } from './window.ts'

export interface Conv2dAttributes extends Paddings {
  readonly strideH: number
  readonly strideW: number
  readonly dilationH: number
  readonly dilationW: number
  readonly groups: number
}

/** The sizes of a convolution by name. Group g reads `groupChannels` channels and makes `groupOutputs` outputs. */
export interface Conv2dLayout {
  readonly images: number
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly windowH: number
  readonly windowW: number
  readonly outHeight: number
  readonly outWidth: number
  readonly outputs: number
  readonly groupChannels: number
  readonly groupOutputs: number
}

type Operand = Pick<Value, 'shape'>

/** For operands of rank 4. A size below 1 says that the window does not fit. */
export function conv2dLayout(x: Operand, w: Operand, attributes: Conv2dAttributes): Conv2dLayout {
  const [images = 0, height = 0, width = 0, channels = 0] = x.shape
  const [outputs = 0, windowH = 0, windowW = 0, groupChannels = 0] = w.shape
  const { strideH, strideW, dilationH, dilationW, padTop, padLeft, padBottom, padRight, groups } = attributes
  return {
    images,
    height,
    width,
    channels,
    windowH,
    windowW,
    outHeight: positions({
      extent: height,
      window: windowH,
      stride: strideH,
      dilation: dilationH,
      before: padTop,
      after: padBottom,
    }),
    outWidth: positions({
      extent: width,
      window: windowW,
      stride: strideW,
      dilation: dilationW,
      before: padLeft,
      after: padRight,
    }),
    outputs,
    groupChannels,
    groupOutputs: outputs / groups,
  }
}

/** Padding takes part in the products, so its value belongs to what x can be. */
function paddedRange(x: Range, { padTop, padLeft, padBottom, padRight }: Paddings, padValue: number): Range {
  const pads = padTop + padLeft + padBottom + padRight
  return pads === 0 ? x : joinRanges(x, { min: padValue, max: padValue })
}

export const conv2d = operation({
  op: 'conv2d',
  operands: ['x', 'w'],
  attributes: {
    strideH: step(8),
    strideW: step(9),
    padTop: padding(10),
    padLeft: padding(11),
    padBottom: padding(12),
    padRight: padding(13),
    dilationH: step(14),
    dilationW: step(15),
    groups: field(16, whole(1, 2 ** 31 - 1)),
    /** What stands beside the image: the zero point of x. */
    padValue: field(17, integer(-128, 255)),
  },
  infer([x, w], attributes) {
    const { groups, padValue } = attributes
    if ((x.dtype !== 'i8' && x.dtype !== 'u8') || x.shape.length !== 4) {
      return broken(`x is ${describeType(x)}, expected i8 or u8 of four dimensions`)
    }
    if (w.dtype !== 'i8' || w.shape.length !== 4) {
      return broken(`w is ${describeType(w)}, expected i8 of four dimensions`)
    }
    const layout = conv2dLayout(x, w, attributes)
    const { channels, outputs, groupChannels, images, outHeight, outWidth, windowH, windowW } = layout
    if (channels % groups !== 0 || outputs % groups !== 0) {
      return broken(
        `groups is ${groups}, which divides not both of x's ${channels} channels and w's ${outputs} outputs`,
      )
    }
    if (groupChannels !== channels / groups) {
      return broken(
        `w is ${describeType(w)}, expected ${channels / groups} channels: x is ${describeType(x)} in ${groups} groups`,
      )
    }
    const facts = dtypeFacts[x.dtype]
    if (padValue < facts.min || padValue > facts.max) {
      return broken(`padValue is ${padValue}, ${x.dtype} holds ${facts.min} to ${facts.max}`)
    }
    if (Math.max(windowH, windowW) > slideMax) {
      return broken(`the window of w, ${describeType(w)}, is longer than ${slideMax}`)
    }
    if (outHeight < 1 || outWidth < 1) {
      return broken(
        `the window of w, ${describeType(w)}, does not fit into x, ${describeType(x)}, and its padding`,
      )
    }
    const terms = windowH * windowW * groupChannels
    const sums = scaleRange(multiplyRanges(paddedRange(x, attributes, padValue), w), terms)
    const result = resultOf('i32', [images, outHeight, outWidth, outputs], sums)
    return checkedSum(result, `split the ${terms} products of a sum and add the parts`)
  },
  evaluate([x, w], attributes, { dtype, shape }) {
    const { strideH, strideW, dilationH, dilationW, padTop, padLeft, padValue } = attributes
    const layout = conv2dLayout(x, w, attributes)
    const { height, width, channels, windowH, windowW, outHeight, outWidth, outputs } = layout
    const { groupChannels, groupOutputs } = layout
    const pixel = (image: number, row: number, column: number, channel: number) =>
      row < 0 || row >= height || column < 0 || column >= width
        ? padValue
        : entryAt(x.data, ((image * height + row) * width + column) * channels + channel)

    const data = new Int32Array(sizeOf(shape))
    for (let index = 0; index < data.length; index++) {
      const output = index % outputs
      const place = Math.floor(index / outputs)
      const left = (place % outWidth) * strideW - padLeft
      const top = (Math.floor(place / outWidth) % outHeight) * strideH - padTop
      const image = Math.floor(place / (outWidth * outHeight))
      const firstChannel = Math.floor(output / groupOutputs) * groupChannels
      let weight = output * windowH * windowW * groupChannels
      let sum = 0 // Exact: inference bounded every partial sum.
      for (let row = 0; row < windowH; row++) {
        for (let column = 0; column < windowW; column++) {
          for (let channel = 0; channel < groupChannels; channel++) {
            const entry = pixel(
              image,
              top + row * dilationH,
              left + column * dilationW,
              firstChannel + channel,
            )
            sum += entry * entryAt(w.data, weight++)
          }
        }
      }
      data[index] = sum
    }
    return { dtype, shape, data }
  },
  work([, w], _attributes, { shape }) {
    return sizeOf(shape) * sizeOf(w.shape.slice(1))
  },
})
