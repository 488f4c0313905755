import { expect, test } from 'bun:test'
import { refusal, run, tensor, value } from '../../test/alone.ts'

const x = tensor('i8', [2, 3], [1, 2, 3, 4, 5, 6])

test('axis i of the result is axis permutation[i] of x', () => {
  expect(run('transpose', { permutation: [1, 0] }, x)).toEqual(tensor('i8', [3, 2], [1, 4, 2, 5, 3, 6]))
  expect(run('transpose', { permutation: [0, 1] }, x)).toEqual(x)
  const cube = tensor('u8', [2, 1, 3], [1, 2, 3, 4, 5, 6])
  expect(run('transpose', { permutation: [2, 0, 1] }, cube)).toEqual(
    tensor('u8', [3, 2, 1], [1, 4, 2, 5, 3, 6]),
  )
})

const orders = [[], [0], [0, 0], [1, 2], [0, 1, 2]]
for (const permutation of orders) {
  test(`refuses [${permutation}]`, () => {
    expect(refusal('transpose', { permutation }, value('i8', [2, 3]))).toBe(
      `[${permutation}] is no order of the axes of x, i8[2,3]`,
    )
  })
}
