/**
 * The pairing library (mcl, compiled to WebAssembly) as we use it: its own functions on addresses in its memory, with nothing copied
 * between calls. A number in memory is in Montgomery form, little end first. One instance serves a thread.
 */
import createModule from 'mcl-wasm/dist/mcl_c.js'

/** Bytes that mcl keeps for a value; a base field element uses the first 32 of its 48. */
export const fpSize = 48
export const fp2Size = 2 * fpSize
export const g1Size = 3 * fpSize
export const g2Size = 3 * fp2Size
export const gtSize = 12 * fpSize
export const frSize = 32

type Unary = (target: number, source: number) => void
type Binary = (target: number, left: number, right: number) => void
type Test = (source: number) => number
type Read = (target: number, bytes: number, length: number) => number

/** Addresses everywhere; a target may be one of its sources. */
interface Functions {
  _malloc(length: number): number
  _free(address: number): void
  _mclBn_init(curve: number, compiled: number): number
  _mclBn_verifyOrderG2(wanted: number): void
  _mclBnFr_setLittleEndian: Read
  _mclBnFr_setLittleEndianMod: Read
  /** Writes no zeros after the highest byte that is none: see `plainFr`. */
  _mclBnFr_getLittleEndian: (bytes: number, length: number, source: number) => number
  _mclBnFr_add: Binary
  _mclBnFr_sub: Binary
  _mclBnFr_mul: Binary
  _mclBnFr_inv: Unary
  _mclBnFr_isZero: Test
  _mclBnFp_setLittleEndian: Read
  _mclBnFp_getLittleEndian: (bytes: number, length: number, source: number) => number
  _mclBnFp_mul: Binary
  _mclBnFp_neg: Unary
  _mclBnFp2_mul: Binary
  _mclBnG1_clear: (target: number) => void
  _mclBnG1_isValid: Test
  _mclBnG1_isZero: Test
  _mclBnG1_isEqual: (left: number, right: number) => number
  _mclBnG1_add: Binary
  _mclBnG1_sub: Binary
  _mclBnG1_dbl: Unary
  _mclBnG1_neg: Unary
  _mclBnG1_mul: Binary
  _mclBnG1_mulVec: (target: number, points: number, scalars: number, count: number) => void
  _mclBnG1_normalize: Unary
  _mclBnG1_normalizeVec: (target: number, points: number, count: number) => void
  _mclBnG2_clear: (target: number) => void
  _mclBnG2_isValid: Test
  _mclBnG2_isZero: Test
  _mclBnG2_isEqual: (left: number, right: number) => number
  _mclBnG2_add: Binary
  _mclBnG2_sub: Binary
  _mclBnG2_dbl: Unary
  _mclBnG2_neg: Unary
  _mclBnG2_mul: Binary
  _mclBnG2_normalize: Unary
  _mclBnG2_normalizeVec: (target: number, points: number, count: number) => void
  _mclBnGT_mul: Binary
  _mclBnGT_pow: Binary
  _mclBnGT_isEqual: (left: number, right: number) => number
  _mclBn_pairing: Binary
  _mclBn_finalExp: Unary
  _mclBn_millerLoop: Binary
  _mclBn_millerLoopVec: (target: number, g1s: number, g2s: number, count: number) => void
  _mclBn_getUint64NumToPrecompute(): number
  _mclBn_precomputeG2: Unary
  _mclBn_precomputedMillerLoop2: (
    target: number,
    oneG1: number,
    oneG2: number,
    otherG1: number,
    otherG2: number,
  ) => void
}

export interface Mcl extends Functions {
  /** The memory as bytes; good until the next allocation. */
  bytes(): Uint8Array
  /** Memory that is kept, or fails loudly. */
  reserve(length: number): number
}

/** The same instance, with the memory that was reserved through it given back at the end. */
export function openScope(mcl: Mcl): { readonly mcl: Mcl; close(): void } {
  let reserved: number[] = []
  function reserve(length: number): number {
    const address = mcl.reserve(length)
    reserved.push(address)
    return address
  }
  return {
    mcl: { ...mcl, reserve },
    close() {
      for (const address of reserved) mcl._free(address)
      reserved = []
    },
  }
}

/** The number of BN254 as Ethereum has it, and what mcl was compiled for (4 words of scalar, 6 of base field). */
const curveSnark1 = 4
const compiledFor = 46

async function openMcl(): Promise<Mcl> {
  const module: Functions & { readonly wasmMemory: WebAssembly.Memory } = await createModule({
    cryptoGetRandomValues: (target: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(target),
  })
  const code = module._mclBn_init(curveSnark1, compiledFor)
  if (code !== 0) throw new Error(`mcl refused to start with the code ${code}`)
  // Membership in the subgroup is tested by our own, faster way (subgroup.ts); this leaves the curve's equation to mcl.
  module._mclBn_verifyOrderG2(0)
  const { wasmMemory } = module
  let view = new Uint8Array(wasmMemory.buffer)
  return Object.assign(module, {
    bytes() {
      if (view.length === 0) view = new Uint8Array(wasmMemory.buffer)
      return view
    },
    reserve(length: number) {
      const address = module._malloc(length)
      if (address === 0) throw new Error(`there is no memory for ${length} more bytes of points`)
      return address
    },
  })
}

/** All 32 bytes of a scalar, out of Montgomery form. */
export function plainFr(mcl: Mcl, target: number, source: number): void {
  const written = mcl._mclBnFr_getLittleEndian(target, frSize, source)
  mcl.bytes().fill(0, target + written, target + frSize)
}

/** All 32 bytes of a coordinate, out of Montgomery form. */
export function plainFp(mcl: Mcl, target: number, source: number): void {
  const written = mcl._mclBnFp_getLittleEndian(target, frSize, source)
  mcl.bytes().fill(0, target + written, target + frSize)
}

let opening: Promise<Mcl> | undefined

export function loadMcl(): Promise<Mcl> {
  opening ??= openMcl()
  return opening
}
