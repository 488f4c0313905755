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
  const counts = new Uint32Array(r1cs.constraints.length)
  for (const found of users) for (const user of found) counts[user] = (counts[user] ?? 0) + 1
  return (chosen) => {
    const values = new Array<bigint | undefined>(r1cs.wires).fill(undefined)
    // How many wires each constraint has that are not known yet.
    const missing = counts.slice()
    const ready: number[] = []
    const know = (wire: number, value: bigint) => {
      values[wire] = value
      for (const user of users[wire] ?? []) {
        const left = (missing[user] ?? 0) - 1
        missing[user] = left
        if (left === 1) ready.push(user)
      }
    }
    know(0, 1n)
    for (const [wire, value] of chosen) know(wire, value)
    for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
      const constraint = r1cs.constraints[next]
      if (constraint === undefined || missing[next] !== 1) continue
      const isUnknown = (term: Term) => values[term.wire] === undefined
      const unknown = constraint.c.find(isUnknown)
      if (unknown === undefined || constraint.a.some(isUnknown) || constraint.b.some(isUnknown)) continue
      const known = (terms: readonly Term[]) => {
        let sum = 0n
        for (const { wire, factor } of terms) sum += factor * (values[wire] ?? 0n)
        return sum
      }
      const rest = reduce(known(constraint.a) * known(constraint.b) - known(constraint.c))
      know(unknown.wire, (rest * inverse(unknown.factor)) % fieldModulus)
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
