/** T39: tensors one after the other along an axis. */
import { field, whole } from '@shardy/protocol'
import { listOperation } from '../operation.ts'
import { stridesOf, walkView } from '../strides.ts'
import { createEntries, entryAt, sizeOf } from '../tensor.ts'
import { broken, describeType, joinRanges, rankMax, resultOf } from '../value.ts'

export const concat = listOperation({
  op: 'concat',
  attributes: { axis: field(8, whole(0, rankMax - 1)) },
  infer(xs, { axis }) {
    const [first, ...others] = xs
    if (first === undefined) return broken('xs is empty, expected one operand or more')
    if (axis >= first.shape.length) return broken(`axis is ${axis}, xs[0] is ${describeType(first)}`)
    for (const [index, x] of others.entries()) {
      const fits =
        x.dtype === first.dtype &&
        x.shape.length === first.shape.length &&
        x.shape.every((size, at) => at === axis || size === first.shape[at])
      if (!fits) {
        return broken(
          `xs[${index + 1}] is ${describeType(x)}, which differs from xs[0], ${describeType(first)}, in more than axis ${axis}`,
        )
      }
    }
    const size = xs.reduce((sum, x) => sum + (x.shape[axis] ?? 0), 0)
    return resultOf(first.dtype, first.shape.with(axis, size), xs.reduce(joinRanges, first))
  },
  evaluate(xs, { axis }, { dtype, shape }) {
    const strides = stridesOf(shape)
    const data = createEntries(dtype, sizeOf(shape))
    let before = 0
    for (const x of xs) {
      walkView({ shape: x.shape, offset: before * (strides[axis] ?? 0), strides }, (target, index) => {
        data[target] = entryAt(x.data, index)
      })
      before += x.shape[axis] ?? 0
    }
    return { dtype, shape, data }
  },
})
