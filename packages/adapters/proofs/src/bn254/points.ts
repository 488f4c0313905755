/**
 * Points between their bytes (coordinates of 32 bytes, big end first; of an extension element the part with i first, as EIP-197 has
 * it) and mcl's memory. What is read is canonical, finite, on the curve and in the group, or refused by name.
 */
import { type ProofRefusal, refuse } from '../refusal.ts'
import { bytesOfElement, elementLength, isBelow, isZero } from './bytes.ts'
import { fp2Size, fpSize, type Mcl, plainFp } from './mcl.ts'
import { baseOrder } from './orders.ts'
import type { Subgroup } from './subgroup.ts'

export const g1Length = 2 * elementLength
export const g2Length = 4 * elementLength

const baseBytes = bytesOfElement(baseOrder)

export interface Points {
  /** Undefined when the point is good and lies at `target`, with Z = 1. */
  readG1(target: number, source: Uint8Array, at: number, name: string): ProofRefusal | undefined
  readG2(target: number, source: Uint8Array, at: number, name: string): ProofRefusal | undefined
  /** The point at `source` must be finite and have Z = 1. */
  writeG1(target: Uint8Array, at: number, source: number): void
  writeG2(target: Uint8Array, at: number, source: number): void
  /** An affine point of a proving key: coordinates as mcl keeps them, all zeros at infinity. It is trusted, not checked. */
  loadG1(target: number, source: Uint8Array, at: number): void
  loadG2(target: number, source: Uint8Array, at: number): void
}

export function openPoints(mcl: Mcl, subgroup: Subgroup): Points {
  const turned = mcl.reserve(elementLength)
  const one = mcl.reserve(fpSize)
  mcl.bytes().fill(0, turned, turned + elementLength)
  mcl.bytes()[turned] = 1
  mcl.bytes().fill(0, one, one + fpSize)
  mcl._mclBnFp_setLittleEndian(one, turned, elementLength)

  function turn(source: Uint8Array, at: number): void {
    const bytes = mcl.bytes()
    for (let index = 0; index < elementLength; index++)
      bytes[turned + index] = source[at + elementLength - 1 - index] as number
  }

  function readCoordinate(target: number, source: Uint8Array, at: number): void {
    turn(source, at)
    mcl._mclBnFp_setLittleEndian(target, turned, elementLength)
  }

  function writeCoordinate(target: Uint8Array, at: number, source: number): void {
    plainFp(mcl, turned, source)
    const bytes = mcl.bytes()
    for (let index = 0; index < elementLength; index++)
      target[at + index] = bytes[turned + elementLength - 1 - index] as number
  }

  function refusalOf(
    source: Uint8Array,
    at: number,
    coordinates: readonly string[],
    name: string,
  ): ProofRefusal | undefined {
    for (const [index, coordinate] of coordinates.entries())
      if (!isBelow(source, at + index * elementLength, baseBytes))
        return refuse('nonCanonical', `${name}'s ${coordinate} is not below the modulus of coordinates`)
          .refusal
    if (isZero(source, at, coordinates.length * elementLength))
      return refuse('infinity', `${name} is the point at infinity`).refusal
    return undefined
  }

  return {
    readG1(target, source, at, name) {
      const refusal = refusalOf(source, at, ['x', 'y'], name)
      if (refusal !== undefined) return refusal
      readCoordinate(target, source, at)
      readCoordinate(target + fpSize, source, at + elementLength)
      mcl.bytes().copyWithin(target + 2 * fpSize, one, one + fpSize)
      if (mcl._mclBnG1_isValid(target) === 1) return undefined
      return refuse('offCurve', `${name} is not on the curve y² = x³ + 3`).refusal
    },
    readG2(target, source, at, name) {
      const refusal = refusalOf(source, at, ['x.c1', 'x.c0', 'y.c1', 'y.c0'], name)
      if (refusal !== undefined) return refusal
      readCoordinate(target + fpSize, source, at)
      readCoordinate(target, source, at + elementLength)
      readCoordinate(target + fp2Size + fpSize, source, at + 2 * elementLength)
      readCoordinate(target + fp2Size, source, at + 3 * elementLength)
      const bytes = mcl.bytes()
      bytes.copyWithin(target + 2 * fp2Size, one, one + fpSize)
      bytes.fill(0, target + 2 * fp2Size + fpSize, target + 3 * fp2Size)
      if (mcl._mclBnG2_isValid(target) !== 1)
        return refuse('offCurve', `${name} is not on the twisted curve`).refusal
      if (!subgroup.holds(target))
        return refuse('wrongSubgroup', `${name} is on the twisted curve, outside the subgroup of order r`)
          .refusal
      return undefined
    },
    writeG1(target, at, source) {
      writeCoordinate(target, at, source)
      writeCoordinate(target, at + elementLength, source + fpSize)
    },
    writeG2(target, at, source) {
      writeCoordinate(target, at, source + fpSize)
      writeCoordinate(target, at + elementLength, source)
      writeCoordinate(target, at + 2 * elementLength, source + fp2Size + fpSize)
      writeCoordinate(target, at + 3 * elementLength, source + fp2Size)
    },
    loadG1(target, source, at) {
      loadCoordinates(target, source, at, [0, fpSize])
      if (!isZero(source, at, g1Length)) mcl.bytes().copyWithin(target + 2 * fpSize, one, one + fpSize)
    },
    loadG2(target, source, at) {
      loadCoordinates(target, source, at, [0, fpSize, fp2Size, fp2Size + fpSize])
      const z = target + 2 * fp2Size
      mcl.bytes().fill(0, z, z + fp2Size)
      if (!isZero(source, at, g2Length)) mcl.bytes().copyWithin(z, one, one + fpSize)
    },
  }

  function loadCoordinates(target: number, source: Uint8Array, at: number, offsets: readonly number[]): void {
    const bytes = mcl.bytes()
    for (const [index, offset] of offsets.entries())
      bytes.set(
        source.subarray(at + index * elementLength, at + (index + 1) * elementLength),
        target + offset,
      )
    const z = target + offsets.length * fpSize
    bytes.fill(0, z, z + fpSize)
  }
}
