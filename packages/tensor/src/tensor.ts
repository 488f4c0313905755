/**
 * Tensors as data: a kind of integer, a shape, and the entries in row-major order (spec T2, T3). Bytes on the wire and
 * on disk are little-endian without padding, whatever the host's own order is.
 */
export const dtypes = ['i8', 'u8', 'i32', 'u32'] as const
export type Dtype = (typeof dtypes)[number]

export type Entries = Int8Array | Uint8Array | Int32Array | Uint32Array
export type Shape = readonly number[]

export interface Tensor {
  readonly dtype: Dtype
  readonly shape: Shape
  readonly data: Entries
}

interface DtypeFacts {
  readonly bytes: 1 | 4
  readonly min: number
  readonly max: number
}

export const dtypeFacts: Readonly<Record<Dtype, DtypeFacts>> = {
  i8: { bytes: 1, min: -128, max: 127 },
  u8: { bytes: 1, min: 0, max: 255 },
  i32: { bytes: 4, min: -(2 ** 31), max: 2 ** 31 - 1 },
  u32: { bytes: 4, min: 0, max: 2 ** 32 - 1 },
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1)
}

export function byteLengthOf({ dtype, shape }: { readonly dtype: Dtype; readonly shape: Shape }): number {
  return dtypeFacts[dtype].bytes * sizeOf(shape)
}

/** Entries, all zero. */
export function createEntries(dtype: Dtype, size: number): Entries {
  switch (dtype) {
    case 'i8':
      return new Int8Array(size)
    case 'u8':
      return new Uint8Array(size)
    case 'i32':
      return new Int32Array(size)
    case 'u32':
      return new Uint32Array(size)
  }
}

/** Each entry's image, as another kind of integer. */
export function mapEntries(
  data: Entries,
  dtype: Dtype,
  image: (entry: number, index: number) => number,
): Entries {
  const entries = createEntries(dtype, data.length)
  data.forEach((entry, index) => {
    entries[index] = image(entry, index)
  })
  return entries
}

/** The entry at an index that must exist: reading beside a tensor is a bug, never a zero. */
export function entryAt(data: Entries, index: number): number {
  const value = data[index]
  if (value === undefined) throw new RangeError(`there is no entry ${index} among ${data.length}`)
  return value
}

/** Node's `Buffer` has a `slice` that does not copy. */
const copyBytes = Uint8Array.prototype.slice

const hostIsLittleEndian = new Uint8Array(Int32Array.of(1).buffer)[0] === 1

/** The tensor's bytes. They may share memory with it: whoever wants to keep them apart copies. */
export function tensorBytes({ data }: Pick<Tensor, 'data'>): Uint8Array {
  if (data.BYTES_PER_ELEMENT === 1 || hostIsLittleEndian) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  }
  const bytes = new Uint8Array(data.byteLength)
  const view = new DataView(bytes.buffer)
  data.forEach((entry, index) => {
    view.setInt32(4 * index, entry, true)
  })
  return bytes
}

/** The tensor that these bytes are. It shares their memory where order and alignment allow. */
export function tensorFromBytes(
  { dtype, shape }: { readonly dtype: Dtype; readonly shape: Shape },
  bytes: Uint8Array,
): Tensor {
  const size = sizeOf(shape)
  const { buffer, byteOffset, byteLength } = bytes
  if (byteLength !== dtypeFacts[dtype].bytes * size) {
    throw new RangeError(`${byteLength} bytes are not ${size} entries of ${dtype}`)
  }
  if (dtype === 'i8') return { dtype, shape, data: new Int8Array(buffer, byteOffset, size) }
  if (dtype === 'u8') return { dtype, shape, data: bytes }
  if (hostIsLittleEndian) {
    const aligned = byteOffset % 4 === 0 ? bytes : copyBytes.call(bytes)
    const data =
      dtype === 'i32'
        ? new Int32Array(aligned.buffer, aligned.byteOffset, size)
        : new Uint32Array(aligned.buffer, aligned.byteOffset, size)
    return { dtype, shape, data }
  }
  const data = createEntries(dtype, size)
  const view = new DataView(buffer, byteOffset, byteLength)
  for (let index = 0; index < size; index++) data[index] = view.getInt32(4 * index, true)
  return { dtype, shape, data }
}
