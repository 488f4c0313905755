/**
 * Which outputs of a float task are the same within the tolerance. It says that devices agree, and nothing about who is right:
 * nobody is held to account for it. Floats are little-endian f32, as the shader's rules write them.
 */

/** Relative, and absolute near zero: what reassociated sums and fused multiply-adds of one class of hardware differ by. */
export const relativeTolerance = 2 ** -12
export const absoluteTolerance = 2 ** -18

/** One number for each output; equal numbers are the same within the tolerance. They count from 1. */
export function groupFloats(outputs: readonly Uint8Array[]): readonly number[] {
  const groups: number[] = []
  for (const [index, output] of outputs.entries()) {
    const like = outputs.slice(0, index).findIndex((other) => areClose(other, output))
    groups.push(like < 0 ? index + 1 : (groups[like] ?? index + 1))
  }
  return groups
}

export function areClose(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  const one = new DataView(left.buffer, left.byteOffset, left.length)
  const other = new DataView(right.buffer, right.byteOffset, right.length)
  for (let at = 0; at + 4 <= left.length; at += 4) {
    if (one.getUint32(at) === other.getUint32(at)) continue
    const [a, b] = [one.getFloat32(at, true), other.getFloat32(at, true)]
    // Not `difference > tolerance`, which a NaN would pass.
    if (!(Math.abs(a - b) <= absoluteTolerance + relativeTolerance * Math.max(Math.abs(a), Math.abs(b))))
      return false
  }
  return true
}
