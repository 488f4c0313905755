/**
 * A look at float products (spec C19). Sums of floats depend on their order, so nothing can be proved of them cheaply: this
 * finds gross cheating and rounding that is coarser than it should be, and lets everything within the tolerance pass. Its
 * answer is never called verified.
 */
export interface FloatProduct {
  readonly m: number
  readonly k: number
  readonly n: number
  /** m × k, row by row. */
  readonly a: Float32Array
  /** k × n, row by row. */
  readonly b: Float32Array
  /** m × n, row by row. */
  readonly c: Float32Array
}

export type Plausibility =
  | { readonly kind: 'plausible'; readonly worst: number }
  | {
      readonly kind: 'implausible'
      readonly row: number
      readonly deviation: number
      readonly tolerance: number
    }

/** Half a unit in the last place of f32, relative. */
const roundingUnit = 2 ** -24
/** Above what rounding of honest sums does even to unlucky rows. */
const slack = 8

/** `signs` is one random ±1 for each column, drawn after C was fixed. */
export function compareFloatProduct({ m, k, n, a, b, c }: FloatProduct, signs: Int8Array): Plausibility {
  if (a.length !== m * k || b.length !== k * n || c.length !== m * n || signs.length !== n) {
    throw new RangeError(`the lengths do not fit ${m} × ${k} · ${k} × ${n}`)
  }
  const [folded, squares] = [new Float64Array(k), new Float64Array(k)]
  for (let inner = 0; inner < k; inner++) {
    for (let column = 0; column < n; column++) {
      const entry = b[inner * n + column] ?? 0
      folded[inner] = (folded[inner] ?? 0) + entry * (signs[column] ?? 0)
      squares[inner] = (squares[inner] ?? 0) + entry * entry
    }
  }
  let worst = 0
  for (let row = 0; row < m; row++) {
    let [expected, actual, size] = [0, 0, 0]
    for (let inner = 0; inner < k; inner++) {
      const entry = a[row * k + inner] ?? 0
      expected += entry * (folded[inner] ?? 0)
      size += entry * entry * (squares[inner] ?? 0)
    }
    for (let column = 0; column < n; column++) actual += (c[row * n + column] ?? 0) * (signs[column] ?? 0)
    // Errors of the k roundings of an entry, and of n entries, add up as a random walk does.
    const tolerance = slack * roundingUnit * Math.sqrt(k * size) + Number.MIN_VALUE
    const deviation = Math.abs(actual - expected)
    // Not `deviation > tolerance`, which a NaN would pass.
    if (!(deviation <= tolerance)) return { kind: 'implausible', row, deviation, tolerance }
    worst = Math.max(worst, deviation / tolerance)
  }
  return { kind: 'plausible', worst }
}
