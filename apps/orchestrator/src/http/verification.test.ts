import { describe, expect, test } from 'bun:test'
import { ApiError } from '@shardy/api'
import { decodeWork, type Work } from '@shardy/compute/work'
import type { TaskRecord } from '@shardy/dispatch'
import { adaptive, audited, checked, parseVerify, quorum } from '@shardy/protocol'
import { encodeProgram, matmulProgram, type Program, tensorType } from '@shardy/tensor'
import { newTaskOf } from '../../test/dispatchTask.ts'
import { restsOn, verificationOf } from './verification.ts'

function work(of: Program = matmulProgram({ m: 1, k: 1, n: 1 })): Work {
  const decoded = decodeWork('program', encodeProgram(of))
  if (!decoded.ok) throw new Error(decoded.reason)
  return decoded.work
}
const program = work()
/** What decides is whether the shader is exact, and how much of it there is to interpret. */
const shader = (exactness: 'exact' | 'inexact', nodes = 1) =>
  ({ kind: 'shader', shader: { exactness: { exactness, reasons: [] }, work: nodes } }) as unknown as Work

function refusalOf(act: () => unknown): ApiError['problem'] {
  try {
    act()
  } catch (error) {
    if (error instanceof ApiError) return error.problem
    throw error
  }
  throw new Error('nothing was refused')
}

describe('what is asked for', () => {
  test.each([
    [{}, checked],
    [{ verify: 'checked' }, checked],
    [{ verify: 'adaptive' }, adaptive],
    [{ verify: 'audited(1)' }, audited(1)],
    [{ verify: 'audited(1000)' }, audited(1000)],
    [{ verify: 'quorum(3,2)' }, quorum(3, 2)],
    [{ verify: 'quorum(7,7)' }, quorum(7, 7)],
    [{ redundancy: 1 }, checked],
    [{ redundancy: 2 }, quorum(2, 2)],
    [{ redundancy: 5 }, quorum(5, 5)],
  ])('%j of a program is taken', (asked, verify) => {
    expect(verificationOf(asked, program, [])).toMatchObject({ verify, proof: 'none', exact: true })
  })

  test.each([
    [shader('exact'), {}, checked, true],
    [shader('inexact'), {}, quorum(2, 2), false],
    [shader('exact', 1e12), {}, quorum(2, 2), true],
    [shader('inexact'), { verify: 'quorum(3,2)' }, quorum(3, 2), false],
  ])('a shader that cannot be checked here is agreed on', (of, asked, verify, exact) => {
    expect(verificationOf(asked, of, [])).toMatchObject({ verify, proof: 'none', exact })
  })
})

describe('a proof', () => {
  const offered = ['v2'] as const
  const proofOf = (asked: Parameters<typeof verificationOf>[0], of = program) =>
    verificationOf(asked, of, offered).proof

  test('is made of what is exact unless the requester says otherwise', () => {
    expect(proofOf({})).toBe('v2')
    expect(proofOf({ verify: 'quorum(2,2)' })).toBe('v2')
    expect(proofOf({ proof: 'none' })).toBe('none')
    expect(proofOf({ proof: 'v2' })).toBe('v2')
  })

  test('is made of floats only where it is asked for', () => {
    expect(proofOf({}, shader('inexact'))).toBe('none')
    expect(proofOf({ proof: 'v2' }, shader('inexact'))).toBe('v2')
  })

  describe('of a block', () => {
    const asked = (of: Work) => verificationOf({ proof: 'v3' }, of, ['v2', 'v3']).proof
    const shape = { m: 1, k: 1, n: 1 }

    test('is made of a product where it is asked for', () => {
      expect(asked(program)).toBe('v3')
      expect(verificationOf({}, program, ['v2', 'v3']).proof).toBe('v2')
    })

    const matmul = matmulProgram(shape)
    const refused: readonly [string, Work, string][] = [
      ['a shader', shader('exact'), 'it is a shader task, and blocks are those of programs'],
      [
        'a program that makes more of the product',
        work({ ...matmul, nodes: [...matmul.nodes, { op: 'relu', x: 2 }], outputs: [3] }),
        'program.nodes[1].relu: makes the output; a proof is about one that a matmul makes',
      ],
      [
        'a product of another kind of number',
        work({ ...matmul, inputs: [tensorType('u8', [1, 1]), tensorType('i8', [1, 1])] }),
        'program.nodes[0].matmul.a: is u8[1,1]; a proof is about operands of i8',
      ],
    ]
    for (const [what, of, reason] of refused) {
      test(`is not to be had of ${what}`, () => {
        const bound = 'a product of two i8 matrices of the input, sums of at most 65535'
        expect(refusalOf(() => asked(of))).toMatchObject({
          code: 'invalidField',
          field: 'proof',
          value: 'v3',
          bound,
          detail: `proofs of kind v3 are about ${bound}: ${reason}`,
        })
      })
    }
  })

  test('of a kind that is not offered is refused with those that are', () => {
    expect(refusalOf(() => proofOf({ proof: 'v3' }))).toMatchObject({ field: 'proof', bound: 'none or v2' })
  })
})

describe('is refused by field', () => {
  const hostile = [
    '',
    'Checked',
    ' checked',
    'quorum',
    'quorum(1,1)',
    'quorum(2,3)',
    'quorum(8,2)',
    'quorum(3, 2)',
    'quorum(03,2)',
    'audited',
    'audited(0)',
    'audited(1001)',
    'audited(1e3)',
    'audited(-1)',
    'adaptive()',
    '__proto__',
  ]
  test.each(hostile)('verify %j', (verify) => {
    expect(parseVerify(verify)).toBeUndefined()
    expect(refusalOf(() => verificationOf({ verify }, program, []))).toMatchObject({
      code: 'invalidField',
      field: 'verify',
      value: verify,
    })
  })

  test('verify and redundancy together', () => {
    expect(refusalOf(() => verificationOf({ verify: 'checked', redundancy: 1 }, program, []))).toMatchObject({
      field: 'redundancy',
      value: '1',
    })
  })

  test.each(['checked', 'audited(1)', 'adaptive'])('%s of what cannot be checked here', (verify) => {
    for (const of of [shader('inexact'), shader('exact', 1e12)]) {
      expect(refusalOf(() => verificationOf({ verify }, of, []))).toMatchObject({
        field: 'verify',
        value: verify,
        bound: 'quorum(n,k)',
      })
    }
  })

  test.each(['v2', 'v3'] as const)('a proof %s that is not to be had here', (proof) => {
    expect(refusalOf(() => verificationOf({ proof }, program, []))).toMatchObject({
      field: 'proof',
      value: proof,
      bound: 'none',
    })
  })
})

describe('what a verdict rests on', () => {
  const told = (about: Partial<TaskRecord>, spec: Parameters<typeof newTaskOf>[1] = {}) =>
    restsOn({ spec: newTaskOf(1, spec), ...about } as unknown as TaskRecord)

  test('is called by what was done', () => {
    expect(told({ basis: 'checked', checkedBy: 'projection' })).toContain('below 2^-61')
    expect(told({ basis: 'checked', checkedBy: 'recomputation' })).toContain('computed the answer again')
    expect(told({ basis: 'agreement' }, { verify: quorum(3, 2) })).toContain(
      '2 distinct workers gave the same answer',
    )
    expect(told({ basis: 'agreement' }, { verify: quorum(2, 2), exact: false })).toContain(
      'within the tolerance of floats',
    )
    expect(told({ basis: undefined })).toBe('nothing is decided')
  })

  test('is never called verified where nothing was checked', () => {
    const trusted = told({ basis: 'trusted' }, { verify: adaptive })
    expect(trusted).toContain('taken at its word')
    expect(trusted).not.toMatch(/verif|proof|proven/)
  })
})
