/** The two primes of BN254 ("BN128", "alt_bn128"), and the seed that both come from. */
import { scalarFieldOrder } from '@shardy/protocol'

/** The curve's parameter x. */
export const seed = 4_965_661_367_192_848_881n

/** Coordinates lie below it: 36x⁴ + 36x³ + 24x² + 6x + 1. */
export const baseOrder = 21888242871839275222246405745257275088696311157297823662689037894645226208583n

/** Scalars and signals lie below it: 36x⁴ + 36x³ + 18x² + 6x + 1. */
export const fieldOrder = scalarFieldOrder
