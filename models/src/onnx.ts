/** Trained networks as ONNX models: in floats, and quantized with QuantizeLinear and DequantizeLinear around each layer. */
import {
  type Attribute,
  evaluateModel,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  tensorOf,
} from '@shardy/importer'
import { classes, side } from './digits.ts'
import type { Layer } from './network.ts'

type Attributes = Readonly<Record<string, Attribute>>
const ints = (...value: readonly number[]) => ({ kind: 'ints', value }) as const
const int = (value: number) => ({ kind: 'int', value }) as const

function nodeOf(op: string, name: string, inputs: readonly string[], attributes: Attributes = {}): OnnxNode {
  return { name, op, domain: '', inputs, outputs: [name], attributes: new Map(Object.entries(attributes)) }
}

const opsets = new Map([['', 13]])
const imageShape = ['batch', 1, side, side] as const

/** Images [batch, 1, 16, 16] of 0 to 1, and ten scores for each. */
export function floatModel(name: string, layers: readonly Layer[]): OnnxModel {
  const nodes: OnnxNode[] = []
  const initializers = new Map<string, OnnxTensor>()
  let last = 'image'
  let channels = 1
  const add = (op: string, constants: readonly string[] = [], attributes: Attributes = {}) => {
    const made = `${op.toLowerCase()}${nodes.length}`
    nodes.push(nodeOf(op, made, [last, ...constants], attributes))
    last = made
  }
  const keep = (key: string, shape: readonly number[], values: Float32Array) => {
    initializers.set(key, tensorOf('f32', shape, values))
    return key
  }
  for (const [index, { kind, weights }] of layers.entries()) {
    const [main, bias] = weights.map(({ values }) => values)
    if (kind === 'relu') add('Relu')
    if (kind === 'pool') add('MaxPool', [], { kernel_shape: ints(2, 2), strides: ints(2, 2) })
    if (main === undefined || bias === undefined) continue
    const outputs = bias.length
    const biasName = keep(`bias${index}`, [outputs], bias)
    if (kind === 'conv') {
      const w = keep(`kernel${index}`, [outputs, channels, 3, 3], main)
      add('Conv', [w, biasName], { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) })
      channels = outputs
    } else {
      if (!nodes.some(({ op }) => op === 'Flatten')) add('Flatten')
      const w = keep(`matrix${index}`, [outputs, main.length / outputs], main)
      add('Gemm', [w, biasName], { transB: int(1) })
    }
  }
  nodes.push(nodeOf('Identity', 'scores', [last]))
  return {
    opsets,
    name,
    nodes,
    inputs: [{ name: 'image', dtype: 'f32', shape: imageShape }],
    outputs: [{ name: 'scores', dtype: 'f32', shape: ['batch', classes] }],
    initializers,
  }
}

/** The largest value of each node's result on these images: after Relu there is nothing below zero. */
function largestOf(model: OnnxModel, images: Float32Array): ReadonlyMap<string, number> {
  const count = images.length / (side * side)
  const outputs = model.nodes.map(({ name }) => ({ name, dtype: 'f32', shape: undefined }) as const)
  const image: OnnxTensor = { dtype: 'f32', shape: [count, 1, side, side], data: images }
  const result = evaluateModel({ ...model, outputs }, new Map([['image', image]]))
  if (!result.ok) throw new Error(result.refusal.reason)
  return new Map(
    [...result.value].map(([name, { data }]) => [
      name,
      Float32Array.from(data).reduce((most, x) => Math.max(most, x), 0),
    ]),
  )
}

/** The same network in the form that tools for quantization write: bytes between layers, int8 weights with a scale for each output. */
export function quantizedModel(model: OnnxModel, images: Float32Array): OnnxModel {
  const largest = largestOf(model, images)
  const nodes: OnnxNode[] = []
  const initializers = new Map<string, OnnxTensor>([['zero', tensorOf('u8', [], [0])]])
  /** The value that stands for another one now, and its scale. */
  const current = new Map<string, { readonly name: string; readonly scale: number }>()
  const quantize = (name: string, from: string, scale: number) => {
    const key = `${name}_scale`
    initializers.set(key, tensorOf('f32', [], [scale]))
    nodes.push(nodeOf('QuantizeLinear', `${name}_codes`, [from, key, 'zero']))
    nodes.push(nodeOf('DequantizeLinear', `${name}_real`, [`${name}_codes`, key, 'zero']))
    current.set(name, { name: `${name}_real`, scale: Math.fround(scale) })
  }
  quantize('image', 'image', 1 / 255)
  for (const node of model.nodes) {
    const [first = '', ...constants] = node.inputs
    const x = current.get(first)
    const inputs = [x?.name ?? first]
    if (constants.length > 0 && x !== undefined)
      inputs.push(...quantizedWeights(model, constants, x.scale, initializers, nodes))
    nodes.push({ ...node, inputs })
    if (node.op === 'Relu') quantize(node.name, node.name, (largest.get(node.name) ?? 255) / 255)
    // The largest of bytes are bytes of the same scale, and so are bytes in another shape.
    if ((node.op === 'MaxPool' || node.op === 'Flatten') && x !== undefined)
      quantize(node.name, node.name, x.scale)
  }
  return { ...model, name: `${model.name}-qdq`, nodes, initializers }
}

function quantizedWeights(
  model: OnnxModel,
  [matrix = '', bias = '']: readonly string[],
  inputScale: number,
  initializers: Map<string, OnnxTensor>,
  nodes: OnnxNode[],
): readonly string[] {
  const [w, b] = [model.initializers.get(matrix), model.initializers.get(bias)]
  if (w === undefined || b === undefined) throw new Error(`${matrix} or ${bias} is no weight`)
  const outputs = b.data.length
  const inner = w.data.length / outputs
  const scales = Float32Array.from({ length: outputs }, (_, output) => {
    const row = Float32Array.from(w.data.subarray(output * inner, (output + 1) * inner))
    return row.reduce((most, entry) => Math.max(most, Math.abs(entry)), 1e-9) / 127
  })
  const scaleOf = (output: number) => scales[output] as number
  const codes = Array.from(w.data, (entry, index) => Math.round(entry / scaleOf(Math.floor(index / inner))))
  const biasScales = scales.map((scale) => scale * inputScale)
  const biases = Array.from(b.data, (entry, output) => Math.round(entry / (biasScales[output] as number)))
  initializers.set(`${matrix}_codes`, tensorOf('i8', w.shape, codes))
  initializers.set(`${matrix}_scales`, tensorOf('f32', [outputs], scales))
  initializers.set(`${bias}_codes`, tensorOf('i32', [outputs], biases))
  initializers.set(`${bias}_scales`, tensorOf('f32', [outputs], biasScales))
  for (const name of [matrix, bias]) {
    nodes.push(
      nodeOf('DequantizeLinear', `${name}_real`, [`${name}_codes`, `${name}_scales`], { axis: int(0) }),
    )
  }
  return [`${matrix}_real`, `${bias}_real`]
}
