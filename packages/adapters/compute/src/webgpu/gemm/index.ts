/**
 * Products of matrices on a GPU. A graph executor makes one `createGemm` for its device (asked for with what
 * `gemmRequirements` names), then for each product: `prepare`, `packA` and `packB` where `packedBytes` says so (B once,
 * when it is a resident weight), and `encode` into its own passes.
 */
export type { Epilogue, Requantize } from './epilogue.ts'
export { createGemm, type Gemm, type GemmFacts } from './gemm.ts'
export type { Buffers, FloatSpec, KernelName, Product, ProductSpec, Range } from './product.ts'
export { gemmRequirements } from './requirements.ts'
export type { Choice } from './tuner.ts'
