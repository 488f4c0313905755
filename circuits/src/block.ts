// One block as the statement says it, in integers: what it commits to, and what its private inputs are.

import { poseidon16 } from 'poseidon-lite/poseidon16'
import { reduce } from './field.ts'

export const side = 16
export const tags = { a: 1n, b: 2n, sums: 3n }

/** Row by row. */
export type Entries = readonly bigint[]

export interface Block {
  readonly a: Entries
  readonly b: Entries
  readonly sumsIn: Entries
}

export interface Binding {
  readonly taskId: bigint
  readonly deliveryId: bigint
  readonly workerHigh: bigint
  readonly workerLow: bigint
  readonly resultDigest: bigint
  readonly position: bigint
}

export function multiplyAdd({ a, b, sumsIn }: Block): Entries {
  return sumsIn.map((before, index) => {
    const [row, column] = [Math.floor(index / side), index % side]
    let sum = before
    for (let k = 0; k < side; k++) sum += (a[row * side + k] ?? 0n) * (b[k * side + column] ?? 0n)
    return sum
  })
}

export function publicSignals(binding: Binding, block: Block) {
  return {
    ...binding,
    commitA: commitBytes(block.a, tags.a),
    commitB: commitBytes(block.b, tags.b),
    commitIn: commitSums(block.sumsIn),
    commitOut: commitSums(multiplyAdd(block)),
  }
}

export const commitBytes = (entries: Entries, tag: bigint): bigint => commit(entries, 8, 31, tag)

export const commitSums = (entries: Entries, tag = tags.sums): bigint => commit(entries, 32, 7, tag)

function commit(entries: Entries, bits: number, perWord: number, tag: bigint): bigint {
  const words = pack(entries, bits, perWord)
  let state = tag * 2n ** 32n + BigInt(words.length)
  for (let at = 0; at < words.length; at += 15) {
    const slice = words.slice(at, at + 15)
    state = poseidon16([state, ...slice, ...Array<bigint>(15 - slice.length).fill(0n)])
  }
  return state
}

function pack(entries: Entries, bits: number, perWord: number): bigint[] {
  const words: bigint[] = []
  for (let at = 0; at < entries.length; at += perWord)
    words.push(
      entries
        .slice(at, at + perWord)
        .reduce(
          (word, entry, place) => word + ((entry + 2n ** BigInt(bits - 1)) << BigInt(bits * place)),
          0n,
        ),
    )
  return words.map(reduce)
}

/** As the witness generator takes its inputs. */
export function privateInputs(block: Block) {
  const rows = (entries: Entries) =>
    Array.from({ length: side }, (_, row) => entries.slice(row * side, (row + 1) * side))
  return { a: rows(block.a), b: rows(block.b), sumsIn: rows(block.sumsIn) }
}
