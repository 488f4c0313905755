/** Tensors as ONNX has them: kinds of numbers, shapes, and the bytes that hold the entries. */
import { refuse } from '../refusal.ts'
import { entriesMax, rankMax } from './limits.ts'

export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array

/** What each kind is called in a file, and how its entries lie there. Entries of 64 bits are held as doubles. */
const kinds = {
  f32: { code: 1, bytes: 4, create: (size: number) => new Float32Array(size) },
  u8: { code: 2, bytes: 1, create: (size: number) => new Uint8Array(size) },
  i8: { code: 3, bytes: 1, create: (size: number) => new Int8Array(size) },
  u16: { code: 4, bytes: 2, create: (size: number) => new Uint16Array(size) },
  i16: { code: 5, bytes: 2, create: (size: number) => new Int16Array(size) },
  i32: { code: 6, bytes: 4, create: (size: number) => new Int32Array(size) },
  i64: { code: 7, bytes: 8, create: (size: number) => new Float64Array(size) },
  bool: { code: 9, bytes: 1, create: (size: number) => new Uint8Array(size) },
  f16: { code: 10, bytes: 2, create: (size: number) => new Float32Array(size) },
  f64: { code: 11, bytes: 8, create: (size: number) => new Float64Array(size) },
  u32: { code: 12, bytes: 4, create: (size: number) => new Uint32Array(size) },
} as const

export type OnnxDtype = keyof typeof kinds

export interface OnnxTensor {
  readonly dtype: OnnxDtype
  readonly shape: readonly number[]
  readonly data: NumberArray
}

export function dtypeOf(code: number, place: string): OnnxDtype {
  for (const [name, kind] of Object.entries(kinds)) if (kind.code === code) return name as OnnxDtype
  return refuse('unsupported', place, `has entries of the ONNX data type ${code}`)
}

export function codeOf(dtype: OnnxDtype): number {
  return kinds[dtype].code
}

export function entryBytesOf(dtype: OnnxDtype): number {
  return kinds[dtype].bytes
}

export function isFloat(dtype: OnnxDtype): boolean {
  return dtype === 'f32' || dtype === 'f16' || dtype === 'f64'
}

export function createData(dtype: OnnxDtype, size: number): NumberArray {
  return kinds[dtype].create(size)
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** The entries of such a shape, before anything is allocated for them. */
export function checkedSize(shape: readonly number[], place: string): number {
  if (shape.length > rankMax) {
    refuse('tooLarge', place, `has ${shape.length} dimensions, the limit is ${rankMax}`)
  }
  const odd = shape.find((size) => !Number.isSafeInteger(size) || size < 0)
  if (odd !== undefined) refuse('inconsistent', place, `has the size ${odd}`)
  const size = sizeOf(shape)
  if (size > entriesMax) {
    refuse('tooLarge', place, `[${shape.join(',')}] has ${size} entries, the limit is ${entriesMax}`)
  }
  return size
}

/** A tensor from numbers that its kind can hold. */
export function tensorOf(dtype: OnnxDtype, shape: readonly number[], numbers: ArrayLike<number>): OnnxTensor {
  const data = createData(dtype, numbers.length)
  data.set(numbers)
  return { dtype, shape, data }
}

/** A number of 16 bits as it lies in memory: 1 sign, 5 exponent, 10 fraction. */
export function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** Little-endian entries without padding. */
export function readRaw(dtype: OnnxDtype, size: number, bytes: Uint8Array, place: string): NumberArray {
  const expected = size * kinds[dtype].bytes
  if (bytes.length !== expected) {
    refuse('malformed', place, `${size} entries of ${dtype} are ${expected} bytes, it has ${bytes.length}`)
  }
  const data = createData(dtype, size)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const entry = readerOf(dtype, view, place)
  for (let index = 0; index < size; index++) data[index] = entry(index)
  return data
}

function readerOf(dtype: OnnxDtype, view: DataView, place: string): (index: number) => number {
  switch (dtype) {
    case 'f32':
      return (index) => view.getFloat32(4 * index, true)
    case 'f64':
      return (index) => view.getFloat64(8 * index, true)
    case 'f16':
      return (index) => halfOf(view.getUint16(2 * index, true))
    case 'i64':
      return (index) => {
        const number = Number(view.getBigInt64(8 * index, true))
        return Number.isSafeInteger(number) ? number : refuse('unsupported', place, `has the entry ${number}`)
      }
    case 'i32':
      return (index) => view.getInt32(4 * index, true)
    case 'u32':
      return (index) => view.getUint32(4 * index, true)
    case 'i16':
      return (index) => view.getInt16(2 * index, true)
    case 'u16':
      return (index) => view.getUint16(2 * index, true)
    case 'i8':
      return (index) => view.getInt8(index)
    case 'u8':
    case 'bool':
      return (index) => view.getUint8(index)
  }
}
