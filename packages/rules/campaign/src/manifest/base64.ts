/** Base64 with padding, as RFC 4648 has it in section 4; of the texts that could mean the same bytes only one is read. */
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const sextets = new Map(Array.from(letters, (letter, sextet) => [letter, sextet]))

export function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    const letterAt = (shift: number): string => letters[(group >> shift) & 63] ?? ''
    text += letterAt(18) + letterAt(12)
    text += at + 1 < bytes.length ? letterAt(6) : '='
    text += at + 2 < bytes.length ? letterAt(0) : '='
  }
  return text
}

/** Undefined unless the text is what `encodeBase64` writes. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  let at = 0
  let [held, heldBits] = [0, 0]
  for (let place = 0; place < text.length - padding; place++) {
    const sextet = sextets.get(text[place] ?? '')
    if (sextet === undefined) return undefined
    held = ((held << 6) | sextet) & 0xffff
    heldBits += 6
    if (heldBits < 8) continue
    heldBits -= 8
    bytes[at++] = held >> heldBits
  }
  return (held & ((1 << heldBits) - 1)) === 0 ? bytes : undefined
}
