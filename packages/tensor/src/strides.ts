/** Where entries lie (spec T3): row-major strides, and a walk over all coordinates of a shape in that order. */
import type { Shape } from './tensor.ts'

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
  const size = shape.reduce((product, extent) => product * extent, 1)
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
