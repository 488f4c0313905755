/** Numbers into mcl's memory and out of it, for constants and rare values; hot paths work on bytes. */
import { writeElement } from './bytes.ts'
import { fpSize, frSize, type Mcl, plainFr } from './mcl.ts'

export interface Numbers {
  writeFp(target: number, value: bigint): void
  writeFp2(target: number, value: readonly [bigint, bigint]): void
  writeFr(target: number, value: bigint): void
  readFr(source: number): bigint
}

export function openNumbers(mcl: Mcl): Numbers {
  const raw = mcl.reserve(frSize)

  function put(value: bigint): void {
    const bytes = mcl.bytes().subarray(raw, raw + frSize)
    writeElement(bytes, 0, value)
    bytes.reverse()
  }

  function writeFp(target: number, value: bigint): void {
    put(value)
    mcl._mclBnFp_setLittleEndian(target, raw, frSize)
  }

  return {
    writeFp,
    writeFp2(target, [real, imaginary]) {
      writeFp(target, real)
      writeFp(target + fpSize, imaginary)
    },
    writeFr(target, value) {
      put(value)
      mcl._mclBnFr_setLittleEndian(target, raw, frSize)
    },
    readFr(source) {
      plainFr(mcl, raw, source)
      const bytes = mcl
        .bytes()
        .slice(raw, raw + frSize)
        .reverse()
      return BigInt(`0x${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`)
    },
  }
}
