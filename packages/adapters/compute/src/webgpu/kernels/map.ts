/**
 * The shape of most kernels: each entry of the result by itself. `entry` is WGSL that gives entry i as an i32; this makes
 * the kernel around it. An invocation makes one whole word, so that tensors of bytes need no atomics; what is left of the
 * last word is zero.
 */
import { dtypeFacts, sizeOf } from '@shardy/tensor'
import { type Draft, type Operand, spanOfWords, windowBytes } from '../plan/draft.ts'
import type { KernelStep } from '../plan/step.ts'
import { bindKernel, type Params, type Reads } from './module.ts'

export interface MapWork {
  readonly reads: Reads
  readonly result: Operand
  readonly params?: Params
  readonly functions?: string
  /** Statements of `fn entry(i: u32) -> i32`. With `oldAt(i)` they read what the result holds already. */
  readonly entry: string
  /** Which entries to make, if not all; of bytes, the first one begins a word. */
  readonly entries?: { readonly from: number; readonly to: number }
  readonly workPerEntry?: number
  readonly pace?: KernelStep['pace']
}

export const invocations = 64

const makeWord = {
  1: {
    old: `fn oldAt(i: u32) -> i32 { return bitcast<i32>(extractBits(result[i / 4u - params.base], 8u * (i % 4u), 8u)); }`,
    main: `  let i = 4u * word;
  var bits = 0u;
  for (var byte = 0u; byte < min(4u, params.entriesEnd - i); byte++) {
    bits |= (bitcast<u32>(entry(i + byte)) & 0xffu) << (8u * byte);
  }
  result[word - params.base] = bits;`,
  },
  4: {
    old: `fn oldAt(i: u32) -> i32 { return bitcast<i32>(result[i - params.base]); }`,
    main: `  result[word - params.base] = bitcast<u32>(entry(word));`,
  },
} as const

export function map(draft: Draft, work: MapWork): void {
  const { result, reads, params = {}, functions = '', entry, workPerEntry = 1, pace = 'entry' } = work
  const { from, to } = work.entries ?? { from: 0, to: sizeOf(result.shape) }
  const { bytes } = dtypeFacts[result.dtype]
  const perWord = 4 / bytes
  const { old, main } = makeWord[bytes]
  const wordsEnd = Math.ceil(to / perWord)
  const windowWords = windowBytes(draft.limits) / 4
  for (let first = from / perWord; first < wordsEnd; ) {
    // Windows begin where the alignment lets them, so that the next one begins where this one ends.
    const end = Math.min(wordsEnd, (Math.floor(first / windowWords) + 1) * windowWords)
    const { span, base } = spanOfWords(result.region, first, end)
    const bound = bindKernel(draft, {
      reads,
      writes: { result: 'u32' },
      params: { base, entriesEnd: to, ...params },
      workgroupSize: invocations,
      functions: `${old}
${functions}
fn entry(i: u32) -> i32 {
${entry}
}`,
      main: `  let word = params.first + ${invocations}u * group + lane;
  if (word >= params.end) { return; }
${main}`,
    })
    draft.emit({
      ...bound,
      writes: [span],
      from: first,
      to: end,
      groups: { unitsEach: invocations },
      pace,
      workPerUnit: workPerEntry * perWord,
    })
    first = end
  }
}
