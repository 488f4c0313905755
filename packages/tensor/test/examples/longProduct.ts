/** A product whose sums are too wide for one check, which the builder cuts in two. */
import type { Sha256 } from '@shardy/protocol'
import { buildProgram } from '../../src/builder/buildProgram.ts'
import { createSource, type Example } from './example.ts'

const [m, k, n] = [3, 40_001, 5]

export function createLongProduct(sha256: Sha256): Example {
  const source = createSource(5, sha256)
  const weights = source.blob(source.bytes(k * n, 127))
  const program = buildProgram((b) => b.input('u8', [m, k]).matmul(b.weights(weights, 'i8', [k, n])))
  const input = new Uint8Array(source.bytes(m * k, 127).buffer)
  return { program, input, blobs: source.blobs }
}
