/**
 * What a model computes on real numbers, by the definitions of ONNX. Calibration looks at it, and it is what an exact program
 * is compared with. It is written to be read, not to be fast.
 */
import type { Graph, GraphNode } from './graph.ts'
import { computedEntriesMax } from './onnx/limits.ts'
import type { ValueInfo } from './onnx/model.ts'
import { type OnnxTensor, sizeOf } from './onnx/tensor.ts'
import { operatorOf } from './operators/index.ts'
import { refuse } from './refusal.ts'

export type Tensors = ReadonlyMap<string, OnnxTensor>

/** The entries of one more computed tensor, unless all of them together would fill memory. */
export function countedEntries({ label }: GraphNode, before: number, { data }: OnnxTensor): number {
  if (before + data.length > computedEntriesMax) {
    refuse('tooLarge', label, `brings what is computed to more than ${computedEntriesMax} entries`)
  }
  return data.length
}

/** Every value of the graph, from its inputs. */
export function evaluateGraph(graph: Graph, inputs: Tensors): Tensors {
  const values = new Map([...graph.constants, ...inputs])
  let entries = 0
  for (const node of graph.nodes) {
    const operands = node.inputs.map((name) => values.get(name))
    const result = operatorOf(node).evaluate(node, operands)
    entries += countedEntries(node, entries, result)
    const [name = ''] = node.outputs
    values.set(name, result)
  }
  return values
}

/** The shape of an input, with a batch of `batch` where the model leaves the first size open. */
export function inputShape({ name, shape }: ValueInfo, batch: number): readonly number[] {
  const place = `input '${name}'`
  if (shape === undefined) return refuse('unsupported', place, 'has no shape')
  return shape.map((size, axis) => {
    if (typeof size === 'number' && size > 0) return size
    if (axis === 0) return batch
    return refuse(
      'unsupported',
      place,
      `leaves the size of axis ${axis} open ('${size}'); fix it in the model`,
    )
  })
}

/** Float samples of all inputs, one input after the other, cut into tensors. Samples have one image each. */
export function samplesOf(graph: Graph, data: Float32Array): readonly Tensors[] {
  const shapes = graph.inputs.map((input) => ({ input, shape: inputShape(input, 1) }))
  const length = shapes.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const place = 'calibration data'
  if (length === 0 || data.length === 0 || data.length % length !== 0) {
    return refuse('inconsistent', place, `has ${data.length} numbers; a sample has ${length}`)
  }
  const odd = data.findIndex((entry) => !Number.isFinite(entry))
  if (odd >= 0) refuse('inconsistent', place, `has ${data[odd]} as number ${odd}`)
  return Array.from({ length: data.length / length }, (_, sample) => {
    let at = sample * length
    const tensors = new Map<string, OnnxTensor>()
    for (const { input, shape } of shapes) {
      const size = sizeOf(shape)
      tensors.set(input.name, { dtype: input.dtype, shape, data: data.slice(at, at + size) })
      at += size
    }
    return tensors
  })
}
