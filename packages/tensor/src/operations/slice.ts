/** T32: a box cut out of a tensor, every step-th entry along each axis. */
import { field, list, whole } from '@shardy/protocol'
import { operation } from '../operation.ts'
import { stridesOf, walk } from '../strides.ts'
import { createEntries, entryAt, sizeOf } from '../tensor.ts'
import { broken, describeType, rankMax, resultOf } from '../value.ts'

const sizeMax = 2 ** 31 - 1

export const slice = operation({
  op: 'slice',
  operands: ['x'],
  attributes: {
    /** One for each axis. */
    starts: field(8, list(whole(0, sizeMax), rankMax)),
    sizes: field(9, list(whole(1, sizeMax), rankMax)),
    steps: field(10, list(whole(1, sizeMax), rankMax)),
  },
  infer([x], { starts, sizes, steps }) {
    const rank = x.shape.length
    for (const [name, given] of Object.entries({ starts, sizes, steps })) {
      if (given.length !== rank) {
        return broken(`${name} has ${given.length} numbers, x is ${describeType(x)}`)
      }
    }
    for (const [axis, extent] of x.shape.entries()) {
      const last = (starts[axis] ?? 0) + ((sizes[axis] ?? 1) - 1) * (steps[axis] ?? 1)
      if (last >= extent) return broken(`axis ${axis} would be read up to ${last}, x is ${describeType(x)}`)
    }
    return resultOf(x.dtype, sizes, x)
  },
  evaluate([x], { starts, steps }, { dtype, shape }) {
    const strides = stridesOf(x.shape)
    const data = createEntries(dtype, sizeOf(shape))
    walk(shape, (coordinates, index) => {
      let source = 0
      for (const [axis, coordinate] of coordinates.entries()) {
        source += ((starts[axis] ?? 0) + coordinate * (steps[axis] ?? 1)) * (strides[axis] ?? 0)
      }
      data[index] = entryAt(x.data, source)
    })
    return { dtype, shape, data }
  },
})
