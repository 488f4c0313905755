import { afterAll, expect, test } from 'bun:test'
import { drawBenchmark, drawCells } from '@shardy/chain'
import { createCpuExecutor, runBenchmark } from '@shardy/compute'
import { sha256 } from '@shardy/crypto/native'
import type { Digest } from '@shardy/protocol'
import { createOpeningsThread } from './openings.ts'

const size = { kind: 'product', rows: 2, width: 256, steps: 64, checkpointEvery: 16 } as const
const benchmark = drawBenchmark('cd'.repeat(32) as Digest, size)
const { root, open } = await runBenchmark(createCpuExecutor(), benchmark, { sha256 })
const drawn = drawCells(benchmark, 4, new Uint8Array(32), sha256)
const honest = { benchmark, root, drawn, openings: drawn.map(open) }

const judge = createOpeningsThread()
afterAll(() => judge.close())

test('says right of what is right, and wrong of what is not, many at once', async () => {
  const [first, ...rest] = honest.openings
  if (first === undefined) throw new Error('nothing was drawn')
  const state = first.after.state.map((byte) => byte ^ 1)
  const lie = { ...honest, openings: [{ ...first, after: { ...first.after, state } }, ...rest] }
  const verdicts = await Promise.all([honest, lie, honest, { ...honest, openings: rest }].map(judge.check))
  expect(verdicts.map(({ kind }) => kind)).toEqual(['right', 'wrong', 'right', 'wrong'])
})

test('what cannot be judged is unknown, and held against nobody', async () => {
  const verdict = await judge.check({ ...honest, drawn: [], openings: [] })
  expect(verdict).toEqual({ kind: 'unknown', reason: 'a check draws one cell at least' })
})

test('what is under way when it closes is unknown, and it starts anew', async () => {
  const asked = judge.check(honest)
  judge.close()
  expect(await asked).toEqual({ kind: 'unknown', reason: 'the orchestrator is stopping' })
  expect(await judge.check(honest)).toEqual({ kind: 'right' })
})
