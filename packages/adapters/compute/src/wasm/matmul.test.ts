import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KernelError } from './instance.ts'
import { openKernels } from './kernels.ts'
import type { PackedRight, RightShape } from './matmul.ts'

const opened = await openKernels()
if (!opened.ok) throw new Error(opened.refusal.message)
const { matmul, field } = opened.kernels

type Left = Int8Array | Uint8Array

function finish<T>(steps: Generator<number, T, void>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

function scattered(length: number, seed: number): Uint8Array {
  let state = seed | 0
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state >>> 24
  })
}

function signed(bytes: Uint8Array): Int8Array {
  return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The definition, with sums of doubles, which are exact here. */
function expected(a: Left, m: number, b: Int8Array, { k, n, layout }: RightShape): Int32Array {
  const c = new Int32Array(m * n)
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let sum = 0
      for (let inner = 0; inner < k; inner++) {
        const right = layout === 'rows' ? b[inner * n + column] : b[column * k + inner]
        sum += (a[row * k + inner] ?? Number.NaN) * (right ?? Number.NaN)
      }
      c[row * n + column] = sum
    }
  }
  return c
}

function expectProduct(a: Left, m: number, b: Int8Array, shape: RightShape): void {
  const c = finish(matmul.multiply(a, m, matmul.packRight(b, shape)))
  expect(Buffer.compare(Buffer.from(c.buffer), Buffer.from(expected(a, m, b, shape).buffer))).toBe(0)
}

const layouts = ['rows', 'transposed'] as const

const isSame = (c: Int32Array, right: Int32Array): boolean =>
  Buffer.compare(Buffer.from(c.buffer, c.byteOffset, c.byteLength), Buffer.from(right.buffer)) === 0

describe('int8 product in one go', () => {
  const side = fc.integer({ min: 1, max: 100 })
  const seeds = fc.integer()
  test('is that of the blocks, whatever was in memory before', () => {
    fc.assert(
      fc.property(
        side,
        side,
        fc.integer({ min: 12, max: 100 }),
        seeds,
        fc.boolean(),
        (m, k, n, seed, isSigned) => {
          for (const layout of layouts) {
            const bytes = scattered(m * k, seed)
            const a = isSigned ? signed(bytes) : bytes
            const b = signed(scattered(k * n, seed + 1))
            const shape = { k, n, layout }
            const c = matmul.multiplySmall(a, m, b, shape)
            expect(c && isSame(c, expected(a, m, b, shape))).toBe(true)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  test('is left to the blocks where it is narrow or does not fit', () => {
    for (const [k, n] of [
      [1, 11],
      [193, 12],
      [1, 193],
    ] as const) {
      const c = matmul.multiplySmall(new Int8Array(k), 1, new Int8Array(k * n), { k, n, layout: 'rows' })
      expect(c).toBeUndefined()
    }
  })

  test('refuses sides of another length', () => {
    const shape = { k: 16, n: 16, layout: 'rows' } as const
    expect(() => matmul.multiplySmall(new Int8Array(15), 1, new Int8Array(256), shape)).toThrow(KernelError)
    expect(() => matmul.multiplySmall(new Int8Array(16), 1, new Int8Array(255), shape)).toThrow(KernelError)
  })
})

/** At the borders of tiles (3 × 12), of blocks (48 rows, 768 columns, 768 along k) and of groups (5,376 along k). */
const edges: [number, number, number][] = [
  [1, 1, 1],
  [3, 2, 12],
  [4, 3, 13],
  [2, 1, 11],
  [48, 768, 12],
  [49, 769, 13],
  [97, 5, 768],
  [5, 9, 769],
  [2, 5376, 5],
  [2, 5377, 5],
  [4, 10_753, 2],
  [49, 5379, 13], // Sums of the first group come back for several blocks of rows.
  [1, 1, 3001],
  [1000, 1, 1],
  [7, 30, 1537],
]

describe('int8 product', () => {
  for (const [m, k, n] of edges) {
    for (const layout of layouts) {
      test(`is exact at ${m} × ${k} × ${n}, B by ${layout}`, () => {
        const b = signed(scattered(k * n, 7))
        expectProduct(signed(scattered(m * k, 3)), m, b, { k, n, layout })
        expectProduct(scattered(m * k, 5), m, b, { k, n, layout })
      })
    }
  }

  test('is exact at random shapes and bytes, in views at any alignment', () => {
    const size = fc.integer({ min: 1, max: 70 })
    fc.assert(
      fc.property(
        fc.tuple(size, size, size, fc.nat({ max: 7 }), fc.boolean(), fc.constantFrom(...layouts), fc.nat()),
        ([m, k, n, offset, isSigned, layout, seed]) => {
          const frame = scattered(offset + m * k + k * n, seed)
          const left = frame.subarray(offset, offset + m * k)
          const right = signed(frame.subarray(offset + m * k))
          expectProduct(isSigned ? signed(left) : left, m, right, { k, n, layout })
        },
      ),
      { numRuns: 100 },
    )
  })

  test('holds every extreme up to the longest k', () => {
    const k = 131_071
    const cases = [
      { a: new Int8Array(k).fill(-128), b: -128, sum: 2_147_467_264 },
      { a: new Int8Array(k).fill(127), b: -128, sum: -2_130_690_176 },
      { a: new Uint8Array(65_793).fill(255), b: -128, sum: -2_147_483_520 },
      { a: new Uint8Array(65_793).fill(255), b: 127, sum: 2_130_706_305 },
    ]
    for (const { a, b, sum } of cases) {
      const shape = { k: a.length, n: 1, layout: 'rows' } as const
      const right = matmul.packRight(new Int8Array(a.length).fill(b), shape)
      expect([...finish(matmul.multiply(a, 1, right))]).toEqual([sum])
    }
    // Beyond 32 bits the sum is taken modulo 2^32, as documented.
    const right = matmul.packRight(new Int8Array(k).fill(-128), { k, n: 1, layout: 'rows' })
    const [wrapped] = finish(matmul.multiply(new Uint8Array(k).fill(255), 1, right))
    expect(wrapped).toBe((255 * -128 * k) | 0)
  })

  test('writes where it is told, and packs into shared memory', () => {
    const shape = { k: 20, n: 30, layout: 'rows' } as const
    const [a, b] = [signed(scattered(200, 1)), signed(scattered(600, 2))]
    const packed = new Uint8Array(new SharedArrayBuffer(matmul.packedLength(shape)))
    const right = matmul.packRight(b, shape, packed)
    expect(right.bytes).toBe(packed)
    const c = new Int32Array(302)
    finish(matmul.multiply(a, 10, right, c.subarray(1, 301)))
    expect([c[0], c[301]]).toEqual([0, 0])
    expect([...c.subarray(1, 301)]).toEqual([...expected(a, 10, b, shape)])
  })

  test('packs to the same bytes whatever ran before, whichever way B lies', () => {
    const [k, n] = [771, 790]
    const b = scattered(k * n, 11)
    const across = new Uint8Array(n * k)
    for (let inner = 0; inner < k; inner++) {
      for (let column = 0; column < n; column++) across[column * k + inner] = b[inner * n + column] ?? 0
    }
    const first = matmul.packRight(signed(b), { k, n, layout: 'rows' }).bytes
    finish(
      matmul.multiply(
        new Int8Array(2 * k).fill(-1),
        2,
        matmul.packRight(signed(b), { k, n, layout: 'rows' }),
      ),
    )
    const second = matmul.packRight(signed(across), { k, n, layout: 'transposed' }).bytes
    expect(Buffer.compare(first, second)).toBe(0)
  })

  test('fills up with zeros, and would be exact with any other filling', () => {
    const right = matmul.packRight(Int8Array.of(5), { k: 1, n: 1, layout: 'rows' })
    expect([...right.bytes]).toEqual([5, ...new Array<number>(23).fill(0)])
    right.bytes.fill(77, 1)
    expect([...finish(matmul.multiply(Int8Array.of(-3, 4), 2, right))]).toEqual([-15, 20])
  })

  test('works in steps that rise to the end, and shares the instance with others between them', () => {
    const shape = { k: 90, n: 80, layout: 'rows' } as const
    const operands = [1, 2].map((seed) => ({
      a: signed(scattered(150 * shape.k, seed)),
      b: signed(scattered(shape.k * shape.n, seed + 10)),
    }))
    const work = operands.map(({ a, b }) => matmul.multiply(a, 150, matmul.packRight(b, shape)))
    const done: (Int32Array | undefined)[] = [undefined, undefined]
    const seen: number[][] = [[], []]
    while (done.includes(undefined)) {
      work.forEach((steps, index) => {
        if (done[index] !== undefined) return
        const step = steps.next()
        if (step.done) done[index] = step.value
        else seen[index]?.push(step.value)
      })
      const vectors = { repetitions: 1, elements: new Uint32Array(40).fill(1) }
      field.multiplyBytes(new Int8Array(40).fill(1), { rows: 1, columns: 40 }, vectors)
    }
    operands.forEach(({ a, b }, index) => {
      const wanted = expected(a, 150, b, shape)
      expect(done[index]?.findIndex((sum, at) => sum !== wanted[at])).toBe(-1)
      const parts = seen[index] ?? []
      expect(parts.length).toBeGreaterThan(2)
      expect(parts).toEqual([...parts].sort((left, right) => left - right))
      expect(parts.every((part) => part > 0 && part < 1)).toBe(true)
    })
  })

  const shape = { k: 4, n: 5, layout: 'rows' } as const
  const b = new Int8Array(20)
  const right = matmul.packRight(b, shape)
  const refused: { desc: string; call: () => unknown; kind: KernelError['kind'] }[] = [
    { desc: 'a short B', call: () => matmul.packRight(b.subarray(1), shape), kind: 'length' },
    { desc: 'no room for B', call: () => matmul.packRight(b, shape, new Uint8Array(47)), kind: 'length' },
    { desc: 'no columns', call: () => matmul.packRight(b, { ...shape, n: 0 }), kind: 'parameter' },
    {
      desc: 'k beyond the longest',
      call: () => matmul.packedLength({ k: 131_072, n: 1 }),
      kind: 'parameter',
    },
    { desc: 'a fraction', call: () => matmul.packedLength({ k: 1.5, n: 1 }), kind: 'parameter' },
    { desc: 'a short A', call: () => finish(matmul.multiply(new Int8Array(7), 2, right)), kind: 'length' },
    { desc: 'no rows', call: () => finish(matmul.multiply(new Int8Array(0), 0, right)), kind: 'parameter' },
    {
      desc: 'a packed B of another shape',
      call: () => finish(matmul.multiply(new Int8Array(8), 2, { ...right, n: 13 } satisfies PackedRight)),
      kind: 'length',
    },
    {
      desc: 'no room for C',
      call: () => finish(matmul.multiply(new Int8Array(8), 2, right, new Int32Array(9))),
      kind: 'length',
    },
  ]
  for (const { desc, call, kind } of refused) {
    test(`refuses ${desc}`, () => {
      expect(call).toThrow(KernelError)
      expect(call).toThrow(expect.objectContaining({ kind }))
    })
  }
})
