/** Constants packed for the kernel, kept by digest from one program to the next while they fit. */
import type { Program } from '@shardy/tensor'
import type { PackedRight, RightShape } from '../wasm/matmul.ts'
import type { Pack } from './multiplier.ts'

export const defaultResidentBytesMax = 512 * 2 ** 20

export interface Residents {
  /** How one execution of a program packs its right sides. */
  packFor(program: Program, pack: (b: Int8Array, shape: RightShape) => PackedRight): Pack
  clear(): void
}

export function createResidents(keptBytesMax: number): Residents {
  /** The least recently used first. */
  const kept = new Map<string, PackedRight>()
  let keptBytes = 0

  function keep(key: string, packed: PackedRight): void {
    kept.set(key, packed)
    keptBytes += packed.bytes.length
    for (const [oldest, { bytes }] of kept) {
      if (keptBytes <= keptBytesMax) return
      kept.delete(oldest)
      keptBytes -= bytes.length
    }
  }

  return {
    packFor:
      ({ inputs, constants }, packNew) =>
      (operand, part, b, shape) => {
        const digest = constants[operand - inputs.length]?.digest
        if (digest === undefined) return packNew(b, shape)
        const key = `${digest}/${part}/${shape.k}/${shape.n}/${shape.layout}`
        const found = kept.get(key)
        if (found === undefined) {
          const packed = packNew(b, shape)
          keep(key, packed)
          return packed
        }
        kept.delete(key)
        kept.set(key, found)
        return found
      },
    clear() {
      kept.clear()
      keptBytes = 0
    },
  }
}
