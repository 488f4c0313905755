/** How large the next benchmark is, so that it takes about as long as the policy says (docs/spec/benchmark.md, N12). */
import { type ChainKind, type ChainSize, checkpointEveryMin, keptBytesMax, stepsMax } from './parameters.ts'

export interface SizePolicy {
  readonly kind: ChainKind
  /** How long the worker should be busy. */
  readonly targetMs: number
  /** More of them cost hashing, fewer make every opening dearer for the checker. */
  readonly segments: number
  /** More rows fill wider devices; fewer keep what is hashed and kept small. */
  readonly rowsMax: number
}

export const sizePolicies = {
  product: { kind: 'product', targetMs: 400, segments: 16, rowsMax: 4096 },
  lite: { kind: 'lite', targetMs: 200, segments: 64, rowsMax: 1 },
} as const satisfies Readonly<Record<ChainKind, SizePolicy>>

/** What a weak device does in a tenth of a second or two. */
const firstOperations = { product: 2 ** 26, lite: 2 ** 23 } as const

const width = 256
/** A device that runs programs pays for every step, so short chains of many rows measure it better than long ones of few. */
const stepsWanted = 256

/** `rate` in operations per second, as the benchmark before measured it; undefined for the first. */
export function nextSize(rate: number | undefined, policy: SizePolicy): ChainSize {
  const { kind, segments } = policy
  const operations = Math.max(
    firstOperations[kind],
    rate === undefined ? 0 : (rate * policy.targetMs) / 1_000,
  )
  const perRowStep = kind === 'product' ? width * width : width
  const rowsWanted = operations / (perRowStep * stepsWanted)
  const rowsBound = Math.min(policy.rowsMax, Math.floor(keptBytesMax / (width * segments)))
  const rows = 2 ** Math.floor(Math.log2(Math.min(rowsBound, Math.max(1, rowsWanted))))
  const every = Math.round(operations / (perRowStep * rows * segments))
  const checkpointEvery = Math.min(Math.floor(stepsMax / segments), Math.max(checkpointEveryMin, every))
  return { kind, rows, width, steps: checkpointEvery * segments, checkpointEvery }
}
