/**
 * One block of a transformer from tokens to scores: embedding, normalized attention with rotary positions and a causal mask, a
 * gated hidden layer, both added to the stream, and the likeliest words. The stream is int32, so adding never saturates.
 */
import type { Sha256 } from '@shardy/protocol'
import { buildProgram } from '../../src/builder/buildProgram.ts'
import { requantizeScale } from '../../src/builder/requantizeScale.ts'
import type { Term } from '../../src/builder/term.ts'
import { lookupTable, rotaryTables, silu, softmaxTable } from '../../src/tables.ts'
import { createSource, type Example, spreadFactor } from './example.ts'

const [positions, heads, headWidth, words, hidden] = [13, 4, 8, 61, 72]
const width = heads * headWidth
/** A gain of 1 gives entries of a spread of 40: 40 · 2^4. */
const gainShift = 4
const gain = 40 * 2 ** gainShift
/** Further from the largest score than the softmax table reaches. */
const masked = -100_000

/** Scores may look back, not ahead. */
function causalMask(): Int32Array {
  return Int32Array.from({ length: positions ** 2 }, (_, index) =>
    index % positions > Math.floor(index / positions) ? masked : 0,
  )
}

export function createTransformer(sha256: Sha256): Example {
  const source = createSource(3, sha256)
  const spread = { dtype: 'i8', scale: 1 / 32 } as const
  const program = buildProgram((b) => {
    const weights = (rows: number, columns: number) =>
      b.weights(source.blob(source.bytes(rows * columns, 120)), 'i8', [rows, columns], {
        min: -120,
        max: 120,
      })
    const gains = () => Int32Array.from(source.integers(width, 100), (entry) => gain + entry)
    const layer = (x: Term, columns: number) =>
      x
        .matmul(weights(x.shape.at(-1) ?? 0, columns))
        .requantize({ ...requantizeScale(spreadFactor(x.shape.at(-1) ?? 1, 70, 120)), to: 'i8' })
    const normalized = (x: Term) =>
      x.rmsNorm(gains(), { epsilon: 100, shift: gainShift }).requantize({ multiplier: 1, shift: 0, to: 'i8' })
    const byHead = (x: Term) => x.reshape([positions, heads, headWidth]).transpose([1, 0, 2])

    const stream = weights(words, width)
      .gather(b.input('u8', [positions], { min: 0, max: words - 1 }))
      .convert('i32')

    const read = normalized(stream)
    const angles = rotaryTables({ positions, columns: headWidth })
    const [queries, keys] = [layer(read, width), layer(read, width)].map((x) => byHead(x).rotary(angles))
    if (queries === undefined || keys === undefined) throw new Error('there are two layers')
    const values = byHead(layer(read, width))
    const shares = queries
      .matmul(keys, { transposeB: true })
      .requantize({ ...requantizeScale(spreadFactor(headWidth, 70, 70)), to: 'i32' })
      .add(b.constant(causalMask(), [positions, positions]))
      .softmax(softmaxTable(1 / 24))
    const attended = shares
      .matmul(values)
      .requantize({ ...requantizeScale(1 / 255), to: 'i8' })
      .transpose([1, 0, 2])
      .reshape([positions, width])
    const afterAttention = stream.add(layer(attended, width))

    const mixed = normalized(afterAttention)
    const gates = layer(mixed, hidden).lookup(lookupTable(silu, spread, spread))
    const gated = gates.multiply(layer(mixed, hidden)).requantize({ ...requantizeScale(1 / 32), to: 'i8' })
    const after = afterAttention.add(layer(gated, width))

    const scores = after
      .layerNorm(gains(), { epsilon: 100, shift: gainShift })
      .bias(source.integers(width, 9))
      .requantize({ multiplier: 1, shift: 0, to: 'i8' })
      .matmul(weights(words, width), { transposeB: true })
    return [after, shares, scores.topK(4, 'indices'), scores.topK(4, 'values')]
  })
  const input = Uint8Array.from({ length: positions }, (_, position) => (position * 37 + 11) % words)
  return { program, input, blobs: source.blobs }
}
