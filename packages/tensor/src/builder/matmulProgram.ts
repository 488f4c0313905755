/** The plain product, C = A · B: two int8 matrices in, one int32 matrix out. The program that most examples run. */
import { type Program, tensorType } from '../program/program.ts'

export interface MatmulShape {
  readonly m: number
  readonly k: number
  readonly n: number
}

/** Inputs are A (m × k), then B (k × n). Whether the shape is within bounds is for inference to say. */
export function matmulProgram({ m, k, n }: MatmulShape): Program {
  return {
    inputs: [tensorType('i8', [m, k]), tensorType('i8', [k, n])],
    constants: [],
    nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: false }],
    outputs: [2],
  }
}

/** The shape of a program that is a plain product and nothing else. */
export function plainProduct({ inputs, constants, nodes, outputs }: Program): MatmulShape | undefined {
  const [a, b] = inputs
  const [node] = nodes
  const [output] = outputs
  if (inputs.length !== 2 || constants.length !== 0 || nodes.length !== 1 || outputs.length !== 1)
    return undefined
  if (node?.op !== 'matmul' || node.a !== 0 || node.b !== 1 || node.transposeB || output !== 2)
    return undefined
  if (a?.dtype !== 'i8' || a.shape.length !== 2 || b?.shape.length !== 2) return undefined
  const [m = 0, k = 0] = a.shape
  return { m, k, n: b.shape[1] ?? 0 }
}
