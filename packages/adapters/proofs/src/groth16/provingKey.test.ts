import { describe, expect, test } from 'bun:test'
import { v2ZkeyBytes } from '../../test/v2.ts'
import { createV2Prover } from '../prover/v2.ts'
import { ProvingKeyError, parseProvingKey } from './provingKey.ts'

const bytes = v2ZkeyBytes()

function changed(at: number, value: number): Uint8Array {
  const other = bytes.slice()
  new DataView(other.buffer).setUint32(at, value, true)
  return other
}

describe('a proving key', () => {
  test('is read', () => {
    const { wireCount, signalCount, domainSize, coefficientCount } = parseProvingKey(bytes)
    expect({ wireCount, signalCount, domainSize, coefficientCount }).toEqual({
      wireCount: 6,
      signalCount: 4,
      domainSize: 8,
      coefficientCount: 5,
    })
  })

  test('is refused when it ends early, anywhere, or goes on', () => {
    for (let length = 0; length < bytes.length; length += 13)
      expect(() => parseProvingKey(bytes.subarray(0, length))).toThrow(ProvingKeyError)
    expect(() => parseProvingKey(new Uint8Array([...bytes, 0]))).toThrow(ProvingKeyError)
  })

  test('is refused with another beginning, version or system', () => {
    expect(() => parseProvingKey(changed(0, 0))).toThrow('do not begin')
    expect(() => parseProvingKey(changed(4, 2))).toThrow('do not begin')
    expect(() => parseProvingKey(changed(24, 2))).toThrow('not one of Groth16')
  })

  test('does anything but throw another error, whatever word of it is changed', () => {
    for (let at = 0; at + 4 <= bytes.length; at += 4)
      for (const value of [0, 1, 0xffff_ffff])
        try {
          parseProvingKey(changed(at, value))
        } catch (error) {
          expect(error).toBeInstanceOf(ProvingKeyError)
        }
  })

  test('of another shape is not taken for v2', async () => {
    const key = parseProvingKey(bytes)
    const other = bytes.slice()
    other.fill(1, key.b1.byteOffset - bytes.byteOffset, key.b1.byteOffset - bytes.byteOffset + 1)
    expect(createV2Prover(other)).rejects.toThrow('matrix B')
  })
})
