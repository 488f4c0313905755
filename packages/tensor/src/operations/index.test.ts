import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { firstAttribute } from '../operation.ts'
import { heavyOperations, operationNames, operations } from './index.ts'

/** In the order of their numbers, which no change may touch (spec T10). */
const numbered =
  'matmul conv2d bias requantize requantizeChannels add subtract multiply relu clamp lookup softmax rmsNorm layerNorm ' +
  'rotary gather transpose reshape slice concat maxPool averagePool argmax topK ema convert'

test('operations keep their numbers', () => {
  expect(operationNames.join(' ')).toBe(numbered)
})

test('an operation goes by the name that the table gives it', () => {
  for (const name of operationNames) expect<string>(operations[name].op).toBe(name)
})

test('attributes are numbered after all operands', () => {
  for (const name of operationNames) {
    const { fields } = operations[name].message
    const first = fields.findIndex(({ number }) => number >= firstAttribute)
    const operandCount = first < 0 ? fields.length : first
    expect(fields.slice(0, operandCount).map(({ number }) => number)).toEqual(
      Array.from({ length: operandCount }, (_, index) => index + 1),
    )
  }
})

test('those that are checked instead of replayed are sums of products', () => {
  expect([...heavyOperations]).toEqual(['matmul', 'conv2d'])
})

const spec = readFileSync(path.join(import.meta.dir, '../../../../docs/spec/tensor.md'), 'utf8')
test('each has its rule in the specification, nineteen after its number', () => {
  const lacking = operationNames.filter((name, index) => !spec.includes(`**T${index + 20}. \`${name}\`**`))
  expect(lacking).toEqual([])
})
