/**
 * Random stacks of layers as models have them: a product or a convolution, then bias, requantize, relu or a table. Their sizes
 * are those where kernels go wrong, around the widths of vectors and tiles; some inner values are outputs too, so that an
 * executor cannot fuse what somebody wants to see.
 */
import { type Digest, encodeHex, type Sha256 } from '@shardy/protocol'
import { buildProgram, type ProgramBuilder } from '../src/builder/buildProgram.ts'
import { requantizeScale, requantizeScales } from '../src/builder/requantizeScale.ts'
import type { Term } from '../src/builder/term.ts'
import { inferProgram } from '../src/program/inference.ts'
import { createEntries, type Dtype, dtypeFacts, type Shape, sizeOf, tensorBytes } from '../src/tensor.ts'
import type { Draw, DrawnProgram } from './drawProgram.ts'

const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 70]
const layersMax = 3
/** Larger weights travel as blobs, so that the program stays within its limit. */
const inlineMax = 2_000

interface Stack {
  readonly draw: Draw
  readonly b: ProgramBuilder
  pick<T>(from: readonly T[]): T
  weights(shape: Shape): Term
}

/** Entries of one kind: all at one end, at the ends, or spread. */
function drawEntries(draw: Draw, dtype: Dtype, size: number) {
  const { min, max } = dtypeFacts[dtype]
  const data = createEntries(dtype, size)
  const mood = draw(0, 4)
  let state = draw(0, 2 ** 31 - 1)
  for (let index = 0; index < size; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    const bits = state >>> 8
    const end = (bits & 1) === 0 ? min : max
    data[index] = mood === 0 ? min : mood === 1 ? end : min + (bits % (max - min + 1))
  }
  return data
}

function drawProduct(stack: Stack, x: Term): Term {
  const { pick, draw, weights } = stack
  const [k = 1, n] = [x.shape.at(-1), pick(sizes)]
  const transposeB = draw(0, 1) === 1
  const leading = draw(0, 2) === 0 ? x.shape.slice(0, -2) : []
  return x.matmul(weights([...leading, ...(transposeB ? [n, k] : [k, n])]), { transposeB })
}

function drawConvolution({ pick, draw, weights }: Stack, x: Term): Term {
  const [, height = 1, width = 1, channels = 1] = x.shape
  const groups = pick([1, 1, channels])
  const [windowH, windowW] = [draw(1, Math.min(height, 3)), draw(1, Math.min(width, 3))]
  const outputs = groups === 1 ? pick([1, 3, 4, 8, 17]) : groups * draw(1, 2)
  return x.conv2d(weights([outputs, windowH, windowW, channels / groups]), {
    groups,
    strideH: draw(1, 2),
    strideW: draw(1, 2),
    padTop: draw(0, 2),
    padLeft: draw(0, 2),
    padBottom: draw(0, 1),
    padRight: draw(0, 1),
    padValue: draw(0, 127),
  })
}

/** Sums to bytes, in one of the ways that executors fuse. */
function drawEpilogue({ draw, pick }: Stack, sums: Term): Term {
  const channels = sums.shape.at(-1) ?? 1
  const factor = () => 100 / (draw(1, 50) * Math.max(sums.max, -sums.min, 1))
  const to = pick(['i8', 'u8'] as const)
  const zeroPoint = draw(-128, 255)
  const biased =
    draw(0, 2) === 0 ? sums : sums.bias(Int32Array.from({ length: channels }, () => draw(-100_000, 100_000)))
  const bytes =
    draw(0, 1) === 0
      ? biased.requantize({ ...requantizeScale(factor()), zeroPoint, to })
      : biased.requantizeChannels({
          ...requantizeScales(Array.from({ length: channels }, factor)),
          zeroPoint,
          to,
        })
  const after = draw(0, 3)
  if (after === 0) return bytes
  if (after === 1 && to === 'i8') return bytes.relu()
  return bytes.lookup(drawEntries(draw, pick(['i8', 'u8']), 256))
}

export function drawLayers(draw: Draw, sha256: Sha256): DrawnProgram {
  const blobs = new Map<Digest, Uint8Array>()
  const pick = <T>(from: readonly T[]): T => from[draw(0, from.length - 1)] as T
  const program = buildProgram((b) => {
    const weights = (shape: Shape) => {
      const entries = drawEntries(draw, 'i8', sizeOf(shape))
      if (entries.length <= inlineMax && draw(0, 1) === 0) return b.constant(entries, shape)
      const bytes = tensorBytes({ data: entries })
      const digest = encodeHex(sha256(bytes)) as Digest
      blobs.set(digest, bytes)
      return b.weights(digest, 'i8', shape)
    }
    const stack: Stack = { draw, b, pick, weights }
    const image = draw(0, 2) === 0
    const batch = draw(0, 2) === 0 ? [draw(1, 3)] : []
    const shape = image
      ? [draw(1, 2), draw(1, 9), draw(1, 9), pick([1, 3, 4, 8])]
      : [...batch, pick(sizes), pick(sizes)]
    let x = b.input(pick(['i8', 'u8']), shape)
    const seen: Term[] = []
    for (let layer = draw(1, layersMax); layer > 0; layer--) {
      const sums = image ? drawConvolution(stack, x) : drawProduct(stack, x)
      x = drawEpilogue(stack, sums)
      if (draw(0, 4) === 0) seen.push(sums)
      if (draw(0, 4) === 0) seen.push(x)
    }
    return [...new Set([...seen, x])]
  })
  const inputs = inferProgram(program).values.slice(0, program.inputs.length)
  const parts = inputs.map(({ dtype, shape }) =>
    tensorBytes({ data: drawEntries(draw, dtype, sizeOf(shape)) }),
  )
  return { program, input: Uint8Array.from(Buffer.concat(parts)), blobs }
}
