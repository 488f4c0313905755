/** From a model to the bytes of an .onnx file: what `readModel` reads. For training scripts and for tests. */
import type { Attribute, OnnxModel, OnnxNode, ValueInfo } from './model.ts'
import { codeOf, entryBytesOf, type OnnxTensor } from './tensor.ts'

/** A field's bytes, tag included. */
type Part = Uint8Array

function varint(value: number): number[] {
  let left = BigInt.asUintN(64, BigInt(value))
  const bytes: number[] = []
  do {
    const low = Number(left & 127n)
    left >>= 7n
    bytes.push(left === 0n ? low : low | 128)
  } while (left !== 0n)
  return bytes
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function integer(number: number, value: number): Part {
  return Uint8Array.from([...varint(number * 8), ...varint(value)])
}

function bytes(number: number, content: Uint8Array): Part {
  return join([Uint8Array.from([...varint(number * 8 + 2), ...varint(content.length)]), content])
}

function text(number: number, value: string): Part {
  return bytes(number, new TextEncoder().encode(value))
}

function floats(values: readonly number[]): Uint8Array {
  const content = new Uint8Array(4 * values.length)
  const view = new DataView(content.buffer)
  for (const [index, value] of values.entries()) view.setFloat32(4 * index, value, true)
  return content
}

function float(number: number, value: number): Part {
  return join([Uint8Array.from(varint(number * 8 + 5)), floats([value])])
}

const attributeCodes = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const

function attributeValue(attribute: Attribute): readonly Part[] {
  switch (attribute.kind) {
    case 'float':
      return [float(2, attribute.value)]
    case 'int':
      return [integer(3, attribute.value)]
    case 'string':
      return [text(4, attribute.value)]
    case 'tensor':
      return [bytes(5, tensorBytes('', attribute.value))]
    case 'floats':
      return [bytes(7, floats(attribute.value))]
    case 'ints':
      return attribute.value.map((value) => integer(8, value))
    case 'strings':
      return attribute.value.map((value) => text(9, value))
    case 'other':
      throw new RangeError('an attribute of another kind cannot be written')
  }
}

function attributeBytes(name: string, attribute: Attribute): Uint8Array {
  const values = attributeValue(attribute)
  const code = attribute.kind === 'other' ? 0 : attributeCodes[attribute.kind]
  return join([text(1, name), ...values, integer(20, code)])
}

function nodeBytes({ name, op, domain, inputs, outputs, attributes }: OnnxNode): Uint8Array {
  return join([
    ...inputs.map((input) => text(1, input)),
    ...outputs.map((output) => text(2, output)),
    text(3, name),
    text(4, op),
    ...[...attributes].map(([key, attribute]) => bytes(5, attributeBytes(key, attribute))),
    ...(domain === '' ? [] : [text(7, domain)]),
  ])
}

function rawOf({ dtype, data }: OnnxTensor): Uint8Array {
  const size = entryBytesOf(dtype)
  const raw = new Uint8Array(size * data.length)
  const view = new DataView(raw.buffer)
  if (dtype === 'f16') throw new RangeError('floats of 16 bits are read, not written')
  for (let index = 0; index < data.length; index++) {
    const entry = data[index] ?? 0
    if (dtype === 'f32') view.setFloat32(4 * index, entry, true)
    else if (dtype === 'f64') view.setFloat64(8 * index, entry, true)
    else if (size === 8) view.setBigInt64(8 * index, BigInt(entry), true)
    else if (size === 4) view.setInt32(4 * index, entry, true)
    else if (size === 2) view.setInt16(2 * index, entry, true)
    else view.setInt8(index, entry)
  }
  return raw
}

function tensorBytes(name: string, tensor: OnnxTensor): Uint8Array {
  return join([
    ...tensor.shape.map((size) => integer(1, size)),
    integer(2, codeOf(tensor.dtype)),
    ...(name === '' ? [] : [text(8, name)]),
    bytes(9, rawOf(tensor)),
  ])
}

function valueInfoBytes({ name, dtype, shape }: ValueInfo): Uint8Array {
  const dimensions = (shape ?? []).map((size) =>
    bytes(1, typeof size === 'number' ? integer(1, size) : text(2, size)),
  )
  const tensorType = [integer(1, codeOf(dtype)), ...(shape === undefined ? [] : [bytes(2, join(dimensions))])]
  return join([text(1, name), bytes(2, bytes(1, join(tensorType)))])
}

/** IR 8 is what opset 13 to 18 came with; readers accept an older one beside newer operators. */
const irVersion = 8

export function writeModel({ opsets, name, nodes, inputs, outputs, initializers }: OnnxModel): Uint8Array {
  const graph = join([
    ...nodes.map((node) => bytes(1, nodeBytes(node))),
    text(2, name),
    ...[...initializers].map(([key, tensor]) => bytes(5, tensorBytes(key, tensor))),
    ...inputs.map((input) => bytes(11, valueInfoBytes(input))),
    ...outputs.map((output) => bytes(12, valueInfoBytes(output))),
  ])
  return join([
    integer(1, irVersion),
    text(2, 'shardy'),
    bytes(7, graph),
    ...[...opsets].map(([domain, version]) => bytes(8, join([text(1, domain), integer(2, version)]))),
  ])
}
