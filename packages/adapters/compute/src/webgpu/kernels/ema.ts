/**
 * The moving average (spec T44): each series by one invocation, since every state needs the one before it. A dispatch
 * takes some times of all series and leaves their states to the next. Neighbouring series of bytes share words, so their
 * entries are put in place by atomic operations, over zeros.
 */
import { dtypeFacts, type NodeFor, sizeOf } from '@shardy/tensor'
import { blocksOf, type Draft, type Operand, spanOfWords, windowBytes } from '../plan/draft.ts'
import { bindingAlignment } from '../plan/step.ts'
import { roundShift, wideIntegers } from './integers.ts'
import { invocations, map } from './map.ts'
import { bindKernel } from './module.ts'

/** Series that a device takes about as fast as one. */
const seriesAtOnce = 4096
/** An entry's part is a product of 64 bits, each waiting for the one before. */
const workPerTime = 16

/** x + roundShift((entry - x) · alpha, 16). The difference has 32 bits without its sign. */
const follow = /* wgsl */ `
fn follow(state: i32, entry: i32, alpha: u32) -> i32 {
  let rises = entry >= state;
  let size = select(bitcast<u32>(state) - bitcast<u32>(entry), bitcast<u32>(entry) - bitcast<u32>(state), rises);
  let product = multiplyUnsigned(size, alpha);
  let part = roundShiftWide(select(negateWide(product), product, vec2<bool>(rises)), 16u);
  return bitcast<i32>(addWide(widen(state), part).x);
}
`

export function emitEma(
  draft: Draft,
  { alpha, fraction }: NodeFor<'ema'>,
  [x]: readonly [Operand],
  result: Operand,
): void {
  const times = x.shape[0] ?? 1
  if (times === 1) {
    map(draft, { reads: { x }, result, entry: '  return xAt(i);' })
    return
  }
  const series = sizeOf(x.shape) / times
  const { bytes } = dtypeFacts[x.dtype]
  if (bytes === 1) {
    const words: Operand = { ...result, dtype: 'u32', shape: [Math.ceil(sizeOf(result.shape) / 4)] }
    map(draft, { reads: {}, result: words, entry: '  return 0;' })
  }
  // Entries that a window holds wherever it begins; the states of as many series need a window of their own.
  const entriesMax = Math.floor((windowBytes(draft.limits) - bindingAlignment) / bytes) - 4
  const statesMax = Math.min(entriesMax, windowBytes(draft.limits) / 4)
  for (const among of blocksOf(series, statesMax)) {
    const count = among.to - among.from
    const states = draft.place({ dtype: 'i32', shape: [count] })
    const timesMax = Math.floor((entriesMax - count) / series) + 1
    for (const { from, to } of blocksOf(times, timesMax)) {
      const last = (to - 1) * series + among.to
      const words = [Math.floor((from * series + among.from) * (bytes / 4)), Math.ceil(last * (bytes / 4))]
      const { span, base } = spanOfWords(result.region, words[0] ?? 0, words[1] ?? 0)
      const put =
        bytes === 1
          ? 'atomicOr(&result[i / 4u - params.base], (bitcast<u32>(entry) & 0xffu) << (8u * (i % 4u)));'
          : 'result[i - params.base] = bitcast<u32>(entry);'
      const bound = bindKernel(draft, {
        reads: { x },
        writes: { states: 'u32', result: bytes === 1 ? 'atomic<u32>' : 'u32' },
        params: { base, alpha, fraction, series, seriesFrom: among.from, count },
        workgroupSize: invocations,
        functions: `${wideIntegers}${roundShift}${follow}`,
        main: `  let own = ${invocations}u * group + lane;
  if (own >= params.count) { return; }
  var state = 0;
  if (params.first > 0u) { state = bitcast<i32>(states[own]); }
  for (var time = params.first; time < params.end; time++) {
    let i = time * params.series + params.seriesFrom + own;
    let next = xAt(i) << params.fraction;
    if (time == 0u) { state = next; } else { state = follow(state, next, params.alpha); }
    let entry = roundShift(state, params.fraction);
    ${put}
  }
  states[own] = bitcast<u32>(state);`,
      })
      draft.emit({
        ...bound,
        writes: [spanOfWords(states.region, 0, count).span, span],
        from,
        to,
        groups: { count: Math.ceil(count / invocations) },
        pace: 'series',
        workPerUnit: workPerTime * Math.ceil(count / seriesAtOnce),
      })
    }
  }
}
