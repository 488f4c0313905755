/** The attributes of a node, read by name: each must be of the expected kind, and every one must be known to whoever reads. */
import type { GraphNode } from './graph.ts'
import type { Attribute } from './onnx/model.ts'
import { refuse } from './refusal.ts'

function find<Kind extends Attribute['kind']>(
  { attributes, label }: GraphNode,
  name: string,
  kind: Kind,
): Extract<Attribute, { kind: Kind }> | undefined {
  const attribute = attributes.get(name)
  if (attribute === undefined) return undefined
  if (attribute.kind !== kind) {
    return refuse('malformed', label, `has '${name}' as ${attribute.kind}, expected ${kind}`)
  }
  return attribute as Extract<Attribute, { kind: Kind }>
}

export function intOf(node: GraphNode, name: string, absent: number): number {
  return find(node, name, 'int')?.value ?? absent
}

export function floatOf(node: GraphNode, name: string, absent: number): number {
  return find(node, name, 'float')?.value ?? absent
}

export function textOf(node: GraphNode, name: string, absent: string): string {
  return find(node, name, 'string')?.value ?? absent
}

export function intsOf(node: GraphNode, name: string): readonly number[] | undefined {
  return find(node, name, 'ints')?.value
}

/** An attribute that is not known here may change what the node means. */
export function refuseUnknown({ attributes, label }: GraphNode, known: readonly string[]): void {
  for (const name of attributes.keys()) {
    if (!known.includes(name)) refuse('unsupported', label, `has the attribute '${name}', which is not known`)
  }
}

/** An axis may be counted from the end. */
export function axisOf(node: GraphNode, axis: number, rank: number): number {
  const counted = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(counted) || counted < 0 || counted >= rank) {
    return refuse('inconsistent', node.label, `has the axis ${axis}, its operand has ${rank} dimensions`)
  }
  return counted
}
