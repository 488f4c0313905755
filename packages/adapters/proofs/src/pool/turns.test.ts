import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createTurns, step, type TurnEffect, type Turns } from './turns.ts'

let ids = 0
const open = (queuedMax = 1_000): Turns => createTurns({ queuedMax, rememberedMax: 100 })

function arrive(turns: Turns, submitter: string, count = 1): readonly TurnEffect[] {
  return Array.from({ length: count }, () => step(turns, { kind: 'arrived', id: ids++, submitter })).flat()
}

/** Who has the next turn and with how many, as 'a8'. */
function take(turns: Turns): string {
  const [effect] = step(turns, { kind: 'free' })
  return effect?.kind === 'verify' ? `${effect.submitter}${effect.ids.length}` : '-'
}

const judge = (turns: Turns, submitter: string, good: number, bad: number) =>
  step(turns, { kind: 'judged', submitter, good, bad })

describe('turns', () => {
  test('go round, and batches never mix submitters', () => {
    const turns = open()
    arrive(turns, 'a', 20)
    arrive(turns, 'b', 3)
    arrive(turns, 'a', 1)
    expect(['a8', 'b3', 'a8', 'a5', '-']).toEqual([1, 2, 3, 4, 5].map(() => take(turns)))
  })

  test('double the batch while it is full and clean, up to the most', () => {
    const turns = open()
    arrive(turns, 'a', 300)
    for (const size of [8, 16, 32, 64, 64]) {
      expect(take(turns)).toBe(`a${size}`)
      judge(turns, 'a', size, 0)
    }
  })

  test('a batch that was not full does not widen the next', () => {
    const turns = open()
    arrive(turns, 'a', 3)
    take(turns)
    judge(turns, 'a', 3, 0)
    arrive(turns, 'a', 30)
    expect(take(turns)).toBe('a8')
  })

  test('a bad proof makes the next ones go alone, after the others, until as many good ones came', () => {
    const turns = open()
    arrive(turns, 'a', 9)
    expect(take(turns)).toBe('a8')
    judge(turns, 'a', 6, 2)
    arrive(turns, 'a', 4)
    arrive(turns, 'b', 2)
    expect(take(turns)).toBe('b2')
    expect(take(turns)).toBe('a1')
    judge(turns, 'a', 1, 0)
    expect(take(turns)).toBe('a1')
    judge(turns, 'a', 1, 0)
    // Forgiven, and wide again only step by step.
    arrive(turns, 'b', 1)
    expect([take(turns), take(turns)].sort()).toEqual(['a2', 'b1'])
  })

  test('one turn in eight is kept for those with strikes, however busy the others are', () => {
    const turns = open()
    judge(turns, 'bad', 0, 5)
    arrive(turns, 'bad', 8)
    arrive(turns, 'good', 500)
    const order = Array.from({ length: 24 }, () => take(turns).slice(0, 3))
    expect(order.filter((who) => who === 'bad')).toHaveLength(3)
    expect(order.indexOf('bad')).toBe(7)
  })

  test('a flood fills its own share, and others still come in', () => {
    const turns = open(100)
    expect(arrive(turns, 'flood', 100)).toEqual([])
    expect(arrive(turns, 'flood', 1)).toMatchObject([{ kind: 'refuse', code: 'queueFull' }])
    const effects = arrive(turns, 'good', 5)
    expect(effects).toHaveLength(5)
    expect(effects.every(({ kind }) => kind === 'refuse')).toBe(true)
    expect(turns.records.get('good')?.waiting).toHaveLength(5)
    expect(turns.records.get('flood')?.waiting).toHaveLength(95)
    expect(take(turns)).toBe('flood8')
    expect(take(turns)).toBe('good5')
  })

  test('who has strikes may have only a few waiting', () => {
    const turns = open()
    judge(turns, 'bad', 0, 1)
    const refused = arrive(turns, 'bad', 12).filter((effect) => effect.kind === 'refuse')
    expect(refused.map(({ code }) => code)).toEqual(Array(4).fill('struck'))
  })

  test('what is remembered is bounded, and strikes are forgotten last', () => {
    const turns = createTurns({ queuedMax: 10, rememberedMax: 3 })
    judge(turns, 'bad', 0, 1)
    for (const submitter of ['a', 'b', 'c', 'd', 'e']) judge(turns, submitter, 1, 0)
    expect([...turns.records.keys()]).toEqual(['bad', 'd', 'e'])
  })

  test('every proof that arrives is verified or refused, exactly once, and the count is right', () => {
    const input = fc.oneof(
      {
        weight: 5,
        arbitrary: fc
          .constantFrom('a', 'b', 'c')
          .map((submitter) => ({ kind: 'arrived', submitter }) as const),
      },
      { weight: 2, arbitrary: fc.constant({ kind: 'free' } as const) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('judged' as const),
          submitter: fc.constantFrom('a', 'b', 'c', 'd'),
          good: fc.nat(64),
          bad: fc.nat(3),
        }),
      },
    )
    fc.assert(
      fc.property(fc.array(input, { maxLength: 400 }), (inputs) => {
        const turns = createTurns({ queuedMax: 12, rememberedMax: 2 })
        const open = new Set<number>()
        let id = 0
        for (const one of inputs) {
          if (one.kind === 'arrived') open.add(id)
          const effects = step(turns, one.kind === 'arrived' ? { ...one, id: id++ } : one)
          for (const effect of effects)
            for (const ended of effect.kind === 'verify' ? effect.ids : [effect.id])
              expect(open.delete(ended)).toBe(true)
          expect(turns.queued).toBe(open.size)
          expect(turns.queued).toBeLessThanOrEqual(12)
        }
        for (;;) {
          const [effect] = step(turns, { kind: 'free' })
          if (effect?.kind !== 'verify') break
          for (const ended of effect.ids) expect(open.delete(ended)).toBe(true)
        }
        expect(open.size).toBe(0)
      }),
    )
  })
})
