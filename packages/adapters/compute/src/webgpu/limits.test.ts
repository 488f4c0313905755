import { expect, test } from 'bun:test'
import { matmulProgram, type Program } from '@shardy/tensor'
import { inputBufferBytes, refuseBeyondLimits } from './limits.ts'

const program: Program = matmulProgram({ m: 100, k: 101, n: 103 })

test('the input buffer has whole words and one to spare', () => {
  expect(inputBufferBytes(matmulProgram({ m: 1, k: 2, n: 1 }))).toBe(8)
  expect(inputBufferBytes(matmulProgram({ m: 1, k: 1, n: 4 }))).toBe(12)
})

test('the largest program of the spec fits the limits that every WebGPU device has', () => {
  const defaults = { maxBufferSize: 256 * 2 ** 20, maxStorageBufferBindingSize: 128 * 2 ** 20 }
  expect(() => refuseBeyondLimits(matmulProgram({ m: 4096, k: 8192, n: 4096 }), defaults)).not.toThrow()
})

const beyond = [
  {
    maxBufferSize: 20_000,
    maxStorageBufferBindingSize: 1e9,
    says: "the input needs a buffer of 20508 bytes, the device's maxBufferSize is 20000",
  },
  {
    maxBufferSize: 30_000,
    maxStorageBufferBindingSize: 1e9,
    says: "the output needs a buffer of 41200 bytes, the device's maxBufferSize is 30000",
  },
  {
    maxBufferSize: 1e9,
    maxStorageBufferBindingSize: 40_000,
    says: "the output needs a buffer of 41200 bytes, the device's maxStorageBufferBindingSize is 40000",
  },
]
for (const { says, ...limits } of beyond) {
  test(says, () => {
    expect(() => refuseBeyondLimits(program, limits)).toThrow(
      expect.objectContaining({ kind: 'beyondLimits', message: says }),
    )
  })
}
