import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Submission } from '@shardy/api'
import { type AnyLiteProgram, computeLite, encodeLite } from '@shardy/lite'
import { digestOf, finish, problemOf, submit } from '../../test/example.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'

let network: TestNetwork
beforeAll(async () => {
  network = await startTestNetwork()
  await Promise.all([network.startWorker(), network.startWorker()])
})
afterAll(() => network.stop())

const bytes = Uint8Array.from({ length: 64 }, (_, index) => index)
const input = { base64: bytes.toBase64() }

describe('is run by workers that agree', () => {
  const cases: readonly (readonly [name: string, program: AnyLiteProgram, given: Submission['program']])[] = [
    ['rounds of superLite', { kind: 'superLite', inputLength: 64, rounds: 100 }, { rounds: 100 }],
    ['rounds and lanes', { kind: 'lite', inputLength: 64, rounds: 9, lanes: 4 }, { rounds: 9, lanes: 4 }],
    [
      'canonical bytes',
      { kind: 'superLite', inputLength: 64, rounds: 7 },
      { base64: encodeLite({ kind: 'superLite', inputLength: 64, rounds: 7 }).toBase64() },
    ],
  ]
  for (const [name, program, given] of cases) {
    test(name, async () => {
      const { kind } = program
      const { taskId } = await submit(network, { kind, program: given, input })
      const outputDigest = digestOf(computeLite(program, bytes))
      expect(await finish(network, taskId)).toMatchObject({ status: 'verified', kind, outputDigest })
    })
  }
})

describe('is refused with the field', () => {
  const cases: readonly (readonly [field: string, submission: Submission])[] = [
    ['program.lanes', { kind: 'superLite', program: { rounds: 1, lanes: 1 }, input }],
    ['program.lanes', { kind: 'lite', program: { rounds: 1 }, input }],
    ['LiteProgram.lanes', { kind: 'lite', program: { rounds: 1, lanes: 9 }, input }],
    ['SuperLiteProgram.rounds', { kind: 'superLite', program: { rounds: 2 ** 31 - 1 }, input }],
    ['input', { kind: 'superLite', program: { rounds: 1, inputLength: 65 }, input }],
    ['program.inputLength', { kind: 'superLite', program: { rounds: 1 }, input: { blob: '00'.repeat(32) } }],
    ['program', { kind: 'superLite', program: { op: 'matmul', m: 1, k: 1, n: 1 }, input }],
    ['program', { kind: 'shader', program: { rounds: 1 }, input }],
  ]
  for (const [field, submission] of cases) {
    test(JSON.stringify(submission.program), async () => {
      const refused = await network.request('/v1/tasks', { json: submission })
      expect(await problemOf(refused)).toMatchObject({ code: 'invalidField', field })
    })
  }
})
