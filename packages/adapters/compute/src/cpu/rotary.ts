/** Rotary embedding in doubles: two products of 16 bits and what rounding adds sum far below 2^53. */
import { createEntries, dtypeFacts, type NodeFor, type Tensor } from '@shardy/tensor'
import { inSteps, type Steps } from './steps.ts'

export function* runRotary(
  { shift, interleaved }: NodeFor<'rotary'>,
  [x, cosines, sines]: readonly [Tensor, Tensor, Tensor],
): Steps {
  const { data: source, dtype, shape } = x
  const [cos, sin] = [cosines.data, sines.data]
  const { min, max } = dtypeFacts[dtype]
  const data = createEntries(dtype, source.length)
  const pairs = (shape.at(-1) ?? 2) / 2
  const [unit, between] = interleaved ? [2, 1] : [1, pairs]
  const one = 2 ** shift
  const half = shift === 0 ? 0 : one / 2

  function round(sum: number): number {
    const rounded = Math.floor((sum + half) / one)
    return rounded < min ? min : rounded > max ? max : rounded
  }

  yield* inSteps(source.length / 2, (start, end) => {
    for (let pair = start; pair < end; pair++) {
      const row = Math.floor(pair / pairs)
      const first = 2 * row * pairs + unit * (pair - row * pairs)
      const second = first + between
      const angle = pair % cos.length // The tables repeat for every batch.
      const [c, s] = [cos[angle] ?? 0, sin[angle] ?? 0]
      const [a, b] = [source[first] ?? 0, source[second] ?? 0]
      data[first] = round(a * c - b * s)
      data[second] = round(a * s + b * c)
    }
  })
  return data
}
