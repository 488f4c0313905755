/** One operation without a program around it, for tests: its result, what inference says of it, or its refusal. */
import { type OperationName, operationOf } from '../src/operations/index.ts'
import { createEntries, type Dtype, dtypeFacts, type Shape, sizeOf, type Tensor } from '../src/tensor.ts'
import type { Range, Value } from '../src/value.ts'

export type Attributes = Readonly<Record<string, unknown>>

export function tensor(dtype: Dtype, shape: Shape, entries: readonly number[]): Tensor {
  if (entries.length !== sizeOf(shape)) throw new Error(`${entries.length} entries for [${shape.join(',')}]`)
  const data = createEntries(dtype, entries.length)
  data.set(entries)
  if (entries.some((entry, index) => data[index] !== entry)) throw new Error(`${entries} is not ${dtype}`)
  return { dtype, shape, data }
}

/** A value as it is declared; without a range, anything that its kind of integer holds. */
export function value(dtype: Dtype, shape: Shape, range: Range = dtypeFacts[dtype]): Value {
  return { dtype, shape, min: range.min, max: range.max }
}

/** A constant whose entries inference sees. */
export function known({ dtype, shape, data }: Tensor): Value {
  return { ...tightly({ dtype, shape, data }), known: data }
}

/** Declared no wider than its entries are. */
export function tightly({ dtype, shape, data }: Tensor): Value {
  const entries = Array.from(data)
  return value(dtype, shape, { min: Math.min(...entries), max: Math.max(...entries) })
}

export function infer(op: OperationName, attributes: Attributes, ...operands: readonly Value[]): Value {
  const result = operationOf(op).infer({ op, ...attributes } as never, operands)
  if ('broken' in result) throw new Error(result.broken)
  return result
}

export function refusal(op: OperationName, attributes: Attributes, ...operands: readonly Value[]): string {
  const result = operationOf(op).infer({ op, ...attributes } as never, operands)
  return 'broken' in result ? result.broken : 'accepted'
}

/** By the reference, with operands declared as narrow as they are. */
export function run(op: OperationName, attributes: Attributes, ...operands: readonly Tensor[]): Tensor {
  const result = infer(op, attributes, ...operands.map(tightly))
  return operationOf(op).evaluate({ op, ...attributes } as never, operands, result)
}

export function entriesOf({ data }: Tensor): number[] {
  return Array.from(data)
}
