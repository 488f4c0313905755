/** Entries moved and not changed: views copied with their innermost axes as plain loops, and tensors put end to end. */
import { createEntries, type Entries, sizeOf, stridesOf, type Tensor, type View, walk } from '@shardy/tensor'

/** The view's entries in its row-major order. */
export function copyView({ dtype, data }: Pick<Tensor, 'dtype' | 'data'>, view: View): Entries {
  const { shape, strides, offset } = view
  const entries = createEntries(dtype, sizeOf(shape))
  const inner = shape.at(-1) ?? 1
  const step = strides.at(-1) ?? 0
  walk(shape.slice(0, -1), (coordinates, row) => {
    let source = offset
    for (let axis = 0; axis < coordinates.length; axis++) {
      source += (coordinates[axis] ?? 0) * (strides[axis] ?? 0)
    }
    const target = row * inner
    if (step === 1) return entries.set(data.subarray(source, source + inner), target)
    for (let index = 0; index < inner; index++) entries[target + index] = data[source + index * step] ?? 0
  })
  return entries
}

export function concatenate(xs: readonly Tensor[], axis: number, shape: readonly number[]): Entries {
  const [first] = xs
  if (first === undefined) throw new RangeError('nothing to put end to end')
  const entries = createEntries(first.dtype, sizeOf(shape))
  const row = (stridesOf(shape)[axis] ?? 1) * (shape[axis] ?? 1)
  let before = 0
  for (const x of xs) {
    const length = sizeOf(x.shape.slice(axis))
    for (let from = 0, to = before; from < x.data.length; from += length, to += row) {
      entries.set(x.data.subarray(from, from + length), to)
    }
    before += length
  }
  return entries
}
