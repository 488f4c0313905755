// Honest claims of random programs pass under every policy, claims with one wrong sum do not, and at the edges of what
// inference accepts an entry moved by p is still seen.
import { describe, expect, test } from 'bun:test'
import { type DeliveryId, type Digest, encodeHex, type TaskId, type WorkerId } from '@shardy/protocol'
import fc from 'fast-check'
import { type DrawnProgram, drawProgram } from '../../test/drawProgram.ts'
import { sha256 } from '../../test/sha256.ts'
import { checkModulus } from '../modulus.ts'
import { evaluateValues, joinOutputs } from '../program/evaluate.ts'
import { inferProgram, tryInferProgram } from '../program/inference.ts'
import { type Program, tensorType } from '../program/program.ts'
import { sizeOf, tensorBytes } from '../tensor.ts'
import { pureBits } from './bits.ts'
import type { Challenge } from './challenge.ts'
import { type CheckRequest, check } from './check.ts'
import { type Claim, commitToClaim, makeClaim } from './claim.ts'
import { decodePart, encodePart } from './part.ts'
import { planCheck } from './plan.ts'
import { type Policy, policies } from './policy.ts'
import { projectWeights } from './projection.ts'
import { pureTools } from './tools.ts'

const tools = pureTools(sha256)
const seed = new Uint8Array(32).fill(9)
const binding = {
  taskId: '01'.repeat(16) as TaskId,
  deliveryId: '02'.repeat(16) as DeliveryId,
  workerId: '03'.repeat(32) as WorkerId,
}
const challenges = {
  drawn: { kind: 'drawn', seed, after: 'commitment' },
  public: { kind: 'public', binding },
  none: { kind: 'none' },
} as const satisfies Readonly<Record<Policy['challenge'], Challenge>>

const all: readonly Policy[] = Object.values(policies).flatMap((policy) => [
  policy,
  ...(policy.repetitions === 0 ? [] : [{ ...policy, recomputeFactor: 0 }]),
])

function honestly({ program, input, blobs }: DrawnProgram, policy: Policy): Claim {
  const values = evaluateValues(program, input, blobs)
  const kept = new Map(values.map((tensor, index) => [index, tensorBytes(tensor)]))
  return makeClaim(program, policy, { output: joinOutputs(program, values), kept }, pureBits)
}

function requestOf({ program, input, blobs }: DrawnProgram, policy: Policy, claim: Claim): CheckRequest {
  const { parts } = planCheck(program, policy)
  const commitment = commitToClaim(parts, claim, sha256)
  const challenge = challenges[policy.challenge]
  const projections =
    policy.weights === 'kept' ? projectWeights(program, policy, blobs, seed, tools) : undefined
  return { program, input, blobs, policy, claim, commitment, challenge, projections }
}

const drawn = fc.gen().map((gen) => {
  const draw = (min: number, max: number) => gen(fc.integer, { min, max })
  return drawProgram(draw, {
    sha256,
    nodes: 6,
    among: ['matmul', 'conv2d', 'requantize', 'bias', 'relu', 'transpose'],
  })
})

test('the honest claim of any program passes under every policy', () => {
  fc.assert(
    fc.property(drawn, (one) => {
      for (const policy of all) {
        const verdict = check(requestOf(one, policy, honestly(one, policy)), tools)
        expect({ verdict, policy: policy.name }).toMatchObject({ verdict: { ok: true }, policy: policy.name })
      }
    }),
    { numRuns: 60 },
  )
})

test('a claim with one sum moved is refused at that sum’s node', () => {
  let forged = 0
  fc.assert(
    fc.property(
      drawn,
      fc.nat(),
      fc.nat(),
      fc.constantFrom(1, -1, 256, checkModulus, -checkModulus),
      (one, which, where, by) => {
        for (const policy of all) {
          const claim = honestly(one, policy)
          const { parts, keep } = planCheck(one.program, policy)
          if (parts.length === 0) continue
          const part = which % parts.length
          const count = sizeOf(inferProgram(one.program).values[keep[part] ?? 0]?.shape ?? [])
          const decoded = decodePart(claim.transcript[part] ?? new Uint8Array(0), count, pureBits)
          if (!decoded.ok) throw new Error(decoded.kind)
          const entry = where % count
          const moved = (decoded.values[entry] ?? 0) + by
          decoded.values[entry] = moved
          const transcript = claim.transcript.with(part, encodePart(decoded.values, pureBits))
          const verdict = check(requestOf(one, policy, { ...claim, transcript }), tools)
          expect(verdict).toMatchObject({ ok: false, node: parts[part] })
          forged += 1
        }
      },
    ),
    { numRuns: 60 },
  )
  expect(forged).toBeGreaterThan(30)
})

describe('at the widest sums that inference accepts', () => {
  const product = (dtype: 'i8' | 'u8', k: number, [m, n]: readonly [number, number]): Program => ({
    inputs: [tensorType(dtype, [m, k]), tensorType('i8', [k, n])],
    constants: [],
    nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: false }],
    outputs: [2],
  })

  const strict = { ...policies.interactive, recomputeFactor: 0 }
  test.each([
    ['i8', 65_793, -128, -128],
    ['i8', 65_793, -128, 127],
    ['u8', 33_025, 255, -128],
    ['u8', 33_025, 255, 127],
    ['u8', 33_025, 0, 127],
  ] as const)('%s, k = %d, all %d by all %d: any sum moved by p is out of range', (dtype, k, left, right) => {
    for (const shape of [
      [1, 2],
      [2, 1],
    ] as const) {
      const program = product(dtype, k, shape)
      const input = new Uint8Array(3 * k)
      const [aBytes] = [shape[0] * k]
      input.fill(left & 255, 0, aBytes).fill(right & 255, aBytes)
      const one = { program, input, blobs: new Map() }
      const claim = honestly(one, strict)
      expect(check(requestOf(one, strict, claim), tools).ok).toBe(true)
      const sum = left * right * k
      for (const by of [checkModulus, -checkModulus]) {
        const moved = sum + by
        if (moved < -(2 ** 31) || moved > 2 ** 31 - 1) continue
        const output = claim.output.slice()
        new DataView(output.buffer).setInt32(4, moved, true)
        const verdict = check(requestOf(one, strict, { ...claim, output }), tools)
        expect(verdict).toEqual({ ok: false, mechanism: 'range', node: 0, entry: 1 })
      }
    }
  })

  test.each([
    ['i8', 65_794],
    ['u8', 33_026],
  ] as const)(
    'one more than %s, k = %d would let C and C + p be the same: the program is refused',
    (dtype, k) => {
      const inference = tryInferProgram(product(dtype, k, [1, 1]))
      expect(inference.ok).toBe(false)
    },
  )
})

test('an output that arrives at an odd place in memory is read all the same', () => {
  const program: Program = {
    inputs: [tensorType('i8', [2, 3]), tensorType('i8', [3, 2])],
    constants: [],
    nodes: [
      { op: 'matmul', a: 0, b: 1, transposeB: false },
      { op: 'relu', x: 2 },
    ],
    outputs: [2, 3],
  }
  const policy = { ...policies.interactive, recomputeFactor: 0 }
  const one = { program, input: Uint8Array.of(1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 250), blobs: new Map() }
  const claim = honestly(one, policy)
  const output = new Uint8Array([0, ...claim.output]).subarray(1)
  expect(check(requestOf(one, policy, { ...claim, output }), tools).ok).toBe(true)
})

test('an input or blobs that do not fit are a bug of the caller', () => {
  const weights = new Uint8Array(4)
  const digest = encodeHex(sha256(weights)) as Digest
  const program: Program = {
    inputs: [tensorType('i8', [2, 2])],
    constants: [{ type: tensorType('i8', [2, 2]), digest }],
    nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: false }],
    outputs: [2],
  }
  const one = { program, input: new Uint8Array(4), blobs: new Map([[digest, weights]]) }
  const request = requestOf(one, policies.interactive, honestly(one, policies.interactive))
  expect(() => check({ ...request, input: new Uint8Array(3) }, tools)).toThrow('input')
  expect(() => check({ ...request, blobs: new Map() }, tools)).toThrow('constants[0]')
})

test('a projection with fewer vectors than the policy asks for is not used', () => {
  const weights = new Uint8Array(4)
  const digest = encodeHex(sha256(weights)) as Digest
  const program: Program = {
    inputs: [tensorType('i8', [2, 2])],
    constants: [{ type: tensorType('i8', [2, 2]), digest }],
    nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: false }],
    outputs: [2],
  }
  const policy = { ...policies.fixedWeights, recomputeFactor: 0 }
  const one = { program, input: new Uint8Array(4), blobs: new Map([[digest, weights]]) }
  const request = requestOf(one, policy, honestly(one, policy))
  const projections = projectWeights(program, { ...policy, repetitions: 1 }, one.blobs, seed, tools)
  expect(() => check({ ...request, projections }, tools)).toThrow('too weak')
})
