/**
 * Images of digits, drawn from their shapes: turned, sheared, scaled, moved, faint, partly covered and noisy. A seed names a
 * set for ever: only sums, products and whole numbers are used, so every engine draws the same bytes.
 */

export const side = 16
export const pixels = side * side
export const classes = 10

export interface Digits {
  /** Grey values, image after image, row by row. */
  readonly images: Uint8Array
  readonly labels: Uint8Array
}

/** Five columns, seven rows. */
const glyphs = [
  '01110 10001 10011 10101 11001 10001 01110',
  '00100 01100 00100 00100 00100 00100 01110',
  '01110 10001 00001 00010 00100 01000 11111',
  '11111 00010 00100 00010 00001 10001 01110',
  '00010 00110 01010 10010 11111 00010 00010',
  '11111 10000 11110 00001 00001 10001 01110',
  '00110 01000 10000 11110 10001 10001 01110',
  '11111 00001 00010 00100 01000 01000 01000',
  '01110 10001 10001 01110 10001 10001 01110',
  '01110 10001 10001 01111 00001 00010 01100',
].map((glyph) => glyph.split(' '))

/** Mulberry32, from 0 on and below 1. */
export function createDraw(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How dark a glyph is at a place that lies between its dots. */
function inkAt(glyph: readonly string[], column: number, row: number): number {
  const [left, top] = [Math.floor(column), Math.floor(row)]
  const dot = (x: number, y: number) => (glyph[y]?.[x] === '1' ? 1 : 0)
  const [right, bottom] = [column - left, row - top]
  const above = dot(left, top) * (1 - right) + dot(left + 1, top) * right
  const below = dot(left, top + 1) * (1 - right) + dot(left + 1, top + 1) * right
  return above * (1 - bottom) + below * bottom
}

function drawImage(image: Uint8Array, glyph: readonly string[], draw: () => number): void {
  const between = (low: number, high: number) => low + (high - low) * draw()
  // Turned by twice the angle whose tangent this is: up to 23 degrees.
  const tangent = between(-0.2, 0.2)
  const cosine = (1 - tangent * tangent) / (1 + tangent * tangent)
  const sine = (2 * tangent) / (1 + tangent * tangent)
  const shear = between(-0.3, 0.3)
  const [width, height] = [between(1.3, 2.1), between(1.3, 2)]
  const [centreX, centreY] = [between(5.5, 9.5), between(5.5, 9.5)]
  const strength = between(0.45, 1)
  const noise = between(0.05, 0.4)
  const [coverX, coverY] = [Math.floor(between(-3, side)), Math.floor(between(-3, side))]
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = [column - centreX, row - centreY]
      const turnedX = cosine * x + sine * y
      const turnedY = cosine * y - sine * x
      const ink = inkAt(glyph, (turnedX + shear * turnedY) / width + 2, turnedY / height + 3)
      const isCovered = column >= coverX && column < coverX + 4 && row >= coverY && row < coverY + 4
      const grey = (isCovered ? 0 : strength * ink) + noise * (draw() + draw() - 1)
      image[row * side + column] = Math.min(Math.max(Math.round(255 * grey), 0), 255)
    }
  }
}

export function drawDigits(count: number, seed: number): Digits {
  const draw = createDraw(seed)
  const images = new Uint8Array(count * pixels)
  const labels = new Uint8Array(count)
  for (let index = 0; index < count; index++) {
    const label = Math.floor(classes * draw())
    labels[index] = label
    drawImage(images.subarray(index * pixels, (index + 1) * pixels), glyphs[label] ?? [], draw)
  }
  return { images, labels }
}

/** What the networks learn from, and what they have never seen. */
export const trainingSet = { count: 8000, seed: 1 } as const
export const testSet = { count: 2000, seed: 2 } as const

/** Grey values as the networks take them: 0 to 1. */
export function realsOf(images: Uint8Array): Float32Array {
  return Float32Array.from(images, (grey) => grey / 255)
}
