/**
 * What an operation of the language is: its name, its operands and attributes (one definition gives type and bytes), the
 * inference of its result before anything runs, and the reference that defines what it computes. Each lives in a file
 * of its own under `operations/`; the closed table of them is `operations/index.ts`.
 */
import { type Codec, type Field, field, list, type Message, message, whole } from '@shardy/protocol'
import type { Tensor } from './tensor.ts'
import type { Broken, Value } from './value.ts'

/** Inputs, constants and nodes of one program. */
export const valuesMax = 16_384
/** Operands of an operation that takes a list. */
export const operandListMax = 64

/** Attributes are numbered from here on, after the operands. */
export const firstAttribute = 8

const operandCodec = whole(0, valuesMax - 1)

type Attributes = Readonly<Record<string, Field<unknown>>>
type AttributeValues<A> = { readonly [Name in keyof A]: A[Name] extends Field<infer T> ? T : never }
/** One of `T` for each operand, in order. */
export type Each<Names extends readonly string[], T> = { readonly [Index in keyof Names]: T }

interface Definition<Op extends string, Names extends readonly string[], A extends Attributes> {
  readonly op: Op
  /** The operands by name; a result may depend on nothing else than them and the attributes. */
  readonly operands: Names
  readonly attributes: A
  /** The result's kind, shape and interval, or the rule that the operands break. */
  infer(operands: Each<Names, Value>, attributes: AttributeValues<A>): Value | Broken
  /** The definition. Operands fit the inferred values; `result` is what `infer` gave. */
  evaluate(operands: Each<Names, Tensor>, attributes: AttributeValues<A>, result: Value): Tensor
  /** How much work it is, in multiply-adds or steps of like cost. Without it: one step an entry of the result. */
  work?(operands: Each<Names, Value>, attributes: AttributeValues<A>, result: Value): number
}

export type NodeOf<Op extends string, Names extends readonly string[], A> = { readonly op: Op } & {
  readonly [Name in Names[number]]: number
} & AttributeValues<A>

/** An operation as the program sees it: nodes in, whatever their attributes are. */
export interface Operation<Node> {
  readonly op: string
  readonly message: Message<Omit<Node, 'op'>>
  operandsOf(node: Node): readonly number[]
  infer(node: Node, operands: readonly Value[]): Value | Broken
  evaluate(node: Node, operands: readonly Tensor[], result: Value): Tensor
  work(node: Node, operands: readonly Value[], result: Value): number
}

function stepsOf({ shape }: Value): number {
  return shape.reduce((product, size) => product * size, 1)
}

function messageName(op: string): string {
  return op.slice(0, 1).toUpperCase() + op.slice(1)
}

export function operation<
  const Op extends string,
  const Names extends readonly string[],
  const A extends Attributes,
>(definition: Definition<Op, Names, A>): Operation<NodeOf<Op, Names, A>> {
  type Node = NodeOf<Op, Names, A>
  const { op, operands: names, attributes } = definition
  const fields: Record<string, Field<unknown>> = {}
  names.forEach((name, index) => {
    fields[name] = field(index + 1, operandCodec as Codec<unknown>)
  })
  const operandsOf = (node: Node) =>
    names.map((name) => (node as Readonly<Record<string, number>>)[name] ?? -1)
  type Tuple<T> = Each<Names, T>
  return {
    op,
    message: message(messageName(op), { ...fields, ...attributes }) as unknown as Message<Omit<Node, 'op'>>,
    operandsOf,
    infer: (node, operands) => definition.infer(operands as unknown as Tuple<Value>, node),
    evaluate: (node, operands, result) =>
      definition.evaluate(operands as unknown as Tuple<Tensor>, node, result),
    work: (node, operands, result) =>
      definition.work?.(operands as unknown as Tuple<Value>, node, result) ?? stepsOf(result),
  }
}

interface ListDefinition<Op extends string, A extends Attributes> {
  readonly op: Op
  readonly attributes: A
  infer(operands: readonly Value[], attributes: AttributeValues<A>): Value | Broken
  evaluate(operands: readonly Tensor[], attributes: AttributeValues<A>, result: Value): Tensor
}

/** An operation over a list of operands, `xs`. */
export function listOperation<const Op extends string, const A extends Attributes>(
  definition: ListDefinition<Op, A>,
): Operation<{ readonly op: Op; readonly xs: readonly number[] } & AttributeValues<A>> {
  type Node = { readonly op: Op; readonly xs: readonly number[] } & AttributeValues<A>
  const { op, attributes } = definition
  const fields = { xs: field(1, list(operandCodec, operandListMax)), ...attributes }
  return {
    op,
    message: message(messageName(op), fields) as unknown as Message<Omit<Node, 'op'>>,
    operandsOf: (node) => node.xs,
    infer: (node, operands) => definition.infer(operands, node),
    evaluate: (node, operands, result) => definition.evaluate(operands, node, result),
    work: (_node, _operands, result) => stepsOf(result),
  }
}
