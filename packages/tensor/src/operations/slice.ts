/** T38: a box cut out of a tensor, every step-th entry along each axis. */
import { field, list, whole } from '@shardy/protocol'
import { operation } from '../operation.ts'
import { stridesOf, viewed } from '../strides.ts'
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
    const along = stridesOf(x.shape)
    let offset = 0
    for (const [axis, start] of starts.entries()) offset += start * (along[axis] ?? 0)
    const strides = along.map((stride, axis) => stride * (steps[axis] ?? 1))
    return { dtype, shape, data: viewed(x, { shape, offset, strides }) }
  },
})
