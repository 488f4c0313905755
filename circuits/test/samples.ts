// One statement and one block for tests that alter something in them.

import type { Binding, Block, Entries } from '../src/block.ts'

export const someBinding: Binding = {
  taskId: 0x00112233445566778899aabbccddeeffn,
  deliveryId: 0xffeeddccbbaa99887766554433221100n,
  workerHigh: 0x0123456789abcdef0123456789abcdefn,
  workerLow: 0xfedcba9876543210fedcba9876543210n,
  resultDigest: 987654321987654321987654321987654321n,
  position: (3n << 96n) + (1n << 64n) + (2n << 32n) + 5n,
}

/** Entries that look drawn and are the same in every run. */
function scatter(seed: number, min: number, max: number): Entries {
  let state = seed
  return Array.from({ length: 256 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return BigInt(min + Math.floor((state / 2 ** 32) * (max - min + 1)))
  })
}

export const someBlock: Block = {
  a: scatter(1, -128, 127),
  b: scatter(2, -128, 127),
  sumsIn: scatter(3, -1_000_000, 1_000_000),
}
