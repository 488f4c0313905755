/** What a stranger may send for a Groth16 proof, its JSON or its key, beyond what every proof system's suite has. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { readElement, writeElement } from '../src/bn254/bytes.ts'
import {
  baseOrder,
  fieldOrder,
  groth16,
  openVerifier,
  parseVerifyingKey,
  proofFromJson,
  proofFromText,
  proofToJson,
  type RefusalCode,
  type Statement,
  signalsFromJson,
  type Verdict,
} from '../src/index.ts'
import { cofactor, type Point, timesPoint } from './reference.ts'
import { rerandomize } from './rerandomize.ts'
import { twistPoint } from './twist.ts'
import { openV2Verifier, otherKeyJson, proveV2, v2KeyJson } from './v2.ts'

const verifier = await openV2Verifier()
const statements = (await proveV2(3)) as readonly [Statement, Statement, Statement]
const [first, second, third] = statements

const codeOf = (outcome: Verdict | { readonly ok: true }): RefusalCode | 'ok' =>
  outcome.ok ? 'ok' : (outcome as Exclude<Verdict, { ok: true }>).refusal.code

function everywhere(proof: Uint8Array, signals = first.signals): RefusalCode | 'ok' {
  const alone = codeOf(verifier.verify(proof, signals))
  const [one, inBatch, two] = verifier.verifyBatch([second, { proof, signals }, third]).map(codeOf)
  expect([one, inBatch, two]).toEqual(['ok', alone, 'ok'])
  return alone
}

/** With the elements from `index` on replaced. */
function withElements(index: number, ...values: readonly bigint[]): Uint8Array {
  const proof = first.proof.slice()
  for (const [offset, value] of values.entries()) writeElement(proof, 32 * (index + offset), value)
  return proof
}

const element = (index: number): bigint => readElement(first.proof, 32 * index)
const swap = (one: number, other: number, length: number): Uint8Array => {
  const proof = first.proof.slice()
  proof.set(first.proof.subarray(32 * one, 32 * (one + length)), 32 * other)
  proof.set(first.proof.subarray(32 * other, 32 * (other + length)), 32 * one)
  return proof
}

describe('points', () => {
  test('off the curve', () => {
    for (const index of [0, 1, 6, 7])
      expect(everywhere(withElements(index, element(index) ^ 1n))).toBe('offCurve')
    for (const index of [2, 3, 4, 5])
      expect(everywhere(withElements(index, element(index) ^ 1n))).toBe('offCurve')
    // On another curve y² = x³ + b, where discrete logarithms may be easy.
    expect(everywhere(withElements(0, 1n, 1n))).toBe('offCurve')
    expect(everywhere(withElements(6, 0n, 1n))).toBe('offCurve')
  })

  test('on the twisted curve and outside the subgroup', () => {
    for (let index = 1; index <= 8; index++) {
      const [x, y] = twistPoint(BigInt(index))
      expect(everywhere(withElements(2, x[1], x[0], y[1], y[0]))).toBe('wrongSubgroup')
    }
  })

  test('of small order, by which loops and sums may stumble', () => {
    const withPoint = (point: Point): Uint8Array => {
      if (point === undefined) throw new Error('the point is at infinity')
      const [x, y] = point
      return withElements(2, x[1], x[0], y[1], y[0])
    }
    // The primes below 2^32 that divide the cofactor, each alone and together.
    for (const order of [10_069n, 5_864_401n, 10_069n * 5_864_401n]) {
      expect(cofactor % order).toBe(0n)
      const small = timesPoint(twistPoint(3n), (cofactor / order) * fieldOrder)
      expect(timesPoint(small, order)).toBeUndefined()
      expect(everywhere(withPoint(small))).toBe('wrongSubgroup')
    }
    // Of the subgroup's order, and shifted out of the subgroup by a point of small order.
    const inside = timesPoint(twistPoint(3n), cofactor)
    expect(timesPoint(inside, fieldOrder)).toBeUndefined()
    expect(everywhere(withPoint(inside))).toBe('false')
    expect(everywhere(withPoint(timesPoint(twistPoint(3n), cofactor / 10_069n)))).toBe('wrongSubgroup')
  })

  test('at infinity, which is written with zeros', () => {
    expect(everywhere(withElements(0, 0n, 0n))).toBe('infinity')
    expect(everywhere(withElements(2, 0n, 0n, 0n, 0n))).toBe('infinity')
    expect(everywhere(withElements(6, 0n, 0n))).toBe('infinity')
    expect(everywhere(new Uint8Array(256))).toBe('infinity')
  })

  test('with a coordinate that is not below the modulus, equal to the right one or not', () => {
    for (let index = 0; index < 8; index++)
      for (const value of [element(index) + baseOrder, baseOrder, 2n ** 256n - 1n])
        expect(everywhere(withElements(index, value))).toBe('nonCanonical')
  })

  test('that have changed places, or their parts', () => {
    expect(everywhere(swap(0, 6, 2))).toBe('false')
    expect(everywhere(swap(0, 1, 1))).toBe('offCurve')
    expect(everywhere(swap(2, 3, 1))).toBe('offCurve')
    expect(everywhere(swap(2, 4, 2))).toBe('offCurve')
  })

  test('that are negated: valid points, another statement', () => {
    for (const y of [1, 7]) expect(everywhere(withElements(y, baseOrder - element(y)))).toBe('false')
    expect(everywhere(withElements(4, baseOrder - element(4), baseOrder - element(5)))).toBe('false')
  })
})

describe('statements', () => {
  test('of another task, seed, length or digest', () => {
    for (let index = 0; index < 4; index++)
      expect(everywhere(first.proof, first.signals.with(index, second.signals[index] as bigint))).toBe(
        'false',
      )
    expect(everywhere(first.proof, second.signals)).toBe('false')
  })

  test('whose signals have changed places, though their sum is the same', () => {
    const [taskId, seed, length, digest] = first.signals as [bigint, bigint, bigint, bigint]
    expect(everywhere(first.proof, [seed, taskId, length, digest])).toBe('false')
    expect(everywhere(first.proof, [taskId + 1n, seed - 1n, length, digest])).toBe('false')
  })

  test('of another key', async () => {
    const other = await openV2Verifier(otherKeyJson())
    expect(codeOf(other.verify(first.proof, first.signals))).toBe('false')
    expect(other.verifyBatch([first, second]).map(codeOf)).toEqual(['false', 'false'])
  })
})

describe('a proof', () => {
  test('can be turned into others by anyone: nothing may be keyed on its bytes', () => {
    const others = [2n, 3n, 0x1234_5678_9abc_def0n].map((z) => rerandomize(first.proof, z))
    for (const other of others) {
      expect(other).not.toEqual(first.proof)
      expect(everywhere(other)).toBe('ok')
      expect(everywhere(other, second.signals)).toBe('false')
    }
  })

  test('that is false in a batch by just as much as another one makes good is found', () => {
    // Each has the other's C: the product of both equations holds, and only the weights tell them apart.
    const cancelled = [first, second].map(({ proof, signals }, index) => {
      const moved = proof.slice()
      moved.set((index === 0 ? second : first).proof.subarray(192), 192)
      return { proof: moved, signals }
    })
    expect(verifier.verifyBatch(cancelled).map(codeOf)).toEqual(['false', 'false'])
    expect(verifier.verifyBatch([third, ...cancelled, third]).map(codeOf)).toEqual([
      'ok',
      'false',
      'false',
      'ok',
    ])
  })

  test('may be bad in any number and place of a long batch', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(79), { maxLength: 6 }), (places) => {
        const items = Array.from({ length: 80 }, (_, index) =>
          places.includes(index)
            ? { proof: first.proof, signals: third.signals }
            : (statements[index % 3] as Statement),
        )
        const found = verifier.verifyBatch(items).flatMap((verdict, index) => (verdict.ok ? [] : [index]))
        expect(found).toEqual(places.toSorted((one, other) => one - other))
      }),
      { numRuns: 6 },
    )
  }, 60_000)
})

describe('JSON', () => {
  const shown = proofToJson(first.proof)
  if (!shown.ok) throw new Error(shown.refusal.detail)
  const json = shown.value
  const text = JSON.stringify(json)
  const [x, y] = json.pi_a

  test('truncated anywhere, or too long', () => {
    expect(proofFromText(text)).toEqual({ ok: true, value: first.proof })
    for (let length = 0; length < text.length; length += 7)
      expect(codeOf(proofFromText(text.slice(0, length)))).toBe('malformed')
    expect(codeOf(proofFromText(`${text}${' '.repeat(5_000)}`))).toBe('malformed')
    expect(codeOf(proofFromText('['.repeat(4_000)))).toBe('malformed')
  })

  test('with numbers written in another way', () => {
    for (const wrong of [`0${x}`, '00', '01'])
      expect(codeOf(proofFromJson({ ...json, pi_a: [wrong, y, '1'] }))).toBe('nonCanonical')
    for (const wrong of [
      `+${x}`,
      `-${x}`,
      ` ${x}`,
      `${x} `,
      `${x}\n`,
      `${x}n`,
      '0x1',
      '1e3',
      '1.0',
      '',
      '1_0',
      '١',
      Number(x),
      1,
      null,
      [x],
    ])
      expect(codeOf(proofFromJson({ ...json, pi_a: [wrong, y, '1'] }))).toBe('malformed')
    expect(codeOf(proofFromJson({ ...json, pi_a: ['9'.repeat(79), y, '1'] }))).toBe('malformed')
    expect(codeOf(proofFromJson({ ...json, pi_a: [String(BigInt(x) + baseOrder), y, '1'] }))).toBe(
      'nonCanonical',
    )
    expect(codeOf(proofFromJson({ ...json, pi_a: [String(baseOrder), y, '1'] }))).toBe('nonCanonical')
  })

  test('with another Z, infinity among them', () => {
    expect(codeOf(proofFromJson({ ...json, pi_a: ['0', '1', '0'] }))).toBe('infinity')
    expect(codeOf(proofFromJson({ ...json, pi_b: [json.pi_b[0], json.pi_b[1], ['0', '0']] }))).toBe(
      'infinity',
    )
    for (const z of ['2', '01', 1, null])
      expect(codeOf(proofFromJson({ ...json, pi_a: [x, y, z] }))).toBe('malformed')
    expect(codeOf(proofFromJson({ ...json, pi_b: [json.pi_b[0], json.pi_b[1], ['0', '1']] }))).toBe(
      'malformed',
    )
  })

  test('with fields that have changed places, or lists of other lengths', () => {
    expect(codeOf(proofFromJson({ ...json, pi_a: json.pi_b }))).toBe('malformed')
    expect(codeOf(proofFromJson({ ...json, pi_b: json.pi_a }))).toBe('malformed')
    for (const wrong of [[], [x], [x, y], [x, y, '1', '1']])
      expect(codeOf(proofFromJson({ ...json, pi_a: wrong }))).toBe('malformed')
    const swapped = proofFromJson({ ...json, pi_a: json.pi_c, pi_c: json.pi_a })
    if (!swapped.ok) throw new Error(swapped.refusal.detail)
    expect(everywhere(swapped.value)).toBe('false')
  })

  test('of signals: strict in the same way', () => {
    expect(signalsFromJson(['0', '5'])).toEqual({ ok: true, value: [0n, 5n] })
    for (const wrong of [null, {}, 'x', [1], ['-1'], ['0x1'], [['1']], [null]])
      expect(codeOf(signalsFromJson(wrong) as Verdict)).toBe('malformed')
    for (const wrong of [['01'], [String(2n ** 254n)]])
      expect(codeOf(signalsFromJson(wrong) as Verdict)).toBe('nonCanonical')
    expect(codeOf(signalsFromJson(Array(65).fill('1')) as Verdict)).toBe('signalCount')
  })
})

describe('a proof in bytes', () => {
  test('has JSON only where JSON would give it back', () => {
    expect(codeOf(groth16.proofToJson(first.proof.slice(1)) as Verdict)).toBe('malformed')
    expect(codeOf(groth16.proofToJson(withElements(0, 0n, 0n)) as Verdict)).toBe('infinity')
    expect(codeOf(groth16.proofToJson(withElements(3, baseOrder)) as Verdict)).toBe('nonCanonical')
  })
})

describe('a key', () => {
  const key = v2KeyJson()
  const points = key.IC as readonly unknown[]

  async function codeOfKey(json: unknown): Promise<RefusalCode | 'ok'> {
    const parsed = parseVerifyingKey(json)
    return parsed.ok ? codeOf((await openVerifier(parsed.value)) as Verdict) : parsed.refusal.code
  }

  test('with other counts', async () => {
    for (const nPublic of [3, 5, 0, -1, 4.5, '4', 65, null, undefined])
      expect(await codeOfKey({ ...key, nPublic })).toBe('signalCount')
    expect(await codeOfKey({ ...key, IC: points.slice(1) })).toBe('signalCount')
    expect(await codeOfKey({ ...key, IC: [...points, points[0]] })).toBe('signalCount')
    expect(await codeOfKey({ ...key, IC: undefined })).toBe('malformed')
  })

  test('with objects that cannot be shown as text', async () => {
    const mute: unknown = JSON.parse('{"toString":1,"valueOf":1}')
    expect(await codeOfKey({ ...key, protocol: mute })).toBe('wrongSystem')
    expect(await codeOfKey({ ...key, curve: mute })).toBe('wrongCurve')
    expect(await codeOfKey({ ...key, nPublic: mute })).toBe('signalCount')
    expect(await codeOfKey({ ...key, vk_alpha_1: mute })).toBe('malformed')
  })

  test('with points that are none of the group', async () => {
    const [x, y] = twistPoint(2n)
    const stray = [x.map(String), y.map(String), ['1', '0']]
    for (const field of ['vk_beta_2', 'vk_gamma_2', 'vk_delta_2']) {
      expect(await codeOfKey({ ...key, [field]: stray })).toBe('wrongSubgroup')
      expect(
        await codeOfKey({
          ...key,
          [field]: [
            ['1', '2'],
            ['3', '4'],
            ['1', '0'],
          ],
        }),
      ).toBe('offCurve')
      expect(
        await codeOfKey({
          ...key,
          [field]: [
            ['0', '0'],
            ['1', '0'],
            ['0', '0'],
          ],
        }),
      ).toBe('infinity')
      expect(await codeOfKey({ ...key, [field]: undefined })).toBe('malformed')
    }
    expect(await codeOfKey({ ...key, vk_alpha_1: ['1', '3', '1'] })).toBe('offCurve')
    expect(await codeOfKey({ ...key, vk_alpha_1: [String(baseOrder + 1n), '2', '1'] })).toBe('nonCanonical')
    for (let index = 0; index < points.length; index++) {
      expect(await codeOfKey({ ...key, IC: points.with(index, ['1', '3', '1']) })).toBe('offCurve')
      expect(await codeOfKey({ ...key, IC: points.with(index, ['0', '1', '0']) })).toBe('infinity')
    }
  })
})
