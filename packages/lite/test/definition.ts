/** The rules F4 to F6 word by word, over whole numbers of any size: slow, and written without a look at the fast ones. */
import type { AnyLiteProgram } from '../src/index.ts'

interface Width {
  readonly bits: bigint
  readonly basis: bigint
  readonly prime: bigint
}

const narrow: Width = { bits: 32n, basis: 0x811c9dc5n, prime: 0x01000193n }
const wide: Width = { bits: 64n, basis: 0xcbf29ce484222325n, prime: 0x100000001b3n }

function rounds(bytes: Uint8Array, count: number, lane: number, { bits, basis, prime }: Width): bigint {
  let state = basis ^ (BigInt(lane) << 32n)
  for (let round = 0; round < count; round++) {
    state ^= BigInt(round)
    for (const byte of bytes) {
      if (round > 0) state ^= state >> (bits / 2n)
      state = ((state ^ BigInt(byte)) * prime) % (1n << bits)
    }
  }
  return state
}

function littleEndian(value: bigint, length: number): readonly number[] {
  return Array.from({ length }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn))
}

export function define(program: AnyLiteProgram, input: Uint8Array): Uint8Array {
  if (program.kind === 'superLite') {
    return Uint8Array.from(littleEndian(rounds(input, program.rounds, 0, narrow), 4))
  }
  const { lanes, inputLength } = program
  const begins = (lane: number) => Math.floor((lane * inputLength) / lanes)
  return Uint8Array.from(
    Array.from({ length: lanes }, (_, lane) => {
      const slice = input.subarray(begins(lane), begins(lane + 1))
      return littleEndian(rounds(slice, program.rounds, lane, wide), 8)
    }).flat(),
  )
}
