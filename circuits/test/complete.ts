// The forger's tool: from the wires that it chooses, every wire that the constraints then determine. Unlike circom's
// generator it never objects: what it fixes stays fixed, and constraints with nothing left to determine are passed over.

import { fieldModulus } from '../src/curve.ts'
import { power, reduce } from '../src/field.ts'
import type { R1cs, Term } from '../src/r1cs.ts'
import type { Witness } from '../src/witness.ts'

export type Complete = (chosen: ReadonlyMap<number, bigint>) => Witness

/** Throws when some wire is neither chosen nor determined. */
export function createComplete(r1cs: R1cs): Complete {
  const users = usersOf(r1cs)
  return (chosen) => {
    const values = new Array<bigint | undefined>(r1cs.wires)
    const missing = r1cs.constraints.map(
      ({ a, b, c }) => new Set([...a, ...b, ...c].map((term) => term.wire)),
    )
    const ready: number[] = []
    const know = (wire: number, value: bigint) => {
      values[wire] = value
      for (const user of users[wire] ?? []) {
        missing[user]?.delete(wire)
        if (missing[user]?.size === 1) ready.push(user)
      }
    }
    know(0, 1n)
    for (const [wire, value] of chosen) know(wire, value)
    for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
      const [wire] = missing[next] ?? []
      const constraint = r1cs.constraints[next]
      if (wire === undefined || constraint === undefined) continue
      const factor = constraint.c.find((term) => term.wire === wire)?.factor
      const isLinear = ![...constraint.a, ...constraint.b].some((term) => term.wire === wire)
      if (factor === undefined || !isLinear) continue
      const known = (terms: readonly Term[]) =>
        terms.reduce((sum, term) => sum + term.factor * (values[term.wire] ?? 0n), 0n)
      const rest = reduce(known(constraint.a) * known(constraint.b) - known(constraint.c))
      know(wire, (rest * inverse(factor)) % fieldModulus)
    }
    return values.map((value, wire) => {
      if (value === undefined) throw new Error(`wire ${wire} is neither chosen nor determined`)
      return value
    })
  }
}

/** For each wire the constraints that name it. */
export function usersOf(r1cs: R1cs): readonly (readonly number[])[] {
  const users = Array.from({ length: r1cs.wires }, () => new Set<number>())
  for (const [index, { a, b, c }] of r1cs.constraints.entries())
    for (const { wire } of [...a, ...b, ...c]) users[wire]?.add(index)
  return users.map((found) => [...found])
}

function inverse(value: bigint): bigint {
  if (value === 1n) return 1n
  if (value === fieldModulus - 1n) return value
  return power(value, fieldModulus - 2n)
}
