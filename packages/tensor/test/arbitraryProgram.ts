/**
 * Random valid programs with random input for properties over executors and checks: any operation on small tensors of odd
 * shapes, or stacks of layers with the sizes where kernels go wrong. Failures shrink to fewer nodes and smaller shapes.
 */
import fc, { type Arbitrary } from 'fast-check'
import { type OperationName, operationNames } from '../src/operations/index.ts'
import { drawLayers } from './drawLayers.ts'
import { type Draw, type DrawnProgram, drawProgram } from './drawProgram.ts'
import { sha256 } from './sha256.ts'

export interface ArbitraryOptions {
  /** Nodes that are tried, at most. */
  readonly nodesMax?: number
  /** The operations to draw from; all of them, if left out. */
  readonly among?: readonly OperationName[]
}

function drawn(make: (draw: Draw) => DrawnProgram): Arbitrary<DrawnProgram> {
  return fc.gen().map((gen) => make((min, max) => gen(fc.integer, { min, max })))
}

/** Any operations, each on what came before or on new inputs and constants. */
export function arbitraryProgram({
  nodesMax = 12,
  among = operationNames,
}: ArbitraryOptions = {}): Arbitrary<DrawnProgram> {
  return drawn((draw) => drawProgram(draw, { sha256, nodes: draw(1, nodesMax), among }))
}

/** Products and convolutions with what executors fuse behind them. */
export function arbitraryLayers(): Arbitrary<DrawnProgram> {
  return drawn((draw) => drawLayers(draw, sha256))
}
