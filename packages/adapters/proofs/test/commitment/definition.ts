/** The rules E11 to E13 word by word, over whole numbers and with another's Poseidon: slow, and written without a look at the fast code. */
import { poseidon16 } from 'poseidon-lite/poseidon16'

export { poseidon16 }

/** Each entry counted from its least value, `per` to a word, the first entry lowest. */
export function pack(entries: ArrayLike<number>, bits: bigint, per: number): readonly bigint[] {
  const words: bigint[] = []
  for (let index = 0; index < entries.length; index++) {
    const word = Math.floor(index / per)
    const digit = BigInt(entries[index] ?? 0) + 2n ** (bits - 1n)
    words[word] = (words[word] ?? 0n) + digit * 2n ** (bits * BigInt(index % per))
  }
  return words
}

export function chain(words: readonly bigint[], tag: bigint): bigint {
  let state = tag * 2n ** 32n + BigInt(words.length)
  for (let from = 0; from < words.length; from += 15) {
    const taken = Array.from({ length: 15 }, (_, index) => words[from + index] ?? 0n)
    state = poseidon16([state, ...taken])
  }
  return state
}

export const commitOperand = (block: ArrayLike<number>, operand: 'a' | 'b') =>
  chain(pack(block, 8n, 31), operand === 'a' ? 1n : 2n)

export const commitSums = (tile: ArrayLike<number>) => chain(pack(tile, 32n, 7), 3n)
