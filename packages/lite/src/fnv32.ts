/** FNV-1a of 32 bits, plain and folded (docs/spec/lite.md, F4). */

export const basis32 = 0x811c9dc5 | 0
const prime = 0x01000193

export function plain32(bytes: Uint8Array, from: number, to: number, state: number): number {
  let hash = state
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), prime)
  return hash
}

export function folded32(bytes: Uint8Array, from: number, to: number, state: number): number {
  let hash = state
  for (let at = from; at < to; at++) {
    hash = Math.imul(hash ^ (hash >>> 16) ^ (bytes[at] as number), prime)
  }
  return hash
}
