/** Two layers of a perceptron for images of 28 × 28: product, bias, requantize, gelu by table, product, bias, and the winner. */
import type { Sha256 } from '@shardy/protocol'
import { buildProgram } from '../../src/builder/buildProgram.ts'
import { requantizeScale } from '../../src/builder/requantizeScale.ts'
import { gelu, lookupTable } from '../../src/tables.ts'
import { createSource, type Example, spreadFactor } from './example.ts'

const [rows, pixels, hidden, classes] = [8, 784, 128, 10]

export function createMlp(sha256: Sha256): Example {
  const source = createSource(1, sha256)
  const first = source.blob(source.bytes(pixels * hidden, 100))
  const second = source.bytes(classes * hidden, 127)
  const scale = { dtype: 'i8', scale: 1 / 32 } as const
  const program = buildProgram((b) => {
    const logits = b
      .input('i8', [rows, pixels])
      .matmul(b.weights(first, 'i8', [pixels, hidden], { min: -100, max: 100 }))
      .bias(source.integers(hidden, 20_000))
      .requantize({ ...requantizeScale(spreadFactor(pixels, 127, 100)), to: 'i8' })
      .lookup(lookupTable(gelu, scale, scale))
      .matmul(b.constant(second, [classes, hidden]), { transposeB: true })
      .bias(source.integers(classes, 1000))
    return [logits, logits.argmax()]
  })
  const input = new Uint8Array(source.bytes(rows * pixels, 127).buffer)
  return { program, input, blobs: source.blobs }
}
