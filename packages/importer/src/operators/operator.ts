/**
 * What an operator of ONNX is here: which attributes are known, what it computes on numbers (for calibration, and for
 * constants), and how it is written with exact operations. Operators that have further outputs give only the first.
 */
import type { GraphNode } from '../graph.ts'
import type { Constant, Integers, Lowered, Real } from '../lower/lowered.ts'
import { unbounded } from '../lower/real.ts'
import type { Scene } from '../lower/scene.ts'
import { isFloat, type OnnxTensor } from '../onnx/tensor.ts'
import { refuse } from '../refusal.ts'

export type Operands<T> = readonly (T | undefined)[]

export interface Operator {
  readonly attributes: readonly string[]
  /** How many operands it has, at least and at most. */
  readonly operands: readonly [number, number]
  evaluate(node: GraphNode, operands: Operands<OnnxTensor>): OnnxTensor
  /** One operand at least is no constant. */
  lower(scene: Scene, node: GraphNode, operands: Operands<Lowered>): Lowered
}

export function given<T>({ label }: GraphNode, operands: Operands<T>, index: number): T {
  return operands[index] ?? refuse('inconsistent', label, `lacks its operand ${index}`)
}

/** A constant, where the exact program must know it. */
export function constantAt(
  node: GraphNode,
  operands: Operands<Lowered>,
  index: number,
): Constant | undefined {
  const value = operands[index]
  if (value === undefined || value.kind === 'constant') return value
  return refuse('unsupported', node.label, `computes its operand ${index}, which must be a constant`)
}

export function requiredConstant(node: GraphNode, operands: Operands<Lowered>, index: number): Constant {
  return constantAt(node, operands, index) ?? given(node, [], index)
}

/** One number. */
export function scalarAt(node: GraphNode, operands: Operands<Lowered>, index: number): number | undefined {
  const tensor = constantAt(node, operands, index)?.tensor
  return tensor === undefined ? undefined : scalarOf(node, tensor, index)
}

export function scalarOf({ label }: GraphNode, { data }: OnnxTensor, index: number): number {
  const [value] = data
  if (value === undefined || data.length !== 1) {
    return refuse('unsupported', label, `has ${data.length} numbers as operand ${index}, expected one`)
  }
  return value
}

export function realAt(node: GraphNode, operands: Operands<Lowered>, index: number): Real {
  const value = given(node, operands, index)
  if (value.kind === 'real') return value
  return refuse(
    'unsupported',
    node.label,
    value.kind === 'constant'
      ? `has a constant as operand ${index}, where a computed value is expected`
      : `takes integers as real numbers: a DequantizeLinear or a Cast is missing before operand ${index}`,
  )
}

export function integersAt(node: GraphNode, operands: Operands<Lowered>, index: number): Integers {
  const value = given(node, operands, index)
  if (value.kind === 'integers') return value
  return refuse('unsupported', node.label, `takes operand ${index} as integers, and it has none`)
}

/** A value that its node has made; the walk gives it its name. */
export function madeReal(parts: Pick<Real, 'term' | 'order' | 'scales'> & Partial<Real>): Real {
  return { kind: 'real', folded: undefined, zeroPoint: 0, name: '', ...unbounded, ...parts }
}

export function constantOf(tensor: OnnxTensor): Constant {
  return { kind: 'constant', tensor, codes: undefined }
}

/** The entries as numbers, whatever kind they are. */
export function numbersOf({ data }: OnnxTensor): readonly number[] {
  return Array.from(data)
}

export function floats(shape: readonly number[], data: Float32Array): OnnxTensor {
  return { dtype: 'f32', shape, data }
}

/** Where numbers are real, of any size of float. */
export function requireFloat({ label }: GraphNode, { dtype }: OnnxTensor): void {
  if (!isFloat(dtype)) refuse('unsupported', label, `is given ${dtype}, expected floats`)
}
