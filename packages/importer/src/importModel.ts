/**
 * From a model to an exact program: walks the nodes in order and writes each with exact operations. Whatever the builder
 * refuses, it refuses at a node of the model.
 */
import type { Digest, Sha256 } from '@shardy/protocol'
import {
  buildProgram,
  type Program,
  type ProgramBuilder,
  ProgramError,
  type Term,
  tryInferProgram,
} from '@shardy/tensor'
import { type CalibrationMethod, calibrate } from './calibrate.ts'
import { countedEntries, inputShape, samplesOf } from './evaluate.ts'
import { type Graph, type GraphNode, prepareGraph } from './graph.ts'
import { arranged, type Constant, type Lowered, plainOrder, type Real } from './lower/lowered.ts'
import { isSame, type Quantization } from './lower/quantization.ts'
import { isBytes, settled, turnedReal, uniform } from './lower/real.ts'
import type { Scene } from './lower/scene.ts'
import type { OnnxModel, ValueInfo } from './onnx/model.ts'
import { isFloat, type OnnxTensor } from './onnx/tensor.ts'
import { operatorOf } from './operators/index.ts'
import { constantOf, madeReal } from './operators/operator.ts'
import { quantizationAt } from './operators/quantized.ts'
import { transposedConstant } from './operators/shapes.ts'
import { type Imported, refusable, refuse } from './refusal.ts'

export interface ImportOptions {
  readonly sha256: Sha256
  /** The size of a first axis that the model leaves open; 1 unless given. */
  readonly batch?: number
  /** Needed where the model does not say itself how its values are integers. */
  readonly calibration?: {
    /** Samples one after the other, each with all inputs as the model has them. */
    readonly data: Float32Array
    readonly method?: CalibrationMethod
  }
}

/** What stands at an input or output of the program, and how its integers are the model's numbers. */
export interface Port {
  readonly name: string
  readonly dtype: 'i8' | 'u8' | 'i32' | 'u32'
  readonly shape: readonly number[]
  /** real = scale · (integer - zeroPoint). Undefined where the model itself has integers there. */
  readonly quantization?: { readonly scale: number; readonly zeroPoint: number }
}

export interface ImportedProgram {
  readonly program: Program
  /** The weights that the program names. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
}

export function importModel(model: OnnxModel, options: ImportOptions): Imported<ImportedProgram> {
  return refusable(() => {
    const graph = prepareGraph(model)
    for (const node of graph.nodes) operatorOf(node)
    refuseFurtherOutputs(graph)
    const { calibration } = options
    const known =
      calibration === undefined
        ? new Map<string, Quantization>()
        : calibrate(graph, samplesOf(graph, calibration.data), calibration.method ?? 'minMax')
    return lowerGraph(graph, options, known)
  })
}

/** Masks of Dropout, indices of MaxPool and the like. */
function refuseFurtherOutputs({ nodes, readers, outputs }: Graph): void {
  for (const { label, outputs: made } of nodes) {
    const read = made.slice(1).find((name) => {
      return name !== '' && (readers.has(name) || outputs.some((output) => output.name === name))
    })
    if (read !== undefined)
      refuse('unsupported', label, `makes '${read}' beside its result, and that is needed`)
  }
}

/** What the QuantizeLinear nodes that read a value all agree on, if nobody else reads it. */
function askedFor({ readers, constants, outputs }: Graph, name: string): Quantization | undefined {
  if (outputs.some((output) => output.name === name)) return undefined
  const asked = (readers.get(name) ?? []).map((node) => {
    const [, scale = '', zeroPoint = ''] = node.inputs
    const found = constants.get(scale)
    if (node.op !== 'QuantizeLinear' || found === undefined) return undefined
    if (zeroPoint !== '' && !constants.has(zeroPoint)) return undefined
    return quantizationAt(node, found, constants.get(zeroPoint))
  })
  const [first] = asked
  if (first === undefined) return undefined
  return asked.every((other) => other !== undefined && isSame(first, other)) ? first : undefined
}

function lowerGraph(
  graph: Graph,
  { sha256, batch = 1 }: ImportOptions,
  calibrated: ReadonlyMap<string, Quantization>,
): ImportedProgram {
  const blobs = new Map<Digest, Uint8Array>()
  const inputs: Port[] = []
  const outputs: Port[] = []
  let label = 'graph'
  const write = (builder: ProgramBuilder) => {
    const scene: Scene = {
      builder,
      sha256,
      blobs,
      targetOf: (name) => askedFor(graph, name) ?? calibrated.get(name),
      codes: new Map(),
    }
    const values = new Map<string, Lowered>()
    for (const [name, tensor] of graph.constants) values.set(name, constantOf(tensor))
    for (const input of graph.inputs) {
      label = `input '${input.name}'`
      const { value, port } = lowerInput(scene, input, batch)
      values.set(input.name, value)
      inputs.push(port)
    }
    let computed = 0
    for (const node of graph.nodes) {
      label = node.label
      const [name = ''] = node.outputs
      const operands = node.inputs.map((operand) => values.get(operand))
      const value = lowerNode(scene, node, operands)
      if (value.kind === 'constant') computed += countedEntries(node, computed, value.tensor)
      values.set(name, value.kind === 'real' ? { ...value, name } : value)
    }
    const terms = new Set<Term>()
    for (const { name } of graph.outputs) {
      label = `output '${name}'`
      const { term, port } = lowerOutput(scene, name, values.get(name), label)
      // Only a node may be an output, and each of them once.
      const isNew = !terms.has(term) && !graph.inputs.some((input) => termOf(values.get(input.name)) === term)
      terms.add(isNew ? term : term.reshape(term.shape))
      outputs.push(port)
    }
    label = 'program'
    return [...terms]
  }
  try {
    const program = buildProgram(write)
    const inference = tryInferProgram(program)
    if (!inference.ok) throw new Error('the builder makes programs that inference accepts')
    return { program, blobs, inputs, outputs }
  } catch (thrown) {
    if (thrown instanceof ProgramError) return refuse('unsupported', label, thrown.message)
    throw thrown
  }
}

function termOf(value: Lowered | undefined): Term | undefined {
  return value === undefined || value.kind === 'constant' ? undefined : value.term
}

/** Nodes that have nothing but constants are computed now. */
function lowerNode(scene: Scene, node: GraphNode, operands: readonly (Lowered | undefined)[]): Lowered {
  const operator = operatorOf(node)
  const constants: (Constant | undefined)[] = []
  for (const operand of operands) {
    if (operand !== undefined && operand.kind !== 'constant') return operator.lower(scene, node, operands)
    constants.push(operand)
  }
  const [first] = constants
  if (node.op === 'DequantizeLinear') return operator.lower(scene, node, operands)
  if (node.op === 'Identity' && first !== undefined) return first
  if (node.op === 'Transpose' && first !== undefined) return transposedConstant(node, first)
  const tensors = constants.map((constant): OnnxTensor | undefined => constant?.tensor)
  return constantOf(operator.evaluate(node, tensors))
}

function lowerInput(
  scene: Scene,
  input: ValueInfo,
  batch: number,
): { readonly value: Lowered; readonly port: Port } {
  const { name, dtype } = input
  const place = `input '${name}'`
  const shape = inputShape(input, batch)
  if (shape.length === 0) refuse('unsupported', place, 'is a number without a shape')
  const order = plainOrder(shape.length)
  if (dtype === 'i8' || dtype === 'u8' || dtype === 'i32') {
    const term = scene.builder.input(dtype, shape)
    return { value: { kind: 'integers', term, order, folded: undefined }, port: { name, dtype, shape } }
  }
  if (!isFloat(dtype)) return refuse('unsupported', place, `is ${dtype}`)
  const target = scene.targetOf(name)
  if (target === undefined) {
    return refuse('uncalibrated', place, 'is real, and nobody has said its range: give calibration data')
  }
  const { scale, zeroPoint } = target
  const term = scene.builder.input(target.dtype, shape)
  const value = madeReal({ term, order, scales: [scale], zeroPoint, name })
  return { value, port: { name, dtype: target.dtype, shape, quantization: { scale, zeroPoint } } }
}

function portDtype({ dtype }: Term): Port['dtype'] {
  return dtype
}

function lowerOutput(
  scene: Scene,
  name: string,
  value: Lowered | undefined,
  label: string,
): { readonly term: Term; readonly port: Port } {
  if (value === undefined || value.kind === 'constant') {
    return refuse('unsupported', label, 'is a constant: nothing is computed')
  }
  const plain = plainOrder(value.order.length)
  if (value.kind === 'integers') {
    const { term } = arranged(value, plain)
    return { term, port: { name, dtype: portDtype(term), shape: term.shape } }
  }
  const real = realOutput(scene, value, label)
  const { term, scales, zeroPoint } = turnedReal(scene, real, plain, label)
  const quantization = { scale: scales[0] ?? 1, zeroPoint }
  return { term, port: { name, dtype: portDtype(term), shape: term.shape, quantization } }
}

/** Bytes stay bytes. Sums stay as fine as they are, with one scale, so that they can be compared with each other. */
function realOutput(scene: Scene, value: Real, label: string): Real {
  return isBytes(value) ? settled(scene, value, label) : uniform(scene, value, label)
}
