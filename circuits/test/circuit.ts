// task-proof-v3 as its tests handle it: honest witnesses, forged ones, and the family of each constraint that breaks.

import { type Binding, type Block, type Entries, multiplyAdd, side } from '../src/block.ts'
import { compile } from '../src/compile.ts'
import { reduce } from '../src/field.ts'
import { digest } from '../src/manifest.ts'
import { decodeR1cs, type R1cs } from '../src/r1cs.ts'
import { taskProofV3 } from '../src/statements.ts'
import { decodeSymbols, type Symbols, wireOf } from '../src/symbols.ts'
import { findBroken, type Witness } from '../src/witness.ts'
import { createComplete } from './complete.ts'

export interface Forgery {
  readonly binding: Binding
  readonly block: Block
  /** The sums that the range bits are chosen for; those of the block when left out. */
  readonly sumsOut?: Entries
  /** Wires with values of the forger's own, by name; what follows from them follows. */
  readonly wires?: Readonly<Record<string, bigint>>
}

export interface Circuit {
  readonly r1cs: R1cs
  readonly wasm: Uint8Array
  /** Of the .r1cs file, as the manifest has it. */
  readonly sha256: string
  readonly symbols: Symbols
  /** Completes a witness without objecting to anything. */
  readonly forge: (forgery: Forgery) => Witness
  /** The families of the constraints that a witness breaks, each once, in the order of the alphabet. */
  readonly broken: (witness: Witness) => string[]
}

export function openCircuit(): Circuit {
  const compiled = compile(taskProofV3.source, taskProofV3.optimization)
  const r1cs = decodeR1cs(compiled.r1cs)
  const symbols = decodeSymbols(compiled.symbols)
  const names = new Map([...symbols].map(([name, wire]) => [wire, name]))
  const complete = createComplete(r1cs)
  return {
    r1cs,
    wasm: compiled.wasm,
    sha256: digest(compiled.r1cs),
    symbols,
    forge: (forgery) =>
      complete(new Map([...choose(forgery)].map(([name, value]) => [wireOf(symbols, name), reduce(value)]))),
    broken(witness) {
      const families = findBroken(r1cs, witness).map((index) => {
        const constraint = r1cs.constraints[index]
        const terms = [...(constraint?.a ?? []), ...(constraint?.b ?? []), ...(constraint?.c ?? [])]
        return familyOf(terms.map((term) => names.get(term.wire) ?? ''))
      })
      return [...new Set(families)].sort()
    },
  }
}

/** Everything that no constraint determines: the statement's binding, the private inputs and the range bits. */
function choose({ binding, block, sumsOut = multiplyAdd(block), wires = {} }: Forgery): Map<string, bigint> {
  const chosen = new Map<string, bigint>(Object.entries(binding))
  const addMatrix = (name: string, entries: Entries) => {
    for (const [index, entry] of entries.entries()) chosen.set(`${name}${cell(index)}`, entry)
  }
  addMatrix('a', block.a)
  addMatrix('b', block.b)
  addMatrix('sumsIn', block.sumsIn)
  const addBits = (name: string, entries: Entries, bits: number) => {
    for (const [index, entry] of entries.entries())
      for (let bit = 0; bit < bits - 1; bit++)
        chosen.set(
          `${name}${cell(index)}.bit[${bit}]`,
          ((entry + 2n ** BigInt(bits - 1)) >> BigInt(bit)) & 1n,
        )
  }
  addBits('aRange', block.a, 8)
  addBits('bRange', block.b, 8)
  addBits('outRange', sumsOut, 32)
  for (const [name, value] of Object.entries(wires)) chosen.set(name, value)
  return chosen
}

export const cell = (index: number): string => `[${Math.floor(index / side)}][${index % side}]`

/** Which part of the circuit a constraint belongs to, by the names of its wires. */
function familyOf(names: readonly string[]): string {
  const named = (pattern: RegExp) =>
    names.map((name) => pattern.exec(name)?.[1]).find((found) => found !== undefined)
  return (
    named(/^(commit(?:A|B|In|Out))$/) ??
    named(/^(\w+Square)$/) ??
    named(/^(\w+Range)\[/) ??
    named(/^(\w+Commitment)\./) ??
    named(/^(product)\[/) ??
    `none: ${names.join(' ')}`
  )
}
