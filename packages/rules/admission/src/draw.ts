/** Draws that nobody can foresee who has not the state's seed, and that a replay repeats. */
import type { Sha256 } from '@shardy/protocol'

export interface Draws {
  readonly sha256: Sha256
  /** Secret, and new with every start. */
  readonly seed: Uint8Array
  drawn: number
}

export function drawBytes(draws: Draws): Uint8Array {
  const numbered = new Uint8Array(draws.seed.length + 8)
  numbered.set(draws.seed)
  new DataView(numbered.buffer).setBigUint64(draws.seed.length, BigInt(draws.drawn++))
  return draws.sha256(numbered)
}

/** At least 0 and below 1. */
export function drawPart(draws: Draws): number {
  const bytes = drawBytes(draws)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return ((view.getUint32(0) >>> 11) * 2 ** 32 + view.getUint32(4)) / 2 ** 53
}

/** Time until something that happens at random, so long in the mean. */
export function drawWaitMs(draws: Draws, meanMs: number): number {
  return Math.ceil(-Math.log(1 - drawPart(draws)) * meanMs)
}

/** So many of them, each as likely as any other. */
export function drawSome<T>(draws: Draws, from: readonly T[], count: number): T[] {
  const left = [...from]
  const some: T[] = []
  while (some.length < count && left.length > 0) {
    const [one] = left.splice(Math.floor(drawPart(draws) * left.length), 1)
    some.push(one as T)
  }
  return some
}
