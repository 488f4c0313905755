/**
 * One benchmark: its seed, its size, and what follows from them (docs/spec/benchmark.md, N1 to N3). Whoever asks draws the seed
 * anew each time, so that nothing of one benchmark is of use in another.
 */
import {
  choice,
  type Decoded,
  type Digest,
  field,
  message,
  type Sha256,
  values,
  whole,
} from '@shardy/protocol'
import { hash, tags } from './hash.ts'

/** `product`: exact int8 products, for anything that runs programs. `lite`: FNV-1a rounds, for hosts without a GPU. */
export const chainKinds = ['product', 'lite'] as const
export type ChainKind = (typeof chainKinds)[number]

/** The two whose square roots are powers of two and whose state stays lively (N5). */
export const widths = [256, 1024] as const
export const rowsMax = 2 ** 16
export const stepsMax = 2 ** 20
/** A segment may not be so short that what rows have in common at its beginning is worth anything (N8). */
export const checkpointEveryMin = 16
export const checkpointsMax = 64
/** What the worker keeps until the openings are drawn. */
export const keptBytesMax = 2 ** 26

export interface ChainSize {
  readonly kind: ChainKind
  /** Independent chains that are computed side by side. */
  readonly rows: number
  /** Bytes of one row's state. */
  readonly width: number
  readonly steps: number
  /** Steps of one segment; it divides `steps`. */
  readonly checkpointEvery: number
}

export interface Benchmark extends ChainSize {
  readonly seed: Digest
}

const benchmarkMessage = message(
  'Benchmark',
  {
    seed: field(1, values.digest),
    kind: field(2, choice(chainKinds)),
    rows: field(3, whole(1, rowsMax)),
    width: field(4, whole(widths[0], widths[1])),
    steps: field(5, whole(checkpointEveryMin, stepsMax)),
    checkpointEvery: field(6, whole(checkpointEveryMin, stepsMax)),
  },
  ({ rows, width, steps, checkpointEvery }) => {
    if (!widths.some((one) => one === width)) {
      return { field: 'width', rule: `is ${width}, allowed are ${widths.join(' and ')}` }
    }
    if (steps % checkpointEvery !== 0) {
      return { field: 'steps', rule: `${steps} steps are not whole segments of ${checkpointEvery}` }
    }
    const checkpoints = steps / checkpointEvery
    if (checkpoints > checkpointsMax) {
      return {
        field: 'checkpointEvery',
        rule: `gives ${checkpoints} checkpoints, the limit is ${checkpointsMax}`,
      }
    }
    const bytes = rows * width * checkpoints
    if (bytes <= keptBytesMax) return undefined
    return { field: 'rows', rule: `${bytes} bytes are to be kept, the limit is ${keptBytesMax}` }
  },
)

export function encodeBenchmark(benchmark: Benchmark): Uint8Array {
  return benchmarkMessage.encode(benchmark)
}

export function decodeBenchmark(bytes: Uint8Array): Decoded<Benchmark> {
  return benchmarkMessage.decode(bytes)
}

/** Throws a `RangeError` or `TypeError` for a size outside the bounds: the size is the asker's own. */
export function drawBenchmark(
  seed: Digest,
  { kind, rows, width, steps, checkpointEvery }: ChainSize,
): Benchmark {
  const benchmark = { seed, kind, rows, width, steps, checkpointEvery }
  encodeBenchmark(benchmark)
  return benchmark
}

export function segmentsOf({ steps, checkpointEvery }: ChainSize): number {
  return steps / checkpointEvery
}

/** Multiply-adds of a product chain, byte steps of a lite chain: divided by the time it is the rate. */
export function operationsOf({ kind, rows, width, steps }: ChainSize): number {
  return rows * width * steps * (kind === 'product' ? width : 1)
}

/** What the segment before the first one leaves behind: it binds everything to the seed and to the size (N4). */
export function startOf(benchmark: Benchmark, sha256: Sha256): Uint8Array {
  return hash(tags.start, sha256, encodeBenchmark(benchmark))
}
