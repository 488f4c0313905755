/** The types that a value can have (spec H7): scalars and vectors of them. Arrays are places, never values. */
import { type Position, refuse } from './position.ts'
import type { TypeSyntax } from './syntax.ts'

export type Scalar = 'bool' | 'i32' | 'u32' | 'f32'
export type Width = 1 | 2 | 3 | 4

export interface ValueType {
  readonly of: Scalar
  /** One is the scalar itself. */
  readonly width: Width
}

export const bool: ValueType = { of: 'bool', width: 1 }
export const i32: ValueType = { of: 'i32', width: 1 }
export const u32: ValueType = { of: 'u32', width: 1 }

const scalars = new Set<string>(['bool', 'i32', 'u32', 'f32'])
const letters = new Map<string, Scalar>([
  ['i', 'i32'],
  ['u', 'u32'],
  ['f', 'f32'],
])

export function sameType(left: ValueType, right: ValueType): boolean {
  return left.of === right.of && left.width === right.width
}

export function typeName({ of, width }: ValueType): string {
  return width === 1 ? of : `vec${width}<${of}>`
}

export function isInteger({ of }: ValueType): boolean {
  return of === 'i32' || of === 'u32'
}

/** The value type of this name, without template arguments: `u32`, `vec2f`. */
function namedType(name: string): ValueType | undefined {
  if (scalars.has(name)) return { of: name as Scalar, width: 1 }
  const match = /^vec([234])([iuf])$/.exec(name)
  const of = letters.get(match?.[2] ?? '')
  return of === undefined ? undefined : { of, width: Number(match?.[1]) as Width }
}

/** `vec3` without its argument: a constructor that takes its type from its values. */
export function bareVectorWidth(name: string): Width | undefined {
  const match = /^vec([234])$/.exec(name)
  return match === null ? undefined : (Number(match[1]) as Width)
}

/** The value type that is written here, or undefined when the name is no type at all. */
export function readValueType(syntax: TypeSyntax): ValueType | undefined {
  const { name, element, at } = syntax
  if (element === undefined) return namedType(name)
  const width = bareVectorWidth(name)
  if (width === undefined) return undefined
  const inner = readValueType(element)
  if (inner?.width !== 1)
    return refuse(element.at, `'${element.name}' is not a scalar that a vector can hold`)
  if (syntax.length !== undefined) refuse(at, `'${name}' takes one template argument`)
  return { of: inner.of, width }
}

export function expectValueType(syntax: TypeSyntax): ValueType {
  return readValueType(syntax) ?? refuseType(syntax.at, syntax.name)
}

const refusals: readonly (readonly [RegExp, string])[] = [
  [/^ptr$/, 'pointers are not accepted: pass values'],
  [/^(f16|vec[234]h|mat[234]x[234]h)$/, 'f16 is not accepted: devices differ in having it'],
  [/^mat[234]x[234]/, 'matrices are not accepted: write vectors'],
  [/^(texture|sampler)/, 'textures and samplers are not accepted: pass buffers'],
  [/^array$/, 'an array is accepted as a buffer or as a local `var` only, never as a value'],
  [/^atomic$/, 'an atomic is accepted as the element of a read_write buffer only'],
  [/^vec[234]$/, 'a vector type needs its scalar: `vec4<u32>` or `vec4u`'],
]

export function refuseType(at: Position, name: string): never {
  const [, message] = refusals.find(([pattern]) => pattern.test(name)) ?? []
  return refuse(at, message ?? `'${name}' is not a type that is accepted`)
}

/** Names that WGSL itself declares as types; nothing may be declared over them. */
export function isTypeName(name: string): boolean {
  return namedType(name) !== undefined || refusals.some(([pattern]) => pattern.test(name))
}
