/** A small network of convolutions on images of odd sizes: padded, strided, by channel, with pooling of both kinds. */
import type { Sha256 } from '@shardy/protocol'
import { buildProgram } from '../../src/builder/buildProgram.ts'
import { requantizeScale, requantizeScales } from '../../src/builder/requantizeScale.ts'
import { lookupTable, silu } from '../../src/tables.ts'
import { createSource, type Example, spreadFactor } from './example.ts'

const [images, height, width, colours] = [2, 17, 15, 3]
const [channels, wide, classes] = [8, 12, 5]
const around = { padTop: 1, padLeft: 1, padBottom: 1, padRight: 1 }

export function createCnn(sha256: Sha256): Example {
  const source = createSource(2, sha256)
  const spread = { dtype: 'i8', scale: 1 / 24 } as const
  const program = buildProgram((b) => {
    // Weights of one channel are larger than those of another, as trained ones are.
    const factor = spreadFactor(9 * colours, 128, 60)
    const factors = Array.from({ length: channels }, (_, channel) => (factor * (channel + 4)) / 8)
    const stem = b
      .input('u8', [images, height, width, colours])
      .conv2d(b.constant(source.bytes(channels * 9 * colours, 60), [channels, 3, 3, colours]), {
        ...around,
        padValue: 114,
      })
      .bias(source.integers(channels, 5000))
      .requantizeChannels({ ...requantizeScales(factors), zeroPoint: -5, to: 'i8' })
      .relu()
      .maxPool({ windowH: 3, windowW: 3, strideH: 2, strideW: 2, ...around })
    const depthwise = stem
      .conv2d(b.constant(source.bytes(channels * 9, 90), [channels, 3, 3, 1]), {
        groups: channels,
        dilationH: 2,
        dilationW: 2,
        padTop: 2,
        padLeft: 2,
        padBottom: 2,
        padRight: 2,
      })
      .requantize({ ...requantizeScale(spreadFactor(9, 60, 90)), to: 'i8' })
      .lookup(lookupTable(silu, spread, spread))
    const pointwise = depthwise
      .conv2d(b.constant(source.bytes(wide * channels, 100), [wide, 1, 1, channels]), {
        strideH: 2,
        strideW: 2,
      })
      .bias(source.integers(wide, 2000))
      .requantize({ ...requantizeScale(spreadFactor(channels, 60, 100)), zeroPoint: 110, to: 'u8' })
    const [, rows = 1, columns = 1] = pointwise.shape
    return pointwise
      .averagePool({ windowH: rows, windowW: columns })
      .reshape([images, wide])
      .matmul(b.constant(source.bytes(wide * classes, 127), [wide, classes]))
      .bias(source.integers(classes, 300))
      .topK(3, 'indices')
  })
  const input = new Uint8Array(source.bytes(images * height * width * colours, 127).buffer)
  return { program, input, blobs: source.blobs }
}
