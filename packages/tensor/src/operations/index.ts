/**
 * The closed table of the language (spec T10): an operation is its number in a node's bytes, for ever. A new one goes to
 * the end; a changed meaning is a new operation.
 */
import type { Operation } from '../operation.ts'
import { matmul } from './matmul.ts'
import { requantize, requantizeChannels } from './requantize.ts'
import { slice } from './slice.ts'

export const operations = { matmul, requantize, requantizeChannels, slice } as const

type Operations = typeof operations
export type OperationName = keyof Operations
type NodeIn<O> = O extends Operation<infer Node> ? Node : never

/** One operation of a program, with its operands as indices of earlier values. */
export type Node = { [Name in OperationName]: NodeIn<Operations[Name]> }[OperationName]
export type NodeFor<Name extends OperationName> = NodeIn<Operations[Name]>

export const operationNames = Object.keys(operations) as readonly OperationName[]

/** The one place where a node meets the operation of its name; the types of a union cannot follow that. */
export function operationOf(op: OperationName): Operation<Node> {
  return operations[op] as unknown as Operation<Node>
}

/** Their results are checked by projection against a claimed tensor; everything else is replayed. */
export const heavyOperations: ReadonlySet<OperationName> = new Set<OperationName>(['matmul'])
