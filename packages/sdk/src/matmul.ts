/** The matrix product in a requester's terms: two int8 matrices in, one int32 matrix out. */
import type { MatmulShape } from '@shardy/tensor'

export type Entries = Int8Array | Uint8Array

/** A then B, row by row, one byte each: what a `matmul` program takes. */
export function matmulInput({ m, k, n }: MatmulShape, a: Entries, b: Entries): Uint8Array<ArrayBuffer> {
  const wanted = [
    ['a', a, m, k],
    ['b', b, k, n],
  ] as const
  for (const [name, entries, rows, columns] of wanted) {
    if (entries.length === rows * columns) continue
    throw new RangeError(
      `${name} has ${entries.length} entries; ${rows} × ${columns} takes ${rows * columns}`,
    )
  }
  const input = new Uint8Array(m * k + k * n)
  input.set(new Uint8Array(a.buffer, a.byteOffset, a.length))
  input.set(new Uint8Array(b.buffer, b.byteOffset, b.length), a.length)
  return input
}

/** C row by row, whatever the host's byte order. */
export function matmulOutput(
  { m, n }: Pick<MatmulShape, 'm' | 'n'> & Partial<MatmulShape>,
  output: Uint8Array,
): Int32Array<ArrayBuffer> {
  if (output.length !== 4 * m * n) {
    throw new RangeError(`the output has ${output.length} bytes, not ${4 * m * n}`)
  }
  const view = new DataView(output.buffer, output.byteOffset, output.length)
  return Int32Array.from({ length: output.length / 4 }, (_, index) => view.getInt32(4 * index, true))
}
