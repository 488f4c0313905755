/** D27: the same inputs on two fresh states give the same effects and the same states, also when the inputs were written down. */
import { expect, test } from 'bun:test'
import { defaultPolicy, type Effect, emptyState, type Input, step } from '../src/index.ts'
import { digestOfState } from './digest.ts'
import { sha256 } from './identity.ts'
import { inWords, secret } from './scene.ts'
import { simulate } from './simulation.ts'

const fresh = (policy = defaultPolicy) => emptyState({ policy, sha256, epoch: 1, secret })

function written(input: Input): Input {
  const text = JSON.stringify(input, (_, value) => {
    if (typeof value === 'bigint') return { $bigint: `${value}` }
    return value instanceof Uint8Array
      ? { $bytes: [...value] }
      : value === undefined
        ? { $none: true }
        : value
  })
  return JSON.parse(text, (_, value) => {
    if (value?.$bigint !== undefined) return BigInt(value.$bigint)
    return value?.$bytes === undefined ? value : Uint8Array.from(value.$bytes)
  })
}

/** JSON has no `undefined`; a field that was left out reads the same. */
function mended<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if ((value as { $none?: true }).$none) return undefined as T
  if (Array.isArray(value)) return value.map(mended) as T
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mended(inner)])) as T
}

const told = (effects: readonly Effect[]): readonly string[] =>
  effects.map((effect) => `${inWords(effect)} ${'deliveryId' in effect ? effect.deliveryId : ''}`)

test('the same inputs give the same effects and the same state, step by step', () => {
  for (let seed = 0; seed < 5; seed++) {
    const { inputs, policy } = simulate(seed, { restarts: false })
    const [first, second] = [fresh(policy), fresh(policy)]
    let count = 0
    for (const input of inputs) {
      const effects = told(step(first, input))
      expect(told(step(second, mended(written(input))))).toEqual([...effects])
      if (++count % 20 === 0) expect(digestOfState(second)).toBe(digestOfState(first))
    }
    expect(digestOfState(second)).toBe(digestOfState(first))
    expect(inputs.length).toBeGreaterThan(100)
  }
})

test('the digest of a state tells states apart', () => {
  const [first, second] = [fresh(), fresh()]
  expect(digestOfState(first)).toBe(digestOfState(second))
  step(second, { kind: 'operate', atMs: defaultPolicy.leaseMsMin as number as Input['atMs'], mode: 'paused' })
  expect(digestOfState(first)).not.toBe(digestOfState(second))
})
