/** How large the next benchmark is, so that it takes about as long as the policy says (docs/spec/benchmark.md, N12). */
import { type ChainKind, type ChainSize, checkpointEveryMin, keptBytesMax, stepsMax } from './parameters.ts'

export interface SizePolicy {
  readonly kind: ChainKind
  /** How long the worker should be busy. */
  readonly targetMs: number
  /** Of the first benchmark, before any rate is known: what a weak device of this sort does in a tenth of a second or two. */
  readonly firstOperations: number
  /** More of them cost the worker hashing, fewer make every opening dearer for the checker. */
  readonly segments: number
  /** Rows are doubled while there are more steps than this, and no further than the bound: more of them fill wider devices. */
  readonly stepsWanted: number
  readonly rowsMax: number
}

export const sizePolicies = {
  cpu: {
    kind: 'product',
    targetMs: 400,
    firstOperations: 2 ** 26,
    segments: 16,
    stepsWanted: 256,
    rowsMax: 256,
  },
  gpu: {
    kind: 'product',
    targetMs: 400,
    firstOperations: 2 ** 31,
    segments: 4,
    stepsWanted: 512,
    rowsMax: 8192,
  },
  lite: { kind: 'lite', targetMs: 200, firstOperations: 2 ** 23, segments: 64, stepsWanted: 1, rowsMax: 1 },
} as const satisfies Readonly<Record<string, SizePolicy>>

/** Wider products use a GPU a little better and cost the checker far more. */
const width = 256

/** `rate` in operations per second, as the benchmark before measured it; undefined for the first. */
export function nextSize(rate: number | undefined, policy: SizePolicy): ChainSize {
  const { kind, targetMs, firstOperations, segments, stepsWanted } = policy
  const operations = Math.max(firstOperations, rate === undefined ? 0 : (rate * targetMs) / 1_000)
  const perRowStep = kind === 'product' ? width * width : width
  const rowsBound = Math.min(policy.rowsMax, Math.floor(keptBytesMax / (width * segments)))
  const rowsWanted = Math.min(rowsBound, Math.max(1, operations / (perRowStep * stepsWanted)))
  const rows = 2 ** Math.floor(Math.log2(rowsWanted))
  const every = Math.round(operations / (perRowStep * rows * segments))
  const checkpointEvery = Math.min(Math.floor(stepsMax / segments), Math.max(checkpointEveryMin, every))
  return { kind, rows, width, steps: checkpointEvery * segments, checkpointEvery }
}
