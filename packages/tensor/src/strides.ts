/**
 * Where entries lie (spec T3): row-major strides, a walk over all coordinates of a shape in that order, and views, which
 * read another tensor's entries in an order of their own.
 */
import { createEntries, type Entries, entryAt, type Shape, sizeOf, type Tensor } from './tensor.ts'

export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis] ?? 1
  }
  return strides
}

/** The coordinates are one array that changes from call to call. */
export function walk(shape: Shape, visit: (coordinates: readonly number[], index: number) => void): void {
  const coordinates = shape.map(() => 0)
  const size = sizeOf(shape)
  for (let index = 0; index < size; index++) {
    visit(coordinates, index)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (coordinates[axis] ?? 0) + 1
      coordinates[axis] = next
      if (next < (shape[axis] ?? 1)) break
      coordinates[axis] = 0
    }
  }
}

/** The entry at coordinates c lies at offset + Σ c · stride of the source; a stride of 0 repeats along its axis. */
export interface View {
  readonly shape: Shape
  readonly offset: number
  readonly strides: readonly number[]
}

/** Where in its source each entry of the view lies, in the view's row-major order. */
export function walkView(
  { shape, offset, strides }: View,
  visit: (source: number, index: number) => void,
): void {
  walk(shape, (coordinates, index) => {
    let source = offset
    for (let axis = 0; axis < coordinates.length; axis++) {
      source += (coordinates[axis] ?? 0) * (strides[axis] ?? 0)
    }
    visit(source, index)
  })
}

/** A view's entries, copied. */
export function viewed({ dtype, data }: Tensor, view: View): Entries {
  const entries = createEntries(dtype, sizeOf(view.shape))
  walkView(view, (source, index) => {
    entries[index] = entryAt(data, source)
  })
  return entries
}
