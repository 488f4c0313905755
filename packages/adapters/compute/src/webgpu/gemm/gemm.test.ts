import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { type Epilogue, outputKind } from './epilogue.ts'
import type { ProductSpec } from './product.ts'
import {
  download,
  type Operands,
  openSubject,
  referenceOutput,
  runProduct,
  type Subject,
  scatteredBytes,
  upload,
} from './subject.ts'
import type { Choice } from './tuner.ts'

// A software device compiles a kernel for seconds.
setDefaultTimeout(120_000)

const opened = await openSubject()

/** The candidates that tests run on each kernel: quick to compile, and of several workgroups at these sizes. */
const tested: readonly Choice[] = [
  { kernel: 'plain', tile: { rows: 32, columns: 32, down: 1, across: 1, unrolled: false } },
  { kernel: 'dot4', tile: { rows: 32, columns: 32, down: 1, across: 1, unrolled: false } },
  { kernel: 'subgroup', tile: { down: 2, across: 2, fragments: 2, stepBytes: 32, stages: 2 } },
  { kernel: 'subgroup', tile: { down: 2, across: 2, fragments: 4, stepBytes: 64, stages: 1 } },
]

function product(sizes: readonly number[], rest: Partial<ProductSpec> = {}): ProductSpec {
  const [m = 1, k = 1, n = 1] = sizes
  return { batch: 1, m, k, n, left: 'i8', sharedB: true, transposeB: false, ...rest }
}

function operandsOf({ batch, m, k, n, sharedB }: ProductSpec): Operands {
  return {
    a: scatteredBytes(batch * m * k, 1),
    b: scatteredBytes((sharedB ? 1 : batch) * k * n, 2),
  }
}

function words(length: number, seed: number): Int32Array {
  return new Int32Array(scatteredBytes(4 * length, seed).buffer)
}

function expectSame(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length)
  const wrong = actual.findIndex((byte, index) => byte !== expected[index])
  if (wrong !== -1) throw new Error(`byte ${wrong} is ${actual[wrong]}, expected ${expected[wrong]}`)
}

async function check(subject: Subject, spec: ProductSpec, operands: Operands, choice: Choice): Promise<void> {
  const { output, product: made } = await runProduct(subject, spec, operands, { choice })
  expect(made.kernel).toBe(choice.kernel)
  expectSame(output, referenceOutput(spec, operands, outputKind(spec.epilogue ?? {})))
}

if (typeof opened === 'string') {
  test.skip(`products on a GPU (${opened})`, () => {})
} else {
  const subject = opened
  const { device, gemm, errors } = subject
  afterAll(() => {
    device.destroy()
    expect(errors).toEqual([])
  })

  for (const choice of tested) {
    const name = `${choice.kernel} ${JSON.stringify(choice.tile)}`
    if (!gemm.kernels.includes(choice.kernel)) {
      test.skip(`${name} (the adapter has no such units: ${gemm.kernels.join(', ')})`, () => {})
      continue
    }

    describe(name, () => {
      const sizes = [
        [1, 1, 1],
        [5, 7, 9],
        [3, 65, 130],
        [33, 31, 35],
        [129, 66, 12],
        [17, 128, 20],
      ] as const
      for (const [m, k, n] of sizes) {
        test(`${m} × ${k} × ${n}, signed and unsigned, B as it is and transposed`, async () => {
          for (const left of ['i8', 'u8'] as const) {
            for (const transposeB of [false, true]) {
              const spec = product([m, k, n], { left, transposeB })
              await check(subject, spec, operandsOf(spec), choice)
            }
          }
        })
      }

      test('a batch, with one B for all and with one for each', async () => {
        for (const [m, k, n] of [
          [5, 33, 7],
          [3, 64, 8],
        ]) {
          for (const [sharedB, transposeB] of [
            [true, false],
            [false, false],
            [false, true],
          ]) {
            for (const left of ['i8', 'u8'] as const) {
              const spec = product([m ?? 1, k ?? 1, n ?? 1], {
                batch: 3,
                left,
                sharedB: sharedB === true,
                transposeB: transposeB === true,
              })
              await check(subject, spec, operandsOf(spec), choice)
            }
          }
        }
      })

      const extremes = [
        { left: 'i8', a: -128, b: -128 },
        { left: 'i8', a: -128, b: 127 },
        { left: 'u8', a: 255, b: -128 },
        { left: 'u8', a: 255, b: 127 },
        { left: 'u8', a: 0, b: -128 },
      ] as const
      test('the extremes of every sum', async () => {
        for (const { left, a, b } of extremes) {
          const spec = product([5, 1000, 6], { left })
          const operands = { a: new Uint8Array(5 * 1000).fill(a), b: new Uint8Array(1000 * 6).fill(b) }
          await check(subject, spec, operands, choice)
        }
      })

      const sliced = [
        { does: 'rows and columns apart', spec: product([200, 20, 600]), work: 128 * 256 * 20, count: 6 },
        // Matrices that begin where nothing can be bound.
        {
          does: 'batches apart',
          spec: product([5, 64, 7], { batch: 5, sharedB: false, transposeB: true }),
          work: 2 * 5 * 64 * 7,
          count: 3,
        },
      ] as const
      for (const { does, spec, work, count } of sliced) {
        test(`in slices, ${does}`, async () => {
          const operands = operandsOf(spec)
          const sliced = { choice, multiplyAddsMax: work }
          const { output, product: made } = await runProduct(subject, spec, operands, sliced)
          expect(made.ranges(work).length).toBe(count)
          expectSame(output, referenceOutput(spec, operands, 'i32'))
        })
      }
    })
  }

  describe('epilogues', () => {
    const choice = tested[gemm.kernels.includes('dot4') ? 1 : 0] as Choice
    const far = { per: 'tensor', multiplier: 1_518_500_250, shift: 44, zeroPoint: 3 } as const
    const channels = { per: 'channel', zeroPoint: -5 } as const
    const cases: readonly { readonly does: string; readonly epilogue: Epilogue }[] = [
      { does: 'bias', epilogue: { bias: true } },
      { does: 'requantize to i8', epilogue: { requantize: { ...far, to: 'i8' } } },
      {
        does: 'bias, requantize to u8',
        epilogue: { bias: true, requantize: { ...far, shift: 42, zeroPoint: 255, to: 'u8' } },
      },
      {
        does: 'bias, requantize to i32',
        epilogue: { bias: true, requantize: { ...far, shift: 31, zeroPoint: -128, to: 'i32' } },
      },
      { does: 'requantize channels to i8', epilogue: { requantize: { ...channels, to: 'i8' } } },
      {
        does: 'bias, requantize channels to i32',
        epilogue: { bias: true, requantize: { ...channels, to: 'i32' } },
      },
      {
        does: 'requantize to i8, look up u8',
        epilogue: { requantize: { ...far, to: 'i8' }, lookup: { to: 'u8' } },
      },
      {
        does: 'bias, requantize channels to u8, look up i8',
        epilogue: { bias: true, requantize: { ...channels, to: 'u8' }, lookup: { to: 'i8' } },
      },
      {
        does: 'requantize to u8, look up i32',
        epilogue: { requantize: { ...far, to: 'u8' }, lookup: { to: 'i32' } },
      },
    ]
    for (const { does, epilogue } of cases) {
      for (const [n, left] of [
        [12, 'i8'],
        [13, 'u8'],
      ] as const) {
        test(`${does}, ${n} columns of ${left}`, async () => {
          const spec = product([37, 70, n], { left, epilogue })
          const operands: Operands = {
            ...operandsOf(spec),
            bias: words(n, 3).map((word) => word >> 8),
            multipliers: words(n, 4),
            shifts: Uint8Array.from(
              { length: n },
              (_, index) => [0, 1, 31, 32, 33, 40, 47, 62][index % 8] ?? 0,
            ),
            table: epilogue.lookup?.to === 'i32' ? words(256, 5) : scatteredBytes(256, 6),
          }
          await check(subject, spec, operands, choice)
        })
      }
    }

    test('slices whose bytes begin and end within words, and share them', async () => {
      const spec = product([200, 20, 301], { epilogue: { requantize: { ...far, to: 'i8' } } })
      const operands = operandsOf(spec)
      const work = 128 * 256 * 20
      const { output, product: made } = await runProduct(subject, spec, operands, {
        choice,
        multiplyAddsMax: work,
      })
      expect(made.ranges(work).length).toBe(4)
      expectSame(output, referenceOutput(spec, operands, 'i8'))
    })

    /** One product gives every sum a chosen value: k = 1, A = 1, B = 0, and the bias does the rest. */
    async function checkSums(sums: readonly number[], epilogue: Epilogue): Promise<void> {
      const n = 4 * Math.ceil(sums.length / 4)
      const bias = new Int32Array(n)
      bias.set(sums)
      const spec = product([1, 1, n], { epilogue: { bias: true, ...epilogue } })
      const operands = { a: Uint8Array.of(1), b: new Uint8Array(n), bias }
      await check(subject, spec, operands, choice)
    }

    const corners = [0, 1, -1, 2, 127, -128, 255, 65_535, 65_536, -65_536, 2 ** 31 - 1, -(2 ** 31), 2 ** 30]
    test('products of 64 bits at every shift, where they saturate and where they round', async () => {
      for (const to of ['i8', 'i32'] as const) {
        for (const multiplier of [0, 1, -1, 3, 65_535, 65_537, -65_536, 2 ** 31 - 1, -(2 ** 31)]) {
          for (const shift of [0, 1, 2, 15, 16, 17, 30, 31, 32, 33, 34, 47, 61, 62]) {
            for (const zeroPoint of [-128, 0, 255])
              await checkSums(corners, { requantize: { per: 'tensor', multiplier, shift, zeroPoint, to } })
          }
        }
      }
    })
  })

  test('packs a resident weight once for several products', async () => {
    const first = product([40, 70, 24])
    const second = product([9, 70, 24], { epilogue: { bias: true } })
    const [one, other] = [await gemm.prepare(first), await gemm.prepare(second)]
    expect(one.bLayout).toBe(other.bLayout)
    expect(one.packedBytes.b).toBe(other.packedBytes.b)
    const operands = { ...operandsOf(second), bias: words(24, 7) }
    const [a, b, bias] = [
      upload(device, operands.a),
      upload(device, operands.b),
      upload(device, operands.bias),
    ]
    const packed = {
      a: upload(device, new Uint8Array(other.packedBytes.a)),
      b: upload(device, new Uint8Array(one.packedBytes.b)),
    }
    const out = upload(device, new Uint8Array(other.outputBytes))
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    one.packB(pass, b, packed.b)
    other.packA(pass, a, packed.a)
    other.encode(pass, { ...packed, bias, out })
    pass.end()
    device.queue.submit([encoder.finish()])
    expectSame(await download(device, out, other.outputBytes), referenceOutput(second, operands, 'i32'))
    one.close()
    other.close()
  })

  test('a buffer that the epilogue needs and did not get is named', async () => {
    const made = await gemm.prepare(product([1, 1, 4], { epilogue: { bias: true } }))
    const buffer = upload(device, new Uint8Array(8192))
    const pass = device.createCommandEncoder().beginComputePass()
    const lacking = { a: buffer, b: buffer, out: buffer }
    expect(() => made.encode(pass, lacking)).toThrow('the product needs a buffer of bias')
    made.close()
  })

  test('refuses a product outside the rules', async () => {
    const refused = [
      [product([0, 1, 1]), 'a product with m = 0'],
      [
        product([1, 1, 1], { epilogue: { lookup: { to: 'i8' } } }),
        'a product with a lookup without a requantization',
      ],
      [
        product([1, 1, 1], {
          epilogue: { requantize: { per: 'tensor', multiplier: 1, shift: 63, zeroPoint: 0, to: 'i8' } },
        }),
        'a product with a shift of 63',
      ],
    ] as const
    for (const [spec, says] of refused) {
      const thrown = await gemm.prepare(spec).catch((error: unknown) => error)
      expect(thrown).toMatchObject({ kind: 'programRefused', message: expect.stringContaining(says) })
    }
  })

  test('tuning times the candidates once for a class of shapes, and products follow', async () => {
    const spec = product([16, 64, 16])
    const choice = await gemm.tune(spec)
    expect(gemm.kernels).toContain(choice.kernel)
    expect(await gemm.tune(product([15, 64, 14]))).toBe(choice)
    const made = await gemm.prepare(spec)
    expect(made.kernel).toBe(choice.kernel)
    made.close()
  })

  test('f32, close to doubles', async () => {
    for (const transposeB of [false, true]) {
      for (const [m, k, n] of [
        [5, 7, 9],
        [33, 32, 36],
      ] as const) {
        const made = await gemm.prepareFloat({ batch: 1, m, k, n, sharedB: true, transposeB })
        const entry = (_: unknown, index: number) => Math.sin(index)
        const [a, b] = [
          Float32Array.from({ length: m * k }, entry),
          Float32Array.from({ length: k * n }, entry),
        ]
        const sources = { a: upload(device, a), b: upload(device, b) }
        const packed = {
          a: made.packedBytes.a > 0 ? upload(device, new Uint8Array(made.packedBytes.a)) : sources.a,
          b: made.packedBytes.b > 0 ? upload(device, new Uint8Array(made.packedBytes.b)) : sources.b,
        }
        const out = upload(device, new Uint8Array(made.outputBytes))
        const encoder = device.createCommandEncoder()
        const pass = encoder.beginComputePass()
        if (made.packedBytes.a > 0) made.packA(pass, sources.a, packed.a)
        if (made.packedBytes.b > 0) made.packB(pass, sources.b, packed.b)
        made.encode(pass, { ...packed, out })
        pass.end()
        device.queue.submit([encoder.finish()])
        const c = new Float32Array((await download(device, out, made.outputBytes)).buffer)
        for (let row = 0; row < m; row++) {
          for (let column = 0; column < n; column++) {
            let sum = 0
            for (let inner = 0; inner < k; inner++) {
              const at = transposeB ? column * k + inner : inner * n + column
              sum += (a[row * k + inner] ?? 0) * (b[at] ?? 0)
            }
            expect(c[row * n + column]).toBeCloseTo(sum, 4)
          }
        }
        made.close()
      }
    }
  })
}
