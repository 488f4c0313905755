/** Bytes as base64 text and back, the same in browsers and on servers. One spelling per value: padded, no spare bits. */

const chunkBytes = 32 * 1024

export function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  // In pieces: an argument list has its limits, and a character at a time is slow.
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    text += String.fromCharCode(...bytes.subarray(start, start + chunkBytes))
  }
  return btoa(text)
}

/** Undefined when the text is not the one spelling of some bytes. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  let letters: string
  try {
    letters = atob(text)
  } catch {
    return undefined
  }
  // `atob` also takes spaces, missing padding and spare bits.
  if (btoa(letters) !== text) return undefined
  const bytes = new Uint8Array(letters.length)
  for (let index = 0; index < letters.length; index++) bytes[index] = letters.charCodeAt(index)
  return bytes
}
