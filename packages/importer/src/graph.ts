/**
 * A model made ready: every name has one maker, every operand exists, and the nodes that the outputs need stand in an order
 * in which each comes after its operands.
 */
import type { Attribute, OnnxModel, OnnxNode, ValueInfo } from './onnx/model.ts'
import { labelOf } from './onnx/model.ts'
import type { OnnxTensor } from './onnx/tensor.ts'
import { refuse } from './refusal.ts'

export interface GraphNode {
  /** What it is called in refusals. */
  readonly label: string
  /** The operator; one of another domain begins with the domain's name. */
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, Attribute>
  /** The version of its domain's operators that the model means. */
  readonly opset: number
}

export interface Graph {
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  readonly constants: ReadonlyMap<string, OnnxTensor>
  /** Only those that an output needs, operands first. */
  readonly nodes: readonly GraphNode[]
  /** Who reads a value: a node for each time that it does. */
  readonly readers: ReadonlyMap<string, readonly GraphNode[]>
}

/** From 7 on, arithmetic broadcasts as it does today. */
const opsetMin = 7
/** The newest whose changes were read; a later one may change what an operator means. */
const opsetMax = 24

function opsetOf(model: OnnxModel, { domain }: OnnxNode, label: string): number {
  const version = model.opsets.get(domain)
  if (version === undefined) {
    return refuse('inconsistent', label, `is of the domain '${domain}', which the model does not import`)
  }
  if (domain === '' && (version < opsetMin || version > opsetMax)) {
    refuse(
      'unsupported',
      'model',
      `is written for opset ${version}; ${opsetMin} to ${opsetMax} are understood`,
    )
  }
  return version
}

export function prepareGraph(model: OnnxModel): Graph {
  const nodes = model.nodes.map((node, index) => {
    const { op, domain, inputs, outputs, attributes } = node
    const label = labelOf(node, index)
    return { label, op: domain === '' ? op : `${domain}.${op}`, inputs, outputs, attributes, node }
  })
  // Old exporters list each initializer among the inputs, too.
  const inputs = model.inputs.filter(({ name }) => !model.initializers.has(name))
  const makers = new Map<string, number | 'input'>()
  for (const { name } of inputs) {
    if (makers.has(name)) refuse('inconsistent', `input '${name}'`, 'is there twice')
    makers.set(name, 'input')
  }
  for (const [index, { label, outputs }] of nodes.entries()) {
    for (const name of outputs) {
      if (name === '') continue
      if (makers.has(name) || model.initializers.has(name)) {
        refuse('inconsistent', label, `makes '${name}', which is made already`)
      }
      makers.set(name, index)
    }
  }
  if (model.outputs.length === 0) refuse('inconsistent', 'graph', 'has no outputs')
  const order = orderOf(model, nodes, makers)
  const needed = order.map((index): GraphNode => {
    const found = nodes[index]
    if (found === undefined) throw new Error('the order holds nodes')
    const { node, ...rest } = found
    return { ...rest, opset: opsetOf(model, node, rest.label) }
  })
  const readers = new Map<string, GraphNode[]>()
  for (const node of needed) {
    for (const name of node.inputs) readers.set(name, [...(readers.get(name) ?? []), node])
  }
  return { inputs, outputs: model.outputs, constants: model.initializers, nodes: needed, readers }
}

interface Draft {
  readonly label: string
  readonly inputs: readonly string[]
}

/** The nodes that the outputs need, each after its operands. Walks with a stack of its own: a chain may be long. */
function orderOf(
  { initializers, outputs }: OnnxModel,
  nodes: readonly Draft[],
  makers: ReadonlyMap<string, number | 'input'>,
): readonly number[] {
  const order: number[] = []
  const states = new Map<number, 'open' | 'done'>()
  const makerOf = (name: string, reader: string): number | undefined => {
    if (name === '' || initializers.has(name)) return undefined
    const maker = makers.get(name)
    if (maker === undefined) refuse('inconsistent', reader, `takes '${name}', which nothing makes`)
    return maker === 'input' ? undefined : maker
  }
  const stack: number[] = []
  for (const output of outputs) {
    const maker = makerOf(output.name, `output '${output.name}'`)
    if (maker !== undefined) stack.push(maker)
  }
  while (stack.length > 0) {
    const index = stack.at(-1) as number
    const node = nodes[index] as Draft
    if (states.get(index) !== undefined) {
      stack.pop()
      if (states.get(index) === 'open') {
        states.set(index, 'done')
        order.push(index)
      }
      continue
    }
    states.set(index, 'open')
    for (const name of node.inputs) {
      const maker = makerOf(name, node.label)
      if (maker === undefined || states.get(maker) === 'done') continue
      // Those that are open wait, one for the other, for this node.
      if (states.get(maker) === 'open') refuse('inconsistent', node.label, `waits for itself by '${name}'`)
      stack.push(maker)
    }
  }
  return order
}
