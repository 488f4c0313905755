/**
 * From the bytes of an .onnx file to a model. Fields that the importer has no use for are passed over, as protobuf asks;
 * what would change the model's meaning unseen (external data, functions, sparse weights) is refused.
 */
import { type Imported, refusable, refuse } from '../refusal.ts'
import {
  attributeNumbersMax,
  attributesMax,
  modelBytesMax,
  nameBytesMax,
  nodesMax,
  operandsMax,
  rankMax,
  valuesMax,
} from './limits.ts'
import type { Attribute, Dimension, OnnxModel, OnnxNode, ValueInfo } from './model.ts'
import {
  checkedSize,
  createData,
  dtypeOf,
  halfOf,
  isFloat,
  type NumberArray,
  type OnnxDtype,
  type OnnxTensor,
  readRaw,
} from './tensor.ts'
import {
  bytesOf,
  fieldsOf,
  floatOf,
  integerOf,
  pushFloats,
  pushIntegers,
  textOf,
  type WireField,
} from './wire.ts'

/** IR versions say how the file is laid out; from 3 on it is as read here. */
const irVersionMin = 3

export function readModel(bytes: Uint8Array): Imported<OnnxModel> {
  return refusable(() => modelOf(bytes))
}

function modelOf(bytes: Uint8Array): OnnxModel {
  const place = 'model'
  if (bytes.length > modelBytesMax) {
    refuse('tooLarge', place, `has ${bytes.length} bytes, the limit is ${modelBytesMax}`)
  }
  let irVersion = 0
  let graph: Uint8Array | undefined
  const opsets = new Map<string, number>()
  for (const field of fieldsOf(bytes, place)) {
    if (field.number === 1) irVersion = integerOf(field, place)
    if (field.number === 7) {
      if (graph !== undefined) refuse('malformed', place, 'has two graphs')
      graph = bytesOf(field, place)
    }
    if (field.number === 8) readOpset(opsets, bytesOf(field, place))
    if (field.number === 25) refuse('unsupported', place, 'has functions of its own; inline them first')
  }
  if (graph === undefined) refuse('malformed', place, 'has no graph: is it an ONNX file?')
  if (irVersion < irVersionMin) {
    refuse('unsupported', place, `has the IR version ${irVersion}, from ${irVersionMin} on is understood`)
  }
  return { opsets, ...graphOf(graph) }
}

function readOpset(opsets: Map<string, number>, bytes: Uint8Array): void {
  const place = 'model.opset_import'
  let [domain, version] = ['', 0]
  for (const field of fieldsOf(bytes, place)) {
    if (field.number === 1) domain = textOf(field, place, nameBytesMax)
    if (field.number === 2) version = integerOf(field, place)
  }
  // `ai.onnx` is the long name of the operators that ONNX itself has.
  const known = domain === 'ai.onnx' ? '' : domain
  if (opsets.has(known)) refuse('inconsistent', place, `names the domain '${known}' twice`)
  if (opsets.size >= attributesMax) refuse('tooLarge', place, `has more than ${attributesMax} domains`)
  opsets.set(known, version)
}

function graphOf(bytes: Uint8Array): Omit<OnnxModel, 'opsets'> {
  const place = 'graph'
  let name = ''
  const nodes: OnnxNode[] = []
  const inputs: ValueInfo[] = []
  const outputs: ValueInfo[] = []
  const initializers = new Map<string, OnnxTensor>()
  const room = (count: number, limit: number, what: string) => {
    if (count >= limit) refuse('tooLarge', place, `has more than ${limit} ${what}`)
  }
  for (const field of fieldsOf(bytes, place)) {
    switch (field.number) {
      case 1:
        room(nodes.length, nodesMax, 'nodes')
        nodes.push(nodeOf(bytesOf(field, place), nodes.length))
        break
      case 2:
        name = textOf(field, place, nameBytesMax)
        break
      case 5: {
        room(initializers.size, valuesMax, 'initializers')
        const [tensorName, tensor] = namedTensorOf(bytesOf(field, place), 'initializer')
        if (tensorName === '') refuse('malformed', place, 'has an initializer without a name')
        if (initializers.has(tensorName)) {
          refuse('inconsistent', place, `has two initializers called '${tensorName}'`)
        }
        initializers.set(tensorName, tensor)
        break
      }
      case 11:
        room(inputs.length, valuesMax, 'inputs')
        inputs.push(valueInfoOf(bytesOf(field, place), `input ${inputs.length}`))
        break
      case 12:
        room(outputs.length, valuesMax, 'outputs')
        outputs.push(valueInfoOf(bytesOf(field, place), `output ${outputs.length}`))
        break
      case 15:
        refuse('unsupported', place, 'has sparse initializers; store them densely')
    }
  }
  return { name, nodes, inputs, outputs, initializers }
}

function nodeOf(bytes: Uint8Array, index: number): OnnxNode {
  const place = `node ${index}`
  const names = { name: '', op: '', domain: '' }
  const inputs: string[] = []
  const outputs: string[] = []
  const attributes = new Map<string, Attribute>()
  const text = (field: WireField) => textOf(field, place, nameBytesMax)
  for (const field of fieldsOf(bytes, place)) {
    switch (field.number) {
      case 1:
      case 2: {
        const list = field.number === 1 ? inputs : outputs
        if (list.length >= operandsMax) refuse('tooLarge', place, `has more than ${operandsMax} values`)
        list.push(text(field))
        break
      }
      case 3:
        names.name = text(field)
        break
      case 4:
        names.op = text(field)
        break
      case 5: {
        if (attributes.size >= attributesMax) {
          refuse('tooLarge', place, `has more than ${attributesMax} attributes`)
        }
        const [name, attribute] = attributeOf(bytesOf(field, place), place)
        if (attributes.has(name)) refuse('inconsistent', place, `has the attribute '${name}' twice`)
        attributes.set(name, attribute)
        break
      }
      case 7:
        names.domain = text(field)
        break
    }
  }
  if (names.op === '') refuse('malformed', place, 'has no operator')
  return {
    ...names,
    domain: names.domain === 'ai.onnx' ? '' : names.domain,
    inputs,
    outputs,
    attributes,
  }
}

function attributeOf(bytes: Uint8Array, node: string): readonly [string, Attribute] {
  let name = ''
  let type = 0
  const fields: WireField[] = []
  for (const field of fieldsOf(bytes, node)) {
    if (field.number === 1) name = textOf(field, node, nameBytesMax)
    else if (field.number === 20) type = integerOf(field, node)
    else fields.push(field)
  }
  const place = `${node}, attribute '${name}'`
  if (name === '') refuse('malformed', node, 'has an attribute without a name')
  const of = (number: number) => fields.filter((field) => field.number === number)
  const last = (number: number) => of(number).at(-1)
  /** A number that is zero may be left out. */
  const single = <T>(number: number, read: (field: WireField) => T, absent: T): T => {
    const field = last(number)
    return field === undefined ? absent : read(field)
  }
  const numbers = (number: number, push: typeof pushIntegers) => {
    const values: number[] = []
    for (const field of of(number)) push(values, field, place, attributeNumbersMax)
    return values
  }
  const string = (field: WireField) => textOf(field, place, 65_536)
  switch (type) {
    case 1:
      return [name, { kind: 'float', value: single(2, (field) => floatOf(field, place), 0) }]
    case 2:
      return [name, { kind: 'int', value: single(3, (field) => integerOf(field, place), 0) }]
    case 3:
      return [name, { kind: 'string', value: single(4, string, '') }]
    case 4: {
      const field = last(5)
      if (field === undefined) return refuse('malformed', place, 'has no tensor')
      return [name, { kind: 'tensor', value: namedTensorOf(bytesOf(field, place), place)[1] }]
    }
    case 6: {
      const push: typeof pushIntegers = (into, field, at, max) => pushFloats(into, field, at, max, 4)
      return [name, { kind: 'floats', value: numbers(7, push) }]
    }
    case 7:
      return [name, { kind: 'ints', value: numbers(8, pushIntegers) }]
    case 8:
      return [name, { kind: 'strings', value: of(9).map(string) }]
    case 0:
      return refuse('malformed', place, 'has no type')
    default:
      return [name, { kind: 'other' }]
  }
}

function namedTensorOf(bytes: Uint8Array, what: string): readonly [string, OnnxTensor] {
  let place = what
  let name = ''
  let code = 0
  const dims: number[] = []
  const stored: WireField[] = []
  for (const field of fieldsOf(bytes, place)) {
    if (field.number === 8) name = textOf(field, place, nameBytesMax)
    else if (field.number === 1) pushIntegers(dims, field, place, rankMax)
    else if (field.number === 2) code = integerOf(field, place)
    else stored.push(field)
  }
  if (name !== '') place = `${what} '${name}'`
  for (const field of stored) {
    const isExternal = field.number === 13 || (field.number === 14 && integerOf(field, place) !== 0)
    if (isExternal) {
      refuse('unsupported', place, 'keeps its data in another file; save the model with its data inside')
    }
    if (field.number === 3) refuse('unsupported', place, 'is stored in segments')
  }
  const dtype = dtypeOf(code, place)
  const size = checkedSize(dims, place)
  return [name, { dtype, shape: dims, data: entriesOf(dtype, size, stored, place) }]
}

/** Which field holds entries that are not raw bytes. */
function listFieldOf(dtype: OnnxDtype): number {
  if (dtype === 'f32') return 4
  if (dtype === 'f64') return 10
  if (dtype === 'i64') return 7
  return dtype === 'u32' ? 11 : 5
}

function entriesOf(dtype: OnnxDtype, size: number, stored: readonly WireField[], place: string): NumberArray {
  const raw = stored.filter(({ number }) => number === 9)
  const listed = stored.filter(({ number }) => number === listFieldOf(dtype))
  if (raw.length > 0 && listed.length > 0) refuse('malformed', place, 'has its data twice')
  const [first, second] = raw
  if (second !== undefined) refuse('malformed', place, 'has its data twice')
  if (first !== undefined) return readRaw(dtype, size, bytesOf(first, place), place)
  const numbers: number[] = []
  for (const field of listed) {
    if (dtype === 'f32' || dtype === 'f64') pushFloats(numbers, field, place, size, dtype === 'f32' ? 4 : 8)
    else pushIntegers(numbers, field, place, size)
  }
  if (numbers.length !== size) {
    refuse('malformed', place, `has ${numbers.length} entries, its shape has ${size}`)
  }
  const data = createData(dtype, size)
  data.set(dtype === 'f16' ? numbers.map(halfOf) : numbers)
  if (!isFloat(dtype)) {
    const odd = numbers.findIndex((number, index) => data[index] !== number)
    if (odd >= 0) refuse('malformed', place, `has the entry ${numbers[odd]}, which ${dtype} cannot hold`)
  }
  return data
}

function valueInfoOf(bytes: Uint8Array, what: string): ValueInfo {
  let place = what
  let name = ''
  let type: Uint8Array | undefined
  for (const field of fieldsOf(bytes, place)) {
    if (field.number === 1) name = textOf(field, place, nameBytesMax)
    if (field.number === 2) type = bytesOf(field, place)
  }
  if (name === '') refuse('malformed', place, 'has no name')
  place = `${what.split(' ')[0]} '${name}'`
  if (type === undefined) return refuse('unsupported', place, 'has no type')
  for (const field of fieldsOf(type, place)) {
    if (field.number === 1) return { name, ...tensorTypeOf(bytesOf(field, place), place) }
    if (field.number <= 9) refuse('unsupported', place, 'is no plain tensor')
  }
  return refuse('unsupported', place, 'has no tensor type')
}

function tensorTypeOf(bytes: Uint8Array, place: string): Omit<ValueInfo, 'name'> {
  let code = 0
  let shape: Dimension[] | undefined
  for (const field of fieldsOf(bytes, place)) {
    if (field.number === 1) code = integerOf(field, place)
    if (field.number === 2) shape = shapeOf(bytesOf(field, place), place)
  }
  return { dtype: dtypeOf(code, place), shape }
}

function shapeOf(bytes: Uint8Array, place: string): Dimension[] {
  const shape: Dimension[] = []
  for (const field of fieldsOf(bytes, place)) {
    if (field.number !== 1) continue
    if (shape.length >= rankMax) refuse('tooLarge', place, `has more than ${rankMax} dimensions`)
    let dimension: Dimension = ''
    for (const part of fieldsOf(bytesOf(field, place), place)) {
      if (part.number === 1) dimension = integerOf(part, place)
      if (part.number === 2) dimension = textOf(part, place, nameBytesMax)
    }
    shape.push(dimension)
  }
  return shape
}
