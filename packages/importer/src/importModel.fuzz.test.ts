/** Broken models: whatever is done to the bytes of a good one, it is read and imported, or refused with a place and a reason. */
import { describe, expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import { drawer } from '../test/draw.ts'
import { goldens } from '../test/goldens.ts'
import { importModel, type OnnxModel, readModel } from './index.ts'

const rounds = 60

function assertRefused({ node, reason }: { readonly node: string; readonly reason: string }): void {
  expect(node.length).toBeGreaterThan(0)
  expect(reason.length).toBeGreaterThan(0)
}

/** Reads and imports, with and without samples; anything that is thrown fails the test. */
function digest(model: OnnxModel, data: Float32Array): void {
  for (const calibration of [undefined, { data }]) {
    const result = importModel(model, { sha256, ...(calibration !== undefined && { calibration }) })
    if (!result.ok) assertRefused(result.refusal)
  }
}

function samplesOf(golden: (typeof goldens)[number]): Float32Array {
  const [first] = golden.samples
  return Float32Array.from([...(first?.inputs.values() ?? [])].flatMap(({ data }) => Array.from(data)))
}

describe('changed bytes', () => {
  for (const [seed, golden] of goldens.entries()) {
    test(golden.name, () => {
      const draw = drawer(seed)
      const data = samplesOf(golden)
      for (let round = 0; round < rounds; round++) {
        const bytes = golden.bytes.slice()
        for (let change = draw() % 4; change >= 0; change--) bytes[draw() % bytes.length] = draw() % 256
        const read = readModel(bytes)
        if (read.ok) digest(read.value, data)
        else assertRefused(read.refusal)
      }
    })
  }
})

/** Well-formed files that say something else: this reaches further than changed bytes do. */
describe('changed meaning', () => {
  for (const [seed, golden] of goldens.entries()) {
    test(golden.name, () => {
      const draw = drawer(1000 + seed)
      const data = samplesOf(golden)
      const pick = <T>(list: readonly T[]): T => list[draw() % list.length] as T
      const numbers = [-1, 0, 1, 2, 3, 7, 255, 65_535, 65_536, 2 ** 31, -(2 ** 40)]
      const reals = [...numbers, Number.NaN, Number.POSITIVE_INFINITY, 1e-40, -3e38, 0.1]
      const { model } = golden
      const names = [
        ...model.nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]),
        ...model.initializers.keys(),
      ]
      const ops = goldens.flatMap((other) => other.model.nodes.map(({ op }) => op))
      for (let round = 0; round < rounds; round++) {
        const nodes = model.nodes.map((node) => {
          if (draw() % 2 === 0) return node
          const inputs = node.inputs.map((name) => (draw() % 4 === 0 ? pick(names) : name))
          const attributes = new Map(node.attributes)
          for (const [name, attribute] of attributes) {
            if (draw() % 3 > 0) continue
            if (attribute.kind === 'int') attributes.set(name, { kind: 'int', value: pick(numbers) })
            if (attribute.kind === 'float') attributes.set(name, { kind: 'float', value: pick(reals) })
            if (attribute.kind !== 'ints') continue
            const value = attribute.value.map((own) => (draw() % 2 === 0 ? pick(numbers) : own))
            attributes.set(name, { kind: 'ints', value: draw() % 4 === 0 ? value.slice(1) : value })
          }
          return { ...node, inputs, attributes, op: draw() % 4 === 0 ? pick(ops) : node.op }
        })
        const initializers = new Map(model.initializers)
        for (const [name, tensor] of initializers) {
          const change = draw() % 6
          if (change === 0) initializers.delete(name)
          if (change === 1) initializers.set(name, { ...tensor, shape: tensor.shape.toReversed() })
          if (change === 2)
            initializers.set(name, {
              ...tensor,
              data: tensor.data.map((own) => (draw() % 4 === 0 ? pick(reals) : own)),
            })
        }
        digest({ ...model, nodes, initializers }, data)
      }
    })
  }
})
