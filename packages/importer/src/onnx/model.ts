/** An ONNX model as data: only what an importer needs of it, in the words of ONNX. */
import type { OnnxDtype, OnnxTensor } from './tensor.ts'

export type Attribute =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: OnnxTensor }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  /** Graphs, sparse tensors and types: no operator that is understood here has one. */
  | { readonly kind: 'other' }

export interface OnnxNode {
  readonly name: string
  readonly op: string
  /** Empty for the operators of ONNX itself. */
  readonly domain: string
  /** An empty name is an operand that is left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, Attribute>
}

/** A size, or the name of one that whoever runs the model chooses; empty where the file says neither. */
export type Dimension = number | string

export interface ValueInfo {
  readonly name: string
  readonly dtype: OnnxDtype
  /** Undefined where the file does not say it. */
  readonly shape: readonly Dimension[] | undefined
}

export interface OnnxModel {
  /** The version of each set of operators, by domain. */
  readonly opsets: ReadonlyMap<string, number>
  readonly name: string
  readonly nodes: readonly OnnxNode[]
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  readonly initializers: ReadonlyMap<string, OnnxTensor>
}

/** What a node is called in refusals. */
export function labelOf({ name, op, domain }: OnnxNode, index: number): string {
  const operator = domain === '' ? op : `${domain}.${op}`
  return name === '' ? `node ${index} (${operator})` : `node '${name}' (${operator})`
}
