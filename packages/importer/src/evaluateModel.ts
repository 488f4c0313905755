/** A model on real numbers, for whoever wants to compare. */
import { evaluateGraph, inputShape, type Tensors } from './evaluate.ts'
import { prepareGraph } from './graph.ts'
import type { OnnxModel } from './onnx/model.ts'
import { type OnnxTensor, sizeOf } from './onnx/tensor.ts'
import { type Imported, refusable, refuse } from './refusal.ts'

/** The outputs by name. Inputs have the shapes that the model says, with a first axis of any size where it leaves that open. */
export function evaluateModel(model: OnnxModel, inputs: Tensors): Imported<Tensors> {
  return refusable(() => {
    const graph = prepareGraph(model)
    for (const input of graph.inputs) {
      const tensor = inputs.get(input.name)
      const place = `input '${input.name}'`
      if (tensor === undefined) return refuse('inconsistent', place, 'is missing')
      const expected = inputShape(input, tensor.shape[0] ?? 1)
      const fits =
        expected.length === tensor.shape.length && expected.every((size, axis) => size === tensor.shape[axis])
      if (!fits || tensor.data.length !== sizeOf(expected)) {
        refuse('inconsistent', place, `is [${tensor.shape.join(',')}], expected [${expected.join(',')}]`)
      }
    }
    const values = evaluateGraph(graph, inputs)
    return new Map(
      graph.outputs.map(({ name }): [string, OnnxTensor] => {
        return [name, values.get(name) ?? refuse('inconsistent', `output '${name}'`, 'is missing')]
      }),
    )
  })
}
