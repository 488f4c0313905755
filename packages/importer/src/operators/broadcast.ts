/** Numpy's rule for operands of different shapes: aligned at the last axis, a size of 1 repeats. */
import type { GraphNode } from '../graph.ts'
import { checkedSize, type OnnxTensor } from '../onnx/tensor.ts'
import { refuse } from '../refusal.ts'
import { floats } from './operator.ts'

export function broadcastShape(
  { label }: GraphNode,
  left: readonly number[],
  right: readonly number[],
): readonly number[] {
  const rank = Math.max(left.length, right.length)
  return Array.from({ length: rank }, (_, axis) => {
    const x = left[axis - rank + left.length] ?? 1
    const y = right[axis - rank + right.length] ?? 1
    if (x === y || y === 1) return x
    if (x === 1) return y
    return refuse('inconsistent', label, `cannot combine [${left.join(',')}] with [${right.join(',')}]`)
  })
}

/** For each entry of `shape`, in order, the index of the entry of `from` that stands there. */
export function broadcastIndices(from: readonly number[], shape: readonly number[]): Uint32Array {
  let indices = Uint32Array.of(0)
  const missing = shape.length - from.length
  for (const [axis, size] of shape.entries()) {
    const own = from[axis - missing] ?? 1
    const next = new Uint32Array(indices.length * size)
    for (let index = 0; index < next.length; index++) {
      const before = (indices[Math.floor(index / size)] as number) * own
      next[index] = before + (own === 1 ? 0 : index % size)
    }
    indices = next
  }
  return indices
}

export function combined(
  node: GraphNode,
  left: OnnxTensor,
  right: OnnxTensor,
  combine: (x: number, y: number) => number,
): OnnxTensor {
  const shape = broadcastShape(node, left.shape, right.shape)
  const size = checkedSize(shape, node.label)
  const [x, y] = [broadcastIndices(left.shape, shape), broadcastIndices(right.shape, shape)]
  const data = new Float32Array(size)
  for (let index = 0; index < size; index++) {
    data[index] = combine(left.data[x[index] as number] as number, right.data[y[index] as number] as number)
  }
  return floats(shape, data)
}
