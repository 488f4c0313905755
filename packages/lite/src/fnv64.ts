/**
 * FNV-1a of 64 bits, plain and folded (docs/spec/lite.md, F4). A state is two halves of 32 bits: whole numbers of 64 bits are
 * far slower in JavaScript.
 */

/** Low half, then high half. */
export type Halves = Int32Array

export const basis64Low = 0x84222325 | 0
export const basis64High = 0xcbf29ce4 | 0
/** The prime is 2^40 and this. */
const prime = 0x1b3

/** In place, over the bytes from `from` up to `to`. */
export function step64(bytes: Uint8Array, from: number, to: number, state: Halves, folded: boolean): void {
  const fold = folded ? -1 : 0
  let low = state[0] as number
  let high = state[1] as number
  for (let at = from; at < to; at++) {
    low ^= (high & fold) ^ (bytes[at] as number)
    // The low half times the prime's small part, in two pieces that stay below 2^31.
    const small = (low & 0xffff) * prime
    const large = (low >>> 16) * prime + (small >>> 16)
    high = (Math.imul(high, prime) + (large >>> 16) + (low << 8)) | 0
    low = (large << 16) | (small & 0xffff)
  }
  state[0] = low
  state[1] = high
}
