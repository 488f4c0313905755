// Multiples of one generator, many at a time: a table of its multiples by every byte at every place turns a
// multiplication into 32 additions. Works in the curve's own memory, and takes room at its end for as long as it lives.

import type { Curve } from 'ffjavascript'

const places = 32
const digits = 256
const chunk = 1024

export type GroupName = 'G1' | 'G2'

/** Returns a function from scalars to affine points, encoded as key files hold them (Montgomery form, little end first). */
export function createFixedBase(curve: Curve, name: GroupName): (scalars: readonly bigint[]) => Uint8Array {
  const prefix = name === 'G1' ? 'g1m' : 'g2m'
  const { exports } = curve.tm.instance
  const call = (operation: string, ...pointers: number[]) => {
    const found = exports[`${prefix}_${operation}`]
    if (found === undefined) throw new Error(`the curve has no operation ${prefix}_${operation}`)
    found(...pointers)
  }
  const affineBytes = 2 * curve[name].F.n8
  const jacobianBytes = 3 * curve[name].F.n8
  const table = grow(curve, places * digits * affineBytes)
  const jacobian = grow(curve, Math.max(chunk, digits) * jacobianBytes)
  const affine = grow(curve, chunk * affineBytes)
  const step = grow(curve, jacobianBytes)

  new Uint8Array(curve.tm.memory.buffer).set(curve[name].toJacobian(curve[name].g), step)
  for (let place = 0; place < places; place++) {
    call('zero', jacobian)
    for (let digit = 1; digit < digits; digit++) {
      const at = jacobian + digit * jacobianBytes
      call('add', at - jacobianBytes, step, at)
    }
    call('batchToAffine', jacobian, digits, table + place * digits * affineBytes)
    call('add', jacobian + (digits - 1) * jacobianBytes, step, step)
  }

  return (scalars) => {
    const points = new Uint8Array(scalars.length * affineBytes)
    for (let start = 0; start < scalars.length; start += chunk) {
      const part = scalars.slice(start, start + chunk)
      for (const [index, scalar] of part.entries()) {
        const sum = jacobian + index * jacobianBytes
        call('zero', sum)
        let left = scalar
        for (let place = 0; left > 0n; place++, left >>= 8n) {
          const digit = Number(left & 0xffn)
          if (digit > 0) call('addMixed', sum, table + (place * digits + digit) * affineBytes, sum)
        }
      }
      call('batchToAffine', jacobian, part.length, affine)
      points.set(
        new Uint8Array(curve.tm.memory.buffer, affine, part.length * affineBytes),
        start * affineBytes,
      )
    }
    return points
  }
}

/** The curve's own allocator is reset between its operations; pages added at the end are nobody else's. */
function grow(curve: Curve, bytes: number): number {
  const page = 65_536
  const start = curve.tm.memory.grow(Math.ceil(bytes / page)) * page
  // Growing detaches the views through which the curve itself looks at its memory.
  curve.tm.u8 = new Uint8Array(curve.tm.memory.buffer)
  curve.tm.u32 = new Uint32Array(curve.tm.memory.buffer)
  return start
}
