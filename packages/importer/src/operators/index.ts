/** The closed table of operators. What is not in it is refused by name. */

import { refuseUnknown } from '../attributes.ts'
import type { GraphNode } from '../graph.ts'
import { tensorOf } from '../onnx/tensor.ts'
import { refuse } from '../refusal.ts'
import {
  add,
  clip,
  divide,
  geluOperator,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  multiply,
  relu,
  sigmoidOperator,
  subtract,
  tanh,
} from './elementwise.ts'
import { conv, convInteger, gemm, matmul, matmulInteger, qLinearConv, qLinearMatmul } from './linear.ts'
import { batchNormalization } from './normalization.ts'
import type { Operator } from './operator.ts'
import { averagePool, globalAveragePool, globalMaxPool, maxPool, reduceMean } from './pooling.ts'
import { dequantizeLinear, quantizeLinear } from './quantized.ts'
import { argMax, softmax } from './ranking.ts'
import { cast, concat, dropout, flatten, identity, reshape, squeeze, transpose, unsqueeze } from './shapes.ts'

/** A value that the node carries, in one of several forms. */
const constant: Operator = {
  attributes: ['value', 'value_float', 'value_floats', 'value_int', 'value_ints'],
  operands: [0, 0],
  evaluate(node) {
    const [[, value] = [], ...others] = node.attributes
    if (value === undefined || others.length > 0)
      return refuse('malformed', node.label, 'has no single value')
    switch (value.kind) {
      case 'tensor':
        return value.value
      case 'float':
        return tensorOf('f32', [], [value.value])
      case 'floats':
        return tensorOf('f32', [value.value.length], value.value)
      case 'int':
        return tensorOf('i64', [], [value.value])
      case 'ints':
        return tensorOf('i64', [value.value.length], value.value)
      default:
        return refuse('unsupported', node.label, `has a value of the kind ${value.kind}`)
    }
  },
  lower: (_scene, node) => refuse('inconsistent', node.label, 'computes something'),
}

const operators: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    Add: add,
    ArgMax: argMax,
    AveragePool: averagePool,
    BatchNormalization: batchNormalization,
    Cast: cast,
    Clip: clip,
    Concat: concat,
    Constant: constant,
    Conv: conv,
    ConvInteger: convInteger,
    DequantizeLinear: dequantizeLinear,
    Div: divide,
    Dropout: dropout,
    Flatten: flatten,
    Gelu: geluOperator,
    Gemm: gemm,
    GlobalAveragePool: globalAveragePool,
    GlobalMaxPool: globalMaxPool,
    HardSigmoid: hardSigmoid,
    HardSwish: hardSwish,
    Identity: identity,
    LeakyRelu: leakyRelu,
    MatMul: matmul,
    MatMulInteger: matmulInteger,
    MaxPool: maxPool,
    Mul: multiply,
    QLinearConv: qLinearConv,
    QLinearMatMul: qLinearMatmul,
    QuantizeLinear: quantizeLinear,
    ReduceMean: reduceMean,
    Relu: relu,
    Reshape: reshape,
    Sigmoid: sigmoidOperator,
    Softmax: softmax,
    Squeeze: squeeze,
    Sub: subtract,
    Tanh: tanh,
    Transpose: transpose,
    Unsqueeze: unsqueeze,
  }),
)

export const operatorNames: readonly string[] = [...operators.keys()]

/** Why some that are often met are not there. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['DynamicQuantizeLinear', 'its scale follows from the data while it runs; quantize statically'],
  ['LSTM', 'loops are no part of exact programs'],
  ['GRU', 'loops are no part of exact programs'],
  ['If', 'branches are no part of exact programs'],
  ['Loop', 'loops are no part of exact programs'],
  ['Shape', 'simplify the model for fixed shapes first'],
])

/** The operator of a node whose attributes and operands are as many as it knows. */
export function operatorOf(node: GraphNode): Operator {
  const operator = operators.get(node.op)
  const { label, inputs } = node
  if (operator === undefined) {
    const reason = reasons.get(node.op)
    return refuse(
      'unsupported',
      label,
      `${node.op} is not supported${reason === undefined ? '' : `: ${reason}`}`,
    )
  }
  refuseUnknown(node, operator.attributes)
  const [least, most] = operator.operands
  if (inputs.length < least || inputs.length > most) {
    refuse('inconsistent', label, `has ${inputs.length} operands, expected ${least} to ${most}`)
  }
  return operator
}
