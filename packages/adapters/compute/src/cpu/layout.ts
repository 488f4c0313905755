/**
 * Entries moved and not changed: views copied with their innermost axes as plain loops, tensors put end to end, and rows
 * read from a table.
 */
import { createEntries, type Entries, sizeOf, stridesOf, type Tensor, type View } from '@shardy/tensor'
import { inSteps, type Steps, stretch } from './steps.ts'

/** Fewer entries than these are copied faster one by one than by a call that copies memory. */
const blockMin = 32

/** Entries `step` apart, put side by side. */
export function copyRun(
  target: Entries,
  to: number,
  source: Entries,
  from: number,
  length: number,
  step: number,
): void {
  if (step === 1 && length >= blockMin) return target.set(source.subarray(from, from + length), to)
  for (let index = 0; index < length; index++) target[to + index] = source[from + index * step] ?? 0
}

/** The view's entries in its row-major order. */
export function* copyView({ dtype, data }: Pick<Tensor, 'dtype' | 'data'>, view: View): Steps {
  const { shape, strides, offset } = view
  const entries = createEntries(dtype, sizeOf(shape))
  const inner = shape.at(-1) ?? 1
  const step = strides.at(-1) ?? 0
  const coordinates = shape.map(() => 0)
  let source = offset
  let inRow = 0

  /** To the next row: the coordinates count up, and the source moves with them. */
  function advance(): void {
    inRow = 0
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      const [size, stride, next] = [shape[axis] ?? 1, strides[axis] ?? 0, (coordinates[axis] ?? 0) + 1]
      source += stride
      coordinates[axis] = next
      if (next < size) return
      coordinates[axis] = 0
      source -= size * stride
    }
  }

  yield* inSteps(entries.length, (start, end) => {
    for (let to = start; to < end; ) {
      const length = Math.min(inner - inRow, end - to)
      copyRun(entries, to, data, source + inRow * step, length, step)
      to += length
      inRow += length
      if (inRow === inner) advance()
    }
  })
  return entries
}

export function* concatenate(xs: readonly Tensor[], axis: number, shape: readonly number[]): Steps {
  const [first] = xs
  if (first === undefined) throw new RangeError('nothing to put end to end')
  const entries = createEntries(first.dtype, sizeOf(shape))
  const row = (stridesOf(shape)[axis] ?? 1) * (shape[axis] ?? 1)
  let before = 0
  for (const { data, shape: own } of xs) {
    const length = sizeOf(own.slice(axis))
    const place = before
    const copying = inSteps(data.length, (start, end) => {
      for (let from = start; from < end; ) {
        const index = Math.floor(from / length)
        const inRow = from - index * length
        const count = Math.min(length - inRow, end - from)
        copyRun(entries, index * row + place + inRow, data, from, count, 1)
        from += count
      }
    })
    before += length
    yield* stretch(copying, place / row, before / row)
    yield before / row
  }
  return entries
}

/** Rows of a table in the order of indices. */
export function* gatherRows({ data: table, dtype, shape }: Tensor, { data: indices }: Tensor): Steps {
  const length = sizeOf(shape.slice(1))
  const entries = createEntries(dtype, indices.length * length)
  yield* inSteps(entries.length, (start, end) => {
    for (let to = start; to < end; ) {
      const index = Math.floor(to / length)
      const inRow = to - index * length
      const count = Math.min(length - inRow, end - to)
      copyRun(entries, to, table, (indices[index] ?? 0) * length + inRow, count, 1)
      to += count
    }
  })
  return entries
}
