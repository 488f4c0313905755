/** Scalars for blinding: 384 random bits brought below the order, which leaves a bias under 2^−128. */
import type { Mcl } from './mcl.ts'

const randomLength = 48

export function openRandomScalars(mcl: Mcl): (target: number) => void {
  const bytes = new Uint8Array(randomLength)
  const raw = mcl.reserve(randomLength)
  return (target) => {
    crypto.getRandomValues(bytes)
    mcl.bytes().set(bytes, raw)
    mcl._mclBnFr_setLittleEndianMod(target, raw, randomLength)
  }
}
