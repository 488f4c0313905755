import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createHash } from 'node:crypto'
import {
  type Benchmark,
  beginChain,
  type ChainCommitment,
  type ChainSize,
  drawBenchmark,
  drawCells,
  segmentsOf,
} from '@shardy/chain'
import type { Digest } from '@shardy/protocol'
import { createCpuExecutor } from '../cpu/executor.ts'
import { findGpu } from '../dawn.ts'
import { createReferenceExecutor } from '../reference.ts'
import { openWebGpu } from '../webgpu/open.ts'
import { checkOpenings, runBenchmark } from './chain.ts'
import { openSegment } from './segment.ts'

// A bound on a hang: a software adapter takes seconds to compile one kernel.
setDefaultTimeout(60_000)

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())
const seedOf = (index: number) => createHash('sha256').update(`seed ${index}`).digest('hex') as Digest
const cpu = createCpuExecutor()
const small: ChainSize = { kind: 'product', rows: 5, width: 256, steps: 64, checkpointEvery: 16 }
const lite: ChainSize = { kind: 'lite', rows: 3, width: 256, steps: 64, checkpointEvery: 16 }

function allCells(benchmark: Benchmark) {
  return Array.from({ length: segmentsOf(benchmark) * benchmark.rows }, (_, index) => ({
    segment: Math.floor(index / benchmark.rows),
    row: index % benchmark.rows,
  }))
}

async function judge(benchmark: Benchmark, { root, open }: ChainCommitment, drawn = allCells(benchmark)) {
  const openings = drawn.map(open)
  return await checkOpenings(cpu, { benchmark, root, drawn, openings }, { sha256 })
}

/** A chain of a worker that gives what it likes for a segment. */
async function cheat(
  benchmark: Benchmark,
  give: (states: Uint8Array, segment: number) => Promise<Uint8Array> | Uint8Array,
): Promise<ChainCommitment> {
  const chain = beginChain(benchmark, sha256)
  let segment = 0
  for (let states = chain.next(); states !== undefined; states = chain.next()) {
    chain.take(await give(states, segment++))
  }
  return chain.commit()
}

/** In how many of all cells the check agrees, one by one. */
async function holding(benchmark: Benchmark, commitment: ChainCommitment): Promise<number> {
  const verdicts = await Promise.all(allCells(benchmark).map((cell) => judge(benchmark, commitment, [cell])))
  return verdicts.filter(({ kind }) => kind === 'right').length
}

describe('an honest worker', () => {
  for (const size of [small, lite]) {
    test(`holds in every cell of a ${size.kind} chain`, async () => {
      const benchmark = drawBenchmark(seedOf(1), size)
      const said: number[] = []
      const onProgress = (permille: number) => said.push(permille)
      const commitment = await runBenchmark(cpu, benchmark, { sha256, onProgress })
      expect(await judge(benchmark, commitment)).toEqual({ kind: 'right' })
      expect(said).toEqual([250, 500, 750, 1000])
    })
  }

  test('has the same root on every executor', async () => {
    const benchmark = drawBenchmark(seedOf(2), { ...small, steps: 32 })
    const { root } = await runBenchmark(cpu, benchmark, { sha256 })
    const reference = createReferenceExecutor()
    expect((await runBenchmark(reference, benchmark, { sha256 })).root).toBe(root)
    const gpu = await findGpu({ allowSoftware: true })
    if ('refusal' in gpu) return console.warn(`no chain on WebGPU: ${gpu.refusal.message}`)
    const opened = await openWebGpu(gpu, { allowSoftware: true })
    if (!opened.ok) throw new Error(opened.refusal.message)
    expect((await runBenchmark(opened.executor, benchmark, { sha256 })).root).toBe(root)
    await opened.executor.close()
  })

  test('stops when it is told to', async () => {
    const signal = AbortSignal.abort()
    const running = runBenchmark(cpu, drawBenchmark(seedOf(1), small), { sha256, signal })
    await expect(running).rejects.toMatchObject({ kind: 'aborted' })
  })
})

describe('a cheater', () => {
  const benchmark = drawBenchmark(seedOf(3), small)
  const run = openSegment(benchmark, cpu, sha256)
  const cells = allCells(benchmark).length
  const rowOf = (states: Uint8Array, row: number) => states.subarray(row * 256, (row + 1) * 256)

  test('who leaves out a segment holds in the others alone', async () => {
    const commitment = await cheat(benchmark, (states, segment) => (segment === 2 ? states : run(states)))
    expect(await holding(benchmark, commitment)).toBe(cells - small.rows)
    const cell = { segment: 2, row: 4 }
    expect(await judge(benchmark, commitment, [cell])).toMatchObject({
      kind: 'wrong',
      reason: expect.stringContaining('row 4 of segment 2'),
    })
  })

  test('who leaves out a row holds in the others alone', async () => {
    const commitment = await cheat(benchmark, async (states) => {
      const after = await run(states)
      rowOf(after, 1).set(rowOf(states, 1))
      return after
    })
    expect(await holding(benchmark, commitment)).toBe(cells - segmentsOf(benchmark))
  })

  test('who gives one row for all holds in that row alone', async () => {
    const commitment = await cheat(benchmark, async (states) => {
      const one = await run(rowOf(states, 0).slice())
      const all = new Uint8Array(states.length)
      for (let row = 0; row < small.rows; row++) all.set(one, row * 256)
      return all
    })
    expect(await holding(benchmark, commitment)).toBe(segmentsOf(benchmark))
  })

  test('who opens other bytes, other cells, other paths or too few is found out', async () => {
    const commitment = await runBenchmark(cpu, benchmark, { sha256 })
    const { root, open } = commitment
    const drawn = [{ segment: 1, row: 2 }]
    const right = open({ segment: 1, row: 2 })
    const first = open({ segment: 0, row: 2 })
    const { after, before } = right
    if (before === undefined) throw new Error('segment 1 begins at a checkpoint')
    const changed = after.state.with(9, (after.state[9] ?? 0) ^ 1)
    const wrong = [
      [],
      [right, right],
      [open({ segment: 2, row: 2 })],
      [{ ...open({ segment: 1, row: 3 }), row: 2 }],
      [{ ...right, after: { ...after, state: changed } }],
      [{ ...right, after: { ...after, state: after.state.subarray(1) } }],
      [{ ...right, after: { ...after, rowPath: after.rowPath.slice(1) } }],
      [{ ...right, after: { ...after, checkpointPath: [...after.checkpointPath, seedOf(0)] } }],
      [{ ...right, before: undefined }],
      [{ ...right, before: after }],
      [{ ...right, before: { ...before, checkpointPath: after.checkpointPath } }],
    ]
    for (const openings of wrong) {
      const verdict = await checkOpenings(cpu, { benchmark, root, drawn, openings }, { sha256 })
      expect(verdict.kind).toBe('wrong')
    }
    const zeroth = { benchmark, root, drawn: [{ segment: 0, row: 2 }], openings: [{ ...first, before }] }
    expect((await checkOpenings(cpu, zeroth, { sha256 })).kind).toBe('wrong')
  })

  test('who has the chain of another seed or size holds nowhere', async () => {
    const others = [drawBenchmark(seedOf(4), small), drawBenchmark(seedOf(3), { ...small, rows: 6 })]
    for (const other of others) {
      const commitment = await runBenchmark(cpu, other, { sha256 })
      expect(await holding(benchmark, commitment)).toBe(0)
    }
  })

  test('passes by luck about as often as the spec says', async () => {
    // Half of the cells hold: of 4 drawn all hold in one try of 16.
    const commitment = await cheat(benchmark, (states, segment) => (segment % 2 === 0 ? run(states) : states))
    const holds = new Set<string>()
    for (const cell of allCells(benchmark)) {
      if ((await judge(benchmark, commitment, [cell])).kind === 'right') holds.add(JSON.stringify(cell))
    }
    let passed = 0
    const tries = 4_000
    for (let index = 0; index < tries; index++) {
      const drawn = drawCells(benchmark, 4, Uint8Array.fromHex(seedOf(index)), sha256)
      if (drawn.every((cell) => holds.has(JSON.stringify(cell)))) passed++
    }
    expect(passed / tries).toBeGreaterThan(1 / 24)
    expect(passed / tries).toBeLessThan(1 / 11)
  })
})

describe('a product chain stays lively (N5)', () => {
  for (const [width, seeds, steps] of [
    [256, 12, 1024],
    [1024, 2, 256],
  ] as const) {
    test(`of width ${width}`, async () => {
      for (let seed = 0; seed < seeds; seed++) {
        const size = { kind: 'product', rows: 8, width, steps, checkpointEvery: 16 } as const
        const benchmark = drawBenchmark(seedOf(seed), size)
        const run = openSegment(benchmark, cpu, sha256)
        // Without marks between segments, so that what is seen is the step's own doing.
        let states = beginChain(benchmark, sha256).next() ?? new Uint8Array()
        // Row 1 begins as row 0 does, but for one byte.
        states.copyWithin(width, 0, width)
        states[width] = (states[width] ?? 0) ^ 1
        const seen = new Set<string>()
        for (let at = 0; at < steps; at += 16) {
          states = await run(states)
          expect(entropyOf(states)).toBeGreaterThan(6.2)
          for (let row = 0; row < 8; row++) {
            seen.add(Buffer.from(states.subarray(row * width, (row + 1) * width)).toString('latin1'))
          }
        }
        expect(seen.size).toBe((8 * steps) / 16)
        const differing = states.subarray(0, width).filter((byte, index) => byte !== states[width + index])
        expect(differing.length).toBeGreaterThan(width / 2)
      }
    })
  }
})

/** Bits in a byte, as if bytes were drawn one by one. */
function entropyOf(bytes: Uint8Array): number {
  const counts = new Uint32Array(256)
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1
  return counts.reduce((sum, count) => {
    const part = count / bytes.length
    return part === 0 ? sum : sum - part * Math.log2(part)
  }, 0)
}

test('a segment of more values than one program may have is run in several', async () => {
  // 256 rows of 1024 would be 168 MB of values in 128 steps, and this is 32 times that.
  const benchmark = drawBenchmark(seedOf(5), {
    kind: 'product',
    rows: 8192,
    width: 1024,
    steps: 64,
    checkpointEvery: 64,
  })
  let calls = 0
  let stepsSeen = 0
  const counting = {
    ...cpu,
    async execute(program: Parameters<typeof cpu.execute>[0], input: Uint8Array) {
      calls++
      stepsSeen += program.nodes.length / 2
      return { output: input, kept: new Map() }
    },
  }
  await openSegment(benchmark, counting, sha256)(new Uint8Array(8192 * 1024))
  expect(stepsSeen).toBe(64)
  expect(calls).toBe(3)
})
