/**
 * exp, ln, sin, cos and the normal distribution out of the four operations that IEEE 754 fixes to the last bit. `Math.exp` and
 * its kin may differ between engines; a table made with these is the same wherever it is made. Good to a
 * dozen digits, which is plenty for entries of 16 bits.
 */
const quarterTurn = Math.PI / 2

/** Below this a factor is smaller than any double. */
const exponentMin = -745
const exponentMax = 709

/** Sums the terms of a series until they no longer count. */
function series(first: number, factor: (index: number) => number): number {
  let [sum, term] = [first, first]
  for (let index = 1; ; index++) {
    term *= factor(index)
    const next = sum + term
    if (next === sum || Number.isNaN(next)) return next
    sum = next
  }
}

export function exponential(x: number): number {
  if (x < exponentMin) return 0
  if (x > exponentMax) return Number.POSITIVE_INFINITY
  const halvings = Math.round(x / Math.LN2)
  const rest = x - halvings * Math.LN2
  let power = series(1, (index) => rest / index)
  for (let count = 0; count < Math.abs(halvings); count++) power *= halvings > 0 ? 2 : 0.5
  return power
}

export function logarithm(x: number): number {
  if (!(x > 0 && Number.isFinite(x))) throw new RangeError(`the logarithm of ${x} is not asked for`)
  let [mantissa, doublings] = [x, 0]
  while (mantissa > 1.5) {
    mantissa /= 2
    doublings++
  }
  while (mantissa < 0.75) {
    mantissa *= 2
    doublings--
  }
  // ln m = 2 artanh((m - 1) / (m + 1)) = 2 (t + t^3/3 + t^5/5 + …)
  const t = (mantissa - 1) / (mantissa + 1)
  if (t === 0) return doublings * Math.LN2
  const artanh = t * series(1, (index) => (t * t * (2 * index - 1)) / (2 * index + 1))
  return doublings * Math.LN2 + 2 * artanh
}

/** Both at once: whoever turns something needs both. */
export function cosineAndSine(angle: number): readonly [cosine: number, sine: number] {
  const quarters = Math.round(angle / quarterTurn)
  const rest = angle - quarters * quarterTurn
  const square = -(rest * rest)
  const cosine = series(1, (index) => square / ((2 * index - 1) * (2 * index)))
  const sine = rest === 0 ? 0 : series(rest, (index) => square / (2 * index * (2 * index + 1)))
  switch (((quarters % 4) + 4) % 4) {
    case 0:
      return [cosine, sine]
    case 1:
      return [-sine, cosine]
    case 2:
      return [-cosine, -sine]
    default:
      return [sine, -cosine]
  }
}

const rootOfTwoPi = 2.506_628_274_631_000_7

/** The share of a normal distribution that lies below x. */
export function normalShareBelow(x: number): number {
  if (x < -9) return 0
  if (x > 9) return 1
  if (x === 0) return 0.5
  // 1/2 + density · (x + x^3/3 + x^5/(3 · 5) + …): terms of one sign, so nothing cancels.
  const square = x * x
  const density = exponential(-square / 2) / rootOfTwoPi
  return 0.5 + density * series(x, (index) => square / (2 * index + 1))
}
