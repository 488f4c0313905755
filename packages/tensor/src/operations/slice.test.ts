import { expect, test } from 'bun:test'
import { infer, refusal, run, tensor, value } from '../../test/alone.ts'

const x = tensor(
  'i8',
  [3, 4],
  Array.from({ length: 12 }, (_, index) => index),
)

test('cuts a box out, every step-th entry', () => {
  const box = { starts: [1, 0], sizes: [2, 2], steps: [1, 3] }
  expect(run('slice', box, x)).toEqual(tensor('i8', [2, 2], [4, 7, 8, 11]))
  const all = { starts: [0, 0], sizes: [3, 4], steps: [1, 1] }
  expect(run('slice', all, x)).toEqual(x)
  const corner = { starts: [2, 3], sizes: [1, 1], steps: [9, 9] }
  expect(run('slice', corner, x)).toEqual(tensor('i8', [1, 1], [11]))
})

test('the interval is that of x', () => {
  const box = { starts: [1], sizes: [2], steps: [1] }
  expect(infer('slice', box, value('u8', [4], { min: 3, max: 9 }))).toEqual(
    value('u8', [2], { min: 3, max: 9 }),
  )
})

const whole = { starts: [0, 0], sizes: [3, 4], steps: [1, 1] }
const huge = 2 ** 31 - 1
const refused = [
  { box: { starts: [0] }, says: 'starts has 1 numbers, x is i8[3,4]' },
  { box: { sizes: [] }, says: 'sizes has 0 numbers, x is i8[3,4]' },
  { box: { steps: [1, 1, 1] }, says: 'steps has 3 numbers, x is i8[3,4]' },
  { box: { starts: [1, 0] }, says: 'axis 0 would be read up to 3, x is i8[3,4]' },
  { box: { sizes: [3, 3], steps: [1, 2] }, says: 'axis 1 would be read up to 4, x is i8[3,4]' },
  {
    box: { starts: [0, huge], sizes: [1, huge], steps: [1, huge] },
    says: 'axis 1 would be read up to 4611686014132420600, x is i8[3,4]',
  },
]
for (const { box, says } of refused) {
  test(`refuses: ${says}`, () =>
    expect(refusal('slice', { ...whole, ...box }, value('i8', [3, 4]))).toBe(says))
}
