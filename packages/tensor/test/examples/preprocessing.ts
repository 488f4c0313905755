/** What a task may do to a signal before anything else: every second row, cut to a band, smoothed, scaled to bytes. */
import type { Sha256 } from '@shardy/protocol'
import { buildProgram } from '../../src/builder/buildProgram.ts'
import { requantizeScale } from '../../src/builder/requantizeScale.ts'
import { tensorBytes } from '../../src/tensor.ts'
import { createSource, type Example } from './example.ts'

const [times, channels] = [101, 7]

export function createPreprocessing(sha256: Sha256): Example {
  const source = createSource(4, sha256)
  const program = buildProgram((b) => {
    const smooth = b
      .input('i32', [times, channels])
      .slice({ starts: [1, 1], sizes: [50, 5], steps: [2, 1] })
      .clamp(-100_000, 100_000)
      .ema({ alpha: 13_107, fraction: 6 })
    return [smooth, smooth.requantize({ ...requantizeScale(1 / 800), zeroPoint: 110, to: 'u8' })]
  })
  const input = tensorBytes({ data: source.integers(times * channels, 150_000) })
  return { program, input, blobs: source.blobs }
}
