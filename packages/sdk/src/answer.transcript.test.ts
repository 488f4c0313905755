// A program with sums inside: what projections say, what doing it again says, and who is called wrong.
import { describe, expect, test } from 'bun:test'
import { openCheckTools } from '@shardy/compute'
import { sha256 } from '@shardy/crypto/native'
import { type Digest, encodeHex } from '@shardy/protocol'
import {
  buildProgram,
  evaluateValues,
  joinOutputs,
  matmulProgram,
  type Program,
  tensorBytes,
} from '@shardy/tensor'
import { type Claim, check, makeClaim, policies, projectWeights, pureTools } from '@shardy/tensor/check'
import fc from 'fast-check'
import { checkAnswer, checkDigest } from './answer.ts'

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
const tools = await openCheckTools(sha256)
const adapters = { tools, random }
const digestOf = (bytes: Uint8Array) => encodeHex(sha256(bytes)) as Digest

const side = 330
const weights = random(side * side)
const blobs = new Map([[digestOf(weights), weights]])
const program = buildProgram((b) =>
  b
    .input('i8', [side, side])
    .matmul(b.weights(digestOf(weights), 'i8', [side, side]))
    .requantize({ multiplier: 1, shift: 15, to: 'i8' }),
)
const input = random(side * side)
const work = { kind: 'program', program } as const

function honest(of: Program): Claim {
  const values = evaluateValues(of, input, blobs)
  const kept = new Map(values.map((tensor, index) => [index, tensorBytes(tensor)]))
  return makeClaim(of, policies.interactive, { output: joinOutputs(of, values), kept }, tools.bits)
}

const { output, transcript } = honest(program)
const flip = (bytes: Uint8Array, at: number) => bytes.with(at, (bytes[at] ?? 0) ^ 1)
const lie = flip(output, 5)
const badTranscript = transcript.map((part) => flip(part, 100))
const judge = (claim: Claim, projections?: ReturnType<typeof projectWeights>) =>
  checkAnswer({ work, input, blobs, ...claim, projections }, adapters)

describe('a claim with its sums', () => {
  test('is right by projection', () => {
    expect(transcript).toHaveLength(1)
    expect(judge({ output, transcript })).toEqual({ kind: 'right', by: 'projection' })
  })

  test('is right by recomputation where the sums did not come', () => {
    expect(judge({ output, transcript: [] })).toEqual({ kind: 'right', by: 'recomputation' })
  })

  test('with a wrong output is wrong, and the right digest is known', () => {
    const wrong = { kind: 'wrong', reason: expect.any(String), rightDigest: digestOf(output) }
    expect<unknown>(judge({ output: lie, transcript })).toEqual(wrong)
    expect<unknown>(judge({ output: lie, transcript: badTranscript })).toEqual(wrong)
    expect<unknown>(judge({ output: lie, transcript: [] })).toEqual(wrong)
  })

  test('with a right output and a wrong transcript is not called wrong', () => {
    const verdict = { kind: 'unknown', reason: expect.stringContaining('its transcript is wrong: node 0') }
    expect<unknown>(judge({ output, transcript: badTranscript })).toEqual(verdict)
    expect<unknown>(judge({ output, transcript: transcript.map((part) => part.subarray(1)) })).toEqual(
      verdict,
    )
  })

  test('fares the same with kept projections', () => {
    const kept = projectWeights(program, policies.fixedWeights, blobs, random(32), tools)
    expect(kept.size).toBe(1)
    expect(judge({ output, transcript }, kept)).toEqual({ kind: 'right', by: 'projection' })
    expect(judge({ output: lie, transcript }, kept).kind).toBe('wrong')
    expect(judge({ output, transcript: badTranscript }, kept).kind).toBe('unknown')
  })

  test('is judged by its digest alone where its bytes did not come', () => {
    const asked = { work, input, blobs }
    const right = checkDigest({ ...asked, outputDigest: digestOf(output) }, adapters)
    expect(right).toEqual({ kind: 'right', by: 'recomputation' })
    const wrong = checkDigest({ ...asked, outputDigest: digestOf(lie) }, adapters)
    expect(wrong).toMatchObject({ kind: 'wrong', rightDigest: digestOf(output) })
  })
})

test('the way that small products take gives the verdict of the general one', () => {
  const size = fc.integer({ min: 1, max: 60 })
  const byte = fc.integer({ min: 0, max: 255 })
  const shape = fc.record({ m: size, k: size, n: size })
  fc.assert(
    fc.property(shape, byte, fc.nat(), fc.boolean(), (sizes, fill, at, isHonest) => {
      const small = matmulProgram(sizes)
      const given = random(sizes.k * (sizes.m + sizes.n)).fill(fill, 0, 7)
      const right = joinOutputs(small, evaluateValues(small, given))
      // At every alignment: answers lie in the middle of frames.
      const claimed = new Uint8Array(right.length + 3).subarray(at % 4, right.length + (at % 4))
      claimed.set(isHonest ? right : flip(right, at % right.length))
      const fast = checkAnswer(
        { work: { kind: 'program', program: small }, input: given, output: claimed },
        adapters,
      )
      const general = check(
        {
          program: small,
          input: given,
          policy: policies.recompute,
          claim: { output: claimed, transcript: [] },
          challenge: { kind: 'none' },
        },
        pureTools(sha256),
      )
      expect(fast.kind === 'right').toBe(general.ok)
      expect(fast.kind === 'right').toBe(isHonest)
      if (fast.kind === 'wrong') expect(fast.rightDigest).toBe(digestOf(right))
    }),
  )
})
