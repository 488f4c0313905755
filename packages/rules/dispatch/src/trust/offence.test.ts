import { describe, expect, test } from 'bun:test'
import type { Attestation, Digest, PublicKey, Statement } from '@shardy/protocol'
import {
  type Offence,
  type OffenceFault,
  offenceFault,
  offender,
  type Reexecution,
  signedStatements,
} from './offence.ts'

const hex = (byte: string, bytes: number) => byte.repeat(bytes)
const base = {
  taskId: hex('01', 16),
  deliveryId: hex('02', 16),
  programId: hex('03', 32),
  seed: 4n,
  inputDigest: hex('05', 32),
  workerId: hex('06', 32),
  deadlineMs: 7,
}
// The signature is the host's to verify; nothing here looks at it.
const signed = (about: Partial<Record<keyof Statement, unknown>>) => ({
  statement: { ...base, ...about } as Statement,
  attestation: {} as Attestation,
  publicKey: new Uint8Array(65) as PublicKey,
})
const delivery = (about: Partial<Record<keyof Statement, unknown>> = {}) =>
  signed({ role: 'delivery', ...about })
const result = (about: Partial<Record<keyof Statement, unknown>> = {}) =>
  signed({ role: 'result', outputDigest: hex('aa', 32), ...about })
const right = {
  arithmetic: 'exact',
  programId: base.programId,
  seed: base.seed,
  inputDigest: base.inputDigest,
  outputDigest: hex('bb', 32) as Digest,
} as Reexecution
const float: Reexecution = { ...right, arithmetic: 'float' }
const otherWorker = hex('16', 32)

const table: readonly [string, Offence, OffenceFault | undefined][] = [
  [
    'a wrong result',
    { kind: 'wrongResult', delivery: delivery(), result: result(), reexecution: right },
    undefined,
  ],
  [
    'a right one',
    {
      kind: 'wrongResult',
      delivery: delivery(),
      result: result({ outputDigest: right.outputDigest }),
      reexecution: right,
    },
    'rightResult',
  ],
  [
    'a float one',
    { kind: 'wrongResult', delivery: delivery(), result: result(), reexecution: float },
    'floatKind',
  ],
  [
    'two answers of a float kind',
    {
      kind: 'equivocation',
      first: result(),
      second: result({ outputDigest: hex('ac', 32) }),
      reexecution: float,
    },
    'floatKind',
  ],
  [
    'another input executed',
    {
      kind: 'wrongResult',
      delivery: delivery(),
      result: result(),
      reexecution: { ...right, inputDigest: hex('15', 32) as Digest },
    },
    'otherComputation',
  ],
  [
    'another seed executed',
    { kind: 'wrongResult', delivery: delivery(), result: result(), reexecution: { ...right, seed: 5n } },
    'otherComputation',
  ],
  [
    'a result of another delivery',
    {
      kind: 'wrongResult',
      delivery: delivery(),
      result: result({ deliveryId: hex('12', 16) }),
      reexecution: right,
    },
    'otherDelivery',
  ],
  [
    'a result that says another task',
    {
      kind: 'wrongResult',
      delivery: delivery({ taskId: hex('11', 16) }),
      result: result(),
      reexecution: right,
    },
    'otherTask',
  ],
  [
    'a result of another worker',
    {
      kind: 'wrongResult',
      delivery: delivery(),
      result: result({ workerId: otherWorker }),
      reexecution: right,
    },
    'otherWorker',
  ],
  [
    'two results',
    { kind: 'wrongResult', delivery: result(), result: result(), reexecution: right },
    'notADelivery',
  ],
  [
    'two deliveries',
    { kind: 'wrongResult', delivery: delivery(), result: delivery(), reexecution: right },
    'notAResult',
  ],
  [
    'two answers to one delivery',
    {
      kind: 'equivocation',
      first: result(),
      second: result({ outputDigest: hex('ac', 32) }),
      reexecution: right,
    },
    undefined,
  ],
  [
    'two traces of one answer',
    {
      kind: 'equivocation',
      first: result({ traceRoot: hex('01', 32) }),
      second: result({ traceRoot: hex('02', 32) }),
      reexecution: right,
    },
    undefined,
  ],
  [
    'the same answer twice',
    { kind: 'equivocation', first: result(), second: result(), reexecution: right },
    'sameAnswer',
  ],
  [
    'the same answer with and without a trace',
    {
      kind: 'equivocation',
      first: result(),
      second: result({ traceRoot: hex('02', 32) }),
      reexecution: right,
    },
    'sameAnswer',
  ],
  [
    'answers to two deliveries',
    {
      kind: 'equivocation',
      first: result(),
      second: result({ deliveryId: hex('12', 16), outputDigest: hex('ac', 32) }),
      reexecution: right,
    },
    'otherDelivery',
  ],
  [
    'answers of two workers',
    {
      kind: 'equivocation',
      first: result(),
      second: result({ workerId: otherWorker, outputDigest: hex('ac', 32) }),
      reexecution: right,
    },
    'otherWorker',
  ],
  [
    'two answers, another program executed',
    {
      kind: 'equivocation',
      first: result({ programId: hex('13', 32) }),
      second: result({ programId: hex('13', 32), outputDigest: hex('ac', 32) }),
      reexecution: right,
    },
    'otherComputation',
  ],
  [
    'an answer and a delivery',
    { kind: 'equivocation', first: result(), second: delivery(), reexecution: right },
    'notAResult',
  ],
  [
    'an answer to what another was given',
    {
      kind: 'forgedCopy',
      delivery: delivery({ workerId: otherWorker }),
      result: result(),
      reexecution: right,
    },
    undefined,
  ],
  [
    'an answer to its own delivery',
    { kind: 'forgedCopy', delivery: delivery(), result: result(), reexecution: right },
    'ownDelivery',
  ],
]

describe('evidence', () => {
  for (const [desc, offence, fault] of table) {
    test(`${desc}: ${fault ?? 'is an offence'}`, () => expect(offenceFault(offence)).toBe(fault))
  }

  test('names the worker and both statements to verify', () => {
    for (const [, offence] of table) {
      expect(signedStatements(offence)).toHaveLength(2)
    }
    const [, wrong] = table[0] ?? []
    const [, forged] = table.at(-2) ?? []
    expect<string | undefined>(wrong && offender(wrong)).toBe(base.workerId)
    expect<string | undefined>(forged && offender(forged)).toBe(base.workerId)
  })
})
