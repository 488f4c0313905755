// Witnesses: honest ones by the generator that circom compiled, and the judgement whether any assignment of wires
// satisfies a constraint system, which is all that a proof proves. What the generator itself refuses is no part of that.

import { type MemoryFile, wtns } from 'snarkjs'
import { fieldModulus } from './curve.ts'
import { reduce } from './field.ts'
import type { R1cs, Term } from './r1cs.ts'
import { decodeSections, readElement, requireSection } from './sections.ts'

/** The value of every wire, all below the field's modulus. */
export type Witness = readonly bigint[]

/** A number, or rows of numbers, for each named input of the circuit. */
export type Inputs = Readonly<Record<string, bigint | readonly bigint[] | readonly (readonly bigint[])[]>>

export async function generateWitness(wasm: Uint8Array, inputs: Inputs): Promise<Witness> {
  const file: MemoryFile = { type: 'mem' }
  await wtns.calculate(inputs, wasm, file)
  if (file.data === undefined) throw new Error('the generator wrote no witness')
  return decodeWitness(file.data)
}

/** The constraints that do not hold, by their place; none when the witness satisfies the system. */
export function findBroken(
  r1cs: R1cs,
  witness: Witness,
  among: readonly number[] = r1cs.constraints.map((_, index) => index),
): number[] {
  if (witness.length !== r1cs.wires) throw new Error(`${witness.length} values for ${r1cs.wires} wires`)
  // The verifier itself fixes the first wire.
  if (witness[0] !== 1n) throw new Error(`the constant wire is ${witness[0]} and not one`)
  const sum = (terms: readonly Term[]) => {
    let total = 0n
    for (const { wire, factor } of terms) total += factor * (witness[wire] ?? 0n)
    return total % fieldModulus
  }
  return among.filter((index) => {
    const constraint = r1cs.constraints[index]
    return (
      constraint !== undefined && reduce(sum(constraint.a) * sum(constraint.b) - sum(constraint.c)) !== 0n
    )
  })
}

/** Section 2 of a .wtns file is the values. */
function decodeWitness(bytes: Uint8Array): Witness {
  const values = requireSection(decodeSections('wtns', bytes), 2)
  return Array.from({ length: values.length / 32 }, (_, wire) => readElement(values, 32 * wire))
}
