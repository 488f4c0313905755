// What a judge keeps from one question to the next: blobs within their bound, and projections until the first refusal.
import { expect, test } from 'bun:test'
import { openCheckTools } from '@shardy/compute'
import { sha256 } from '@shardy/crypto/native'
import { type Digest, encodeHex, type ProgramId } from '@shardy/protocol'
import {
  buildProgram,
  encodeProgram,
  evaluateValues,
  joinOutputs,
  type Program,
  tensorBytes,
} from '@shardy/tensor'
import { type CheckTools, makeClaim, policies } from '@shardy/tensor/check'
import { createJudge } from './judge.ts'
import type { Finding, Question } from './question.ts'

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
const tools = await openCheckTools(sha256)
const digestOf = (bytes: Uint8Array) => encodeHex(sha256(bytes)) as Digest
const flip = (bytes: Uint8Array, at = 0) => bytes.with(at, (bytes[at] ?? 0) ^ 1)

const side = 330
const weights = random(side * side)
const digest = digestOf(weights)
const blobs = new Map([[digest, weights]])
const layer = (rows: number): Program =>
  buildProgram((b) =>
    b
      .input('i8', [rows, side])
      .matmul(b.weights(digest, 'i8', [side, side]))
      .requantize({ multiplier: 1, shift: 15, to: 'i8' }),
  )
const program = layer(side)
const input = random(side * side)
const values = evaluateValues(program, input, blobs)
const kept = new Map(values.map((tensor, index) => [index, tensorBytes(tensor)]))
const honest = makeClaim(
  program,
  policies.interactive,
  { output: joinOutputs(program, values), kept },
  tools.bits,
)

const ask = (claim: typeof honest): Question => ({
  kind: 'answer',
  taskKind: 'program',
  program: encodeProgram(program),
  programId: '01' as ProgramId,
  input,
  claimed: { kind: 'bytes', ...claim },
  constants: [digest],
})

/** Counts the products that read all weights. */
function counting(): { readonly tools: CheckTools; folds(): number } {
  let folds = 0
  const { products } = tools
  return {
    tools: {
      ...tools,
      products: {
        ...products,
        multiplyBytes(matrix, shape, vectors) {
          if (
            matrix.length === side * side &&
            Buffer.compare(Buffer.from(matrix.buffer, matrix.byteOffset, matrix.length), weights) === 0
          )
            folds++
          return products.multiplyBytes(matrix, shape, vectors)
        },
      },
    },
    folds: () => folds,
  }
}

test('weights that come again are folded once, and anew after any refusal', () => {
  const counted = counting()
  const judge = createJudge({ tools: counted.tools, random })
  const judged = (claim: typeof honest): Finding | readonly Digest[] => judge.judge(ask(claim))
  const right = { kind: 'verdict', verdict: { kind: 'right', by: 'projection' } } as const
  expect(judged(honest)).toEqual([digest])
  judge.keep(digest, weights)
  expect(judged(honest)).toEqual(right)
  expect([judge.projected(), counted.folds()]).toEqual([0, 1])
  for (let time = 0; time < 5; time++) expect(judged(honest)).toEqual(right)
  expect([judge.projected(), counted.folds()]).toEqual([1, 2])
  for (const claim of [
    { ...honest, output: flip(honest.output) },
    { ...honest, transcript: honest.transcript.map((part) => flip(part, 99)) },
  ]) {
    expect(judged(claim)).not.toEqual(right)
    expect(judge.projected()).toBe(0)
    expect(judged(honest)).toEqual(right)
    expect(judged(honest)).toEqual(right)
    expect(judge.projected()).toBe(1)
  }
})

test('blobs are kept up to the bound, the ones that were not used for longest go first', () => {
  const judge = createJudge({ tools, random }, 2 * weights.length)
  const others = [random(side * side), random(side * side)]
  judge.keep(digest, weights)
  for (const other of others) {
    expect(judge.judge(ask(honest))).toHaveProperty('kind')
    judge.keep(digestOf(other), other)
  }
  expect(judge.judge(ask(honest))).toHaveProperty('kind')
  for (const other of [...others, random(side * side)]) judge.keep(digestOf(other), other)
  expect(judge.judge(ask(honest))).toEqual([digest])
})
