/** Buffers and what lies in them (spec H8, H17), by WGSL's own rules of alignment. */
import { checkCount } from './checkExpression.ts'
import { bindingNumberMax, uniformBytesMax } from './limits.ts'
import { type Position, refuse } from './position.ts'
import { lookUp, refuseReserved, type Scope } from './scope.ts'
import type { Access, Buffer, Layout, Member } from './shader.ts'
import type { AttributeSyntax, DeclarationSyntax, TypeSyntax } from './syntax.ts'
import { expectValueType, isTypeName, readValueType, refuseType, typeName, type ValueType } from './types.ts'

type BufferSyntax = Extract<DeclarationSyntax, { kind: 'buffer' }>

export function byteSize({ width }: ValueType): number {
  return 4 * width
}

function byteAlignment({ width }: ValueType): number {
  return width === 3 ? 16 : 4 * width
}

function refuseBool(at: Position, type: ValueType): void {
  if (type.of === 'bool') refuse(at, `${typeName(type)} cannot be shared with the host: pass u32`)
}

export function readStruct(
  syntax: Extract<DeclarationSyntax, { kind: 'struct' }>,
): Extract<Layout, { kind: 'struct' }> {
  const members: Member[] = []
  let end = 0
  let alignment = 4
  for (const { at, name, type: typeSyntax, attributes } of syntax.members) {
    const [attribute] = attributes
    if (attribute !== undefined)
      refuse(attribute.at, `the attribute '@${attribute.name}' is not accepted in a struct`)
    refuseReserved(at, name)
    if (members.some((member) => member.name === name)) refuse(at, `the member '${name}' is there twice`)
    const type = expectValueType(typeSyntax)
    refuseBool(typeSyntax.at, type)
    const offset = roundUp(end, byteAlignment(type))
    members.push({ name, type, offset })
    end = offset + byteSize(type)
    alignment = Math.max(alignment, byteAlignment(type))
  }
  if (members.length === 0) refuse(syntax.at, `the struct '${syntax.name}' is empty`)
  return { kind: 'struct', name: syntax.name, members, bytes: roundUp(end, alignment) }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}

export function readBuffer(scope: Scope, syntax: BufferSyntax): Buffer {
  const { at, name } = syntax
  const access = readAccess(syntax)
  const number = (attribute: string, max: number): number => {
    const [first, second] = syntax.attributes.filter((candidate) => candidate.name === attribute)
    if (second !== undefined) refuse(second.at, `'@${attribute}' is there twice`)
    return first === undefined
      ? refuse(at, `'${name}' needs '@${attribute}(…)'`)
      : checkAttribute(scope, first, max)
  }
  const other = syntax.attributes.find(
    (attribute) => attribute.name !== 'group' && attribute.name !== 'binding',
  )
  if (other !== undefined) refuse(other.at, `the attribute '@${other.name}' has no place here`)
  number('group', 0)
  const binding = number('binding', bindingNumberMax)
  return { at, name, binding, access, layout: readLayout(scope, syntax.type, access) }
}

function checkAttribute(scope: Scope, { at, name, values }: AttributeSyntax, max: number): number {
  const [value] = values
  if (value === undefined || values.length !== 1) return refuse(at, `'@${name}' takes one number`)
  return checkCount(scope, value, 0, max, `'@${name}'`)
}

function readAccess({ at, space }: BufferSyntax): Access {
  const [address, mode] = space
  if (address === 'storage' && space.length <= 2 && (mode === undefined || mode === 'read')) return 'read'
  if (address === 'storage' && space.length === 2 && mode === 'read_write') return 'readWrite'
  if (address === 'uniform' && space.length === 1) return 'uniform'
  if (address === 'private') refuse(at, "'var<private>' is not accepted: pass values as parameters")
  if (address === 'workgroup') {
    refuse(
      at,
      "'var<workgroup>' is not accepted: sharing it needs barriers, and fuel cannot end an invocation at a barrier",
    )
  }
  return refuse(at, 'a module-scope variable is `var<storage>`, `var<storage, read_write>` or `var<uniform>`')
}

function readLayout(scope: Scope, syntax: TypeSyntax, access: Access): Layout {
  const { at, name } = syntax
  if (name === 'array') return readArray(scope, syntax, access)
  if (access !== 'uniform') {
    return refuse(at, 'a storage buffer is an array: `array<u32>` or `array<vec4<f32>, 16>`')
  }
  const type = readValueType(syntax)
  if (type !== undefined) {
    refuseBool(at, type)
    return { kind: 'value', type }
  }
  if (isTypeName(name)) return refuseType(at, name)
  const meaning = lookUp(scope, at, name)
  return meaning.kind === 'struct' ? meaning.layout : refuse(at, `'${name}' is not a type`)
}

function readArray(scope: Scope, { at, element, length: lengthSyntax }: TypeSyntax, access: Access): Layout {
  if (element === undefined) return refuse(at, "'array' needs its element type")
  const isAtomic = element.name === 'atomic'
  const inner = isAtomic ? (element.element ?? refuse(element.at, "'atomic' needs its type")) : element
  const type = expectValueType(inner)
  refuseBool(inner.at, type)
  if (isAtomic && (access !== 'readWrite' || type.of === 'f32' || type.width !== 1)) {
    refuse(element.at, 'atomics are i32 or u32, in a read_write buffer')
  }
  if (type.width === 3)
    refuse(inner.at, 'elements of three are not accepted: their padding has no defined bytes')
  if (access === 'uniform' && type.width !== 4)
    refuse(inner.at, 'a uniform array has elements of 16 bytes: vec4')
  if (access === 'uniform' && lengthSyntax === undefined) refuse(at, 'a uniform array has a length')
  const bytesMax = access === 'uniform' ? uniformBytesMax : 64 * 1024 * 1024
  const length =
    lengthSyntax === undefined
      ? undefined
      : checkCount(scope, lengthSyntax, 1, bytesMax / byteSize(type), 'the length of the array')
  return { kind: 'array', element: type, length, isAtomic }
}
