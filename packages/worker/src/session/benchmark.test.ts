import { describe, expect, test } from 'bun:test'
import {
  type Benchmark,
  beginChain,
  type ChainCommitment,
  cellAt,
  drawBenchmark,
  encodeBenchmark,
  encodeOpening,
} from '@shardy/chain'
import { Scenario, sha256 } from '../../test/scenario.ts'

const benchmarkId = 'be'.repeat(16)
const size = { kind: 'lite', rows: 3, width: 256, steps: 32, checkpointEvery: 16 } as const
const asked: Benchmark = drawBenchmark('5e'.repeat(32) as Benchmark['seed'], size)
const frame = { benchmarkId, parameters: encodeBenchmark(asked), withinMs: 5_000 as never }

/** Nothing is computed: what is opened here need not be right. */
function commitment(): ChainCommitment {
  const chain = beginChain(asked, sha256)
  for (let states = chain.next(); states !== undefined; states = chain.next()) chain.take(states)
  return chain.commit()
}

const running = (): Scenario => new Scenario().admit().frame('benchmark', frame)

describe('a benchmark', () => {
  test('is run, its root sent with the memory that held, and its cells opened in order', () => {
    const scenario = running()
    expect(scenario.effects.at(-1)).toEqual({ kind: 'runBenchmark', run: 1, benchmark: asked })
    const done = commitment()
    scenario.feed({ kind: 'benchmarkRun', run: 1, commitment: done })
    const { stableBytes } = scenario.rules
    expect(scenario.sent).toEqual([
      { type: 'benchmarkRoot', body: { benchmarkId, root: done.root, stableBytes } },
    ])
    scenario.frame('benchmarkOpen', { benchmarkId, indexes: [5, 0] })
    const openingOf = (index: number) => encodeOpening(done.open(cellAt(asked, index)))
    expect(scenario.sent).toEqual(
      [5, 0].map((index) => ({
        type: 'benchmarkOpening' as const,
        body: { benchmarkId, index, opening: openingOf(index) },
      })),
    )
    expect(scenario.state.benchmark).toBeUndefined()
    expect(scenario.frame('benchmarkOpen', { benchmarkId, indexes: [0] }).done).toEqual([])
  })

  test('comes before any other work that has not begun', () => {
    const scenario = new Scenario()
      .admit()
      .deliver(1)
      .verify(1)
      .deliver(2)
      .verify(2)
      .frame('benchmark', frame)
    expect(scenario.done).toEqual([])
    expect(scenario.execute(1).effects.at(-1)).toMatchObject({ kind: 'runBenchmark' })
    scenario.feed({ kind: 'benchmarkRun', run: 3, commitment: commitment() })
    expect(scenario.done).toEqual(['benchmarkRoot', 'execute'])
  })

  test('that cannot be run is not answered, and work goes on', () => {
    const scenario = running().deliver(1).verify(2)
    scenario.feed({ kind: 'benchmarkNotRun', run: 1, text: 'out of memory' })
    expect(scenario.done).toEqual(['execute'])
    expect(scenario.frame('benchmarkOpen', { benchmarkId, indexes: [0] }).done).toEqual([])
  })

  test('asked anew replaces the one before, which answers nobody', () => {
    const scenario = running().frame('benchmark', { ...frame, benchmarkId: 'bf'.repeat(16) })
    expect(scenario.done).toEqual(['abort'])
    scenario.feed({ kind: 'benchmarkNotRun', run: 1, text: 'aborted' })
    expect(scenario.done).toEqual(['runBenchmark'])
    scenario.feed({ kind: 'benchmarkRun', run: 1, commitment: commitment() })
    expect(scenario.done).toEqual([])
  })

  test('is given up with a pause or with the connection', () => {
    expect(running().feed({ kind: 'pause' }).done).toEqual(['presence', 'abort'])
    const lost = running().feed({ kind: 'closed', connection: 1, code: 1006, text: '' })
    expect(lost.done).toContain('abort')
    expect(lost.state.benchmark).toBeUndefined()
  })

  test('asked of a paused worker waits until it goes on', () => {
    const scenario = new Scenario().admit().feed({ kind: 'pause' }).frame('benchmark', frame)
    expect(scenario.done).toEqual([])
    expect(scenario.feed({ kind: 'resume' }).done).toEqual(['presence', 'runBenchmark'])
  })

  const unusable = [
    { desc: 'no parameters', change: { parameters: Uint8Array.of(1, 2, 3) } },
    { desc: 'parameters of another kind', change: { parameters: new Uint8Array(0) } },
  ]
  test.each(unusable)('with $desc ends the connection', ({ change }) => {
    const scenario = new Scenario().admit().frame('benchmark', { ...frame, ...change })
    expect(scenario.lostReason).toMatchObject({ kind: 'unusableBenchmark' })
  })

  test('whose opening names no cell ends the connection', () => {
    const scenario = running().feed({ kind: 'benchmarkRun', run: 1, commitment: commitment() })
    scenario.frame('benchmarkOpen', { benchmarkId, indexes: [6] })
    expect(scenario.lostReason).toEqual({ kind: 'unusableBenchmark', text: 'cell 6 of 6 is to be opened' })
  })
})

describe('what the orchestrator says of the worker', () => {
  test('is kept while the connection lasts', () => {
    const standing = { tier: 2, operationsPerSecond: 9_000_000, message: 'tier 2' }
    const scenario = new Scenario().admit().frame('admitted', standing)
    expect(scenario.state.standing).toEqual(standing)
    scenario.feed({ kind: 'closed', connection: 1, code: 1006, text: '' })
    expect(scenario.state.standing).toBeUndefined()
  })

  test('why there is no work is told once, and forgotten when there is some', () => {
    const idle = { constraint: 'paysTooLittle', message: 'nothing that waits pays what you ask' }
    const scenario = new Scenario().admit().frame('idle', idle)
    expect(scenario.effects).toEqual([
      { kind: 'report', event: { kind: 'idle', constraint: idle.constraint, text: idle.message } },
    ])
    expect(scenario.frame('idle', idle).effects).toEqual([])
    expect(scenario.state.idle).toMatchObject(idle)
    expect(scenario.deliver(1).state.idle).toBeUndefined()
  })
})
