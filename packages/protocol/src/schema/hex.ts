/**
 * Bytes to lower-case hex and back. Uses the engine's own `toHex` where it exists (it is several times faster)
 * and a table elsewhere; both give the same text.
 */
const pairs: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

type HexBytes = Uint8Array & { toHex?: () => string }
const native = 'toHex' in Uint8Array.prototype

export function encodeHex(bytes: Uint8Array): string {
  return native ? ((bytes as HexBytes).toHex?.() ?? encodeHexByTable(bytes)) : encodeHexByTable(bytes)
}

export function encodeHexByTable(bytes: Uint8Array): string {
  let text = ''
  for (let index = 0; index < bytes.length; index++) text += pairs[bytes[index] ?? 0]
  return text
}

/** Hex of `length` bytes from `offset` on. Short runs are copied out: that is cheaper than a view of them. */
export function encodeHexFrom(bytes: Uint8Array, offset: number, length: number): string {
  const run = runs[length] ?? new Uint8Array(length)
  for (let index = 0; index < length; index++) run[index] = bytes[offset + index] ?? 0
  return encodeHex(run)
}

/** The lengths of ids and of digests. */
const runs: Readonly<Record<number, Uint8Array>> = { 16: new Uint8Array(16), 32: new Uint8Array(32) }

/** Value of each ASCII code as a lower-case hex digit, 255 where it is none. */
const nibbles = new Uint8Array(128).fill(255)
for (let digit = 0; digit < 16; digit++) nibbles[digit.toString(16).charCodeAt(0)] = digit

/** Writes `length` bytes of hex into `target` at `offset`; false when the text is not exactly that much lower-case hex. */
export function decodeHexInto(text: string, target: Uint8Array, offset: number, length: number): boolean {
  if (text.length !== 2 * length) return false
  let seen = 0
  for (let index = 0; index < length; index++) {
    const high = nibbles[text.charCodeAt(2 * index)] ?? 255
    const low = nibbles[text.charCodeAt(2 * index + 1)] ?? 255
    seen |= high | low
    target[offset + index] = (high << 4) | low
  }
  return seen < 16
}

/** Undefined unless the text is lower-case hex of whole bytes. */
export function decodeHex(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length >> 1)
  return decodeHexInto(text, bytes, 0, bytes.length) ? bytes : undefined
}
