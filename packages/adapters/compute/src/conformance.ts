/**
 * The one suite that every executor passes: the golden vectors, random shapes against the reference, the extremes of the
 * spec, and what an executor must refuse. It is part of the tests, not of the package's exports.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { type Digest, encodeHex } from '@shardy/protocol'
import {
  decodeProgram,
  evaluate,
  evaluateValues,
  inputLength,
  joinOutputs,
  type Node,
  type Program,
  matmulProgram as productProgram,
  type Tensor,
  type TensorType,
  tensorBytes,
  tensorType,
} from '@shardy/tensor'
import {
  arbitraryLayers,
  arbitraryProgram,
  type DrawnProgram,
  exampleNames,
  exampleProgram,
} from '@shardy/tensor/testing'
import fc from 'fast-check'
import arithmetic from '../../../../vectors/tensor/arithmetic.json'
import golden from '../../../../vectors/tensor/matmul.json'
import norms from '../../../../vectors/tensor/norms.json'
import pooling from '../../../../vectors/tensor/pooling.json'
import products from '../../../../vectors/tensor/products.json'
import programs from '../../../../vectors/tensor/programs.json'
import ranking from '../../../../vectors/tensor/ranking.json'
import requantize from '../../../../vectors/tensor/requantize.json'
import shapeCases from '../../../../vectors/tensor/shapes.json'
import tables from '../../../../vectors/tensor/tables.json'
import { ComputeError, type ComputeErrorKind, type Executor } from './executor.ts'

const goldenPrograms = {
  products,
  requantize,
  arithmetic,
  tables,
  norms,
  shapes: shapeCases,
  pooling,
  ranking,
  programs,
}

export interface Subject {
  open(): Promise<Executor>
  /** Whether it works in turns, so that it can be stopped midway. */
  readonly takesTurns: boolean
  readonly propertyRuns: number
}

/** The longest rows that inference lets pass (spec T8). */
const kMax = 65_793

function matmulProgram(m: number, k: number, n: number): Program {
  return productProgram({ m, k, n })
}

async function outputOf(executor: Executor, program: Program, input: Uint8Array): Promise<Uint8Array> {
  return (await executor.execute(program, input)).output
}

/** Bytes spread over the whole range, the same in every run: a failure can be repeated from its shape alone. */
export function scatteredInput(program: Program): Uint8Array {
  const input = new Uint8Array(inputLength(program))
  let state = 0x9e3779b9
  for (let index = 0; index < input.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    input[index] = state >>> 24
  }
  return input
}

async function kindOfFailure(answer: Promise<unknown>): Promise<ComputeErrorKind | 'none'> {
  try {
    await answer
    return 'none'
  } catch (thrown) {
    if (thrown instanceof ComputeError) return thrown.kind
    throw thrown
  }
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}

function digestOf(bytes: Uint8Array): Digest {
  return createHash('sha256').update(bytes).digest('hex') as Digest
}

/** Every node's value is asked for in one run, and none in another: what an executor fuses must not show. */
async function expectProgram(executor: Executor, { program, input, blobs }: DrawnProgram): Promise<void> {
  const tensors = evaluateValues(program, input, blobs)
  const first = program.inputs.length + program.constants.length
  const keep = program.nodes.map((_, index) => first + index)
  const whole = await executor.execute(program, input, { blobs, keep })
  for (const index of keep) {
    expectBytes(whole.kept.get(index) ?? new Uint8Array(), tensorBytes(tensors[index] as Tensor))
  }
  const expected = joinOutputs(program, tensors)
  expectBytes(whole.output, expected)
  const alone = await executor.execute(program, input, { blobs })
  expectBytes(alone.output, expected)
  expect(alone.kept.size).toBe(0)
}

/** Large outputs are compared as buffers: a difference is found fast and told by its first index. */
function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length)
  if (Buffer.compare(actual, expected) === 0) return
  const index = actual.findIndex((byte, at) => byte !== expected[at])
  throw new Error(`byte ${index} is ${actual[index]}, expected ${expected[index]}`)
}

const sizes = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.constantFrom(63, 64, 65, 127, 129),
  fc.integer({ min: 1, max: 140 }),
)
const shapes = fc.tuple(sizes, sizes, sizes)

const convolution = {
  strideH: 1,
  strideW: 2,
  padTop: 1,
  padLeft: 1,
  padBottom: 1,
  padRight: 1,
  dilationH: 1,
  dilationW: 1,
  groups: 2,
  padValue: 9,
}

/** Shapes at the borders of tiles, panels, words and lines of workgroups. */
const edges: [number, number, number][] = [
  [64, 16, 64],
  [65, 17, 65],
  [63, 15, 63],
  [4, 4, 4],
  [5, 5, 5],
  [1, 1024, 1],
  [1, 1025, 5],
  [3, 2049, 2],
  [130, 3, 1030],
  [1, 1, 70_001],
  [1, 3, 4096], // Fills a buffer to its last byte: what is written outside is seen.
  [2, 5, 8192],
  [66_001, 1, 2],
  [1, kMax, 1],
  [2, kMax, 3],
  [5, 65_533, 1],
]

const kLong = 140_000
const bit = { min: 0, max: 1 }

/** Inference bounds the sums, not k: where entries are small, rows may be longer than `kMax`. */
const longRows: readonly { name: string; inputs: readonly TensorType[]; node: Node }[] = [
  {
    name: 'B by rows',
    inputs: [tensorType('u8', [2, kLong], bit), tensorType('i8', [kLong, 2], bit)],
    node: { op: 'matmul', a: 0, b: 1, transposeB: false },
  },
  {
    name: 'B transposed',
    inputs: [tensorType('i8', [2, kLong], bit), tensorType('i8', [2, kLong], bit)],
    node: { op: 'matmul', a: 0, b: 1, transposeB: true },
  },
  {
    name: 'a batch',
    inputs: [tensorType('u8', [2, 2, kLong], bit), tensorType('i8', [2, kLong, 2], bit)],
    node: { op: 'matmul', a: 0, b: 1, transposeB: false },
  },
  {
    name: 'a convolution',
    inputs: [tensorType('u8', [1, 371, 372, 2], bit), tensorType('i8', [2, 370, 370, 1], bit)],
    node: { op: 'conv2d', x: 0, w: 1, ...convolution, padValue: 1 },
  },
]

export function describeExecutor(name: string, { open, takesTurns, propertyRuns }: Subject): void {
  describe(`executor ${name}`, () => {
    let executor: Executor
    beforeAll(async () => {
      executor = await open()
    })
    afterAll(() => executor?.close())

    test('names itself and its device in one line', () => {
      expect(executor.name).toMatch(/^(reference|cpu|webgpu)$/)
      expect(executor.adapter).toMatch(/^[\x20-\x7e]{1,120}$/)
    })

    test('golden vectors', async () => {
      for (const { name, m, k, n, input, inputFill, output } of golden.cases) {
        const program = matmulProgram(m, k, n)
        const bytes =
          inputFill === undefined
            ? Buffer.from(input ?? '', 'hex')
            : new Uint8Array(inputLength(program)).fill(Number.parseInt(inputFill, 16))
        expect([name, encodeHex(await outputOf(executor, program, bytes))]).toEqual([name, output])
      }
    })

    for (const [file, { cases }] of Object.entries(goldenPrograms)) {
      test(`golden vectors of ${file}`, async () => {
        for (const { name, program: bytes, blobs, input, output } of cases) {
          const decoded = decodeProgram(fromHex(bytes))
          if (!decoded.ok) throw new Error(`${name} is refused`)
          const { output: actual } = await executor.execute(decoded.value, fromHex(input), {
            blobs: new Map(blobs.map((blob) => [digestOf(fromHex(blob)), fromHex(blob)])),
          })
          expect([name, encodeHex(actual)]).toEqual([name, output])
        }
      })
    }

    for (const name of exampleNames) {
      test(`the example ${name}, with every value that is asked for`, async () => {
        const { program, input, blobs } = exampleProgram(name)
        await expectProgram(executor, { program, input, blobs })
      })
    }

    const drawn = [
      ['programs of any operations', arbitraryProgram()],
      ['layers of products', arbitraryLayers()],
    ] as const
    for (const [what, programs] of drawn) {
      test(`random ${what} agree with the reference in every value`, async () => {
        await fc.assert(
          fc.asyncProperty(programs, (each) => expectProgram(executor, each)),
          { numRuns: propertyRuns },
        )
      })
    }

    test('a convolution that is large enough to be spread, in groups and with padding', async () => {
      const program: Program = {
        inputs: [tensorType('u8', [2, 40, 40, 32]), tensorType('i8', [64, 3, 3, 16])],
        constants: [],
        nodes: [{ op: 'conv2d', x: 0, w: 1, ...convolution }],
        outputs: [2],
      }
      await expectProgram(executor, { program, input: scatteredInput(program), blobs: new Map() })
    })

    test('refuses constants that are missing, cut short, or outside their range', async () => {
      const blob = Uint8Array.of(1, 2, 3, 9)
      const program: Program = {
        inputs: [tensorType('i8', [1, 2])],
        constants: [{ type: tensorType('i8', [2, 2], { min: 0, max: 8 }), digest: digestOf(blob) }],
        nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: false }],
        outputs: [2],
      }
      for (const given of [undefined, blob.subarray(1), blob]) {
        const blobs = new Map(given === undefined ? [] : [[digestOf(blob), given]])
        expect(await kindOfFailure(executor.execute(program, new Uint8Array(2), { blobs }))).toBe(
          'inputRefused',
        )
      }
    })

    test('the same weights serve another input, and other weights are not mistaken for them', async () => {
      const blobs = [5, 6].map((fill) => new Uint8Array(64 * 64).fill(fill))
      for (const blob of [...blobs, ...blobs]) {
        const program: Program = {
          inputs: [tensorType('i8', [3, 64])],
          constants: [{ type: tensorType('i8', [64, 64]), digest: digestOf(blob) }],
          nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: true }],
          outputs: [2],
        }
        const input = scatteredInput(program).map((byte) => byte + (blob[0] ?? 0))
        await expectProgram(executor, { program, input, blobs: new Map([[digestOf(blob), blob]]) })
      }
    })

    test('random shapes and bytes agree with the reference', async () => {
      await fc.assert(
        fc.asyncProperty(shapes, fc.infiniteStream(fc.nat({ max: 255 })), async ([m, k, n], stream) => {
          const program = matmulProgram(m, k, n)
          const key = Uint8Array.from({ length: 61 }, () => stream.next().value ?? 0)
          const input = scatteredInput(program).map((byte, index) => byte ^ (key[index % 61] ?? 0))
          expectBytes(await outputOf(executor, program, input), evaluate(program, input))
        }),
        { numRuns: propertyRuns },
      )
    })

    for (const [m, k, n] of edges) {
      test(`agrees with the reference at ${m} × ${k} × ${n}`, async () => {
        const program = matmulProgram(m, k, n)
        const input = scatteredInput(program)
        expectBytes(await outputOf(executor, program, input), evaluate(program, input))
      })
    }

    const extremes: [number, number][] = [
      [-128, -128],
      [-128, 127],
      [127, 127],
      [-1, -1],
    ]
    for (const [left, right] of extremes) {
      test(`sums ${left} · ${right} over the longest k`, async () => {
        const program = matmulProgram(2, kMax, 3)
        const input = new Uint8Array(inputLength(program)).fill(right)
        input.fill(left, 0, 2 * kMax)
        const output = await outputOf(executor, program, input)
        const view = new DataView(output.buffer, output.byteOffset)
        for (let entry = 0; entry < 6; entry++)
          expect(view.getInt32(4 * entry, true)).toBe(kMax * left * right)
      })
    }

    for (const { name, inputs, node } of longRows) {
      test(`rows longer than any of whole bytes, which narrow ranges allow: ${name}`, async () => {
        const program: Program = { inputs, constants: [], nodes: [node], outputs: [2] }
        // The first row of A is all ones: its sums are the largest.
        const input = scatteredInput(program).map((byte, index) => (index < kLong ? 1 : (byte >> 3) & 1))
        expectBytes(await outputOf(executor, program, input), evaluate(program, input))
      }, 60_000)
    }

    test('leaves the input as it was, reads it inside a larger buffer, and never hands out its own memory', async () => {
      const program = matmulProgram(3, 5, 7)
      const input = scatteredInput(program)
      const frame = new Uint8Array(input.length + 6).fill(0xff)
      frame.set(input, 3)
      const before = frame.slice()
      const first = await outputOf(executor, program, frame.subarray(3, 3 + input.length))
      expect(frame).toEqual(before)
      expectBytes(first, evaluate(program, input))
      const kept = first.slice()
      await executor.execute(program, new Uint8Array(input.length).fill(1))
      expect(first).toEqual(kept)
    })

    test('a small program after a large one sees nothing of it', async () => {
      const large = matmulProgram(67, 71, 73)
      await executor.execute(large, new Uint8Array(inputLength(large)).fill(0x7f))
      for (const [m, k, n] of [
        [66, 69, 70],
        [1, 1, 1],
        [3, 3, 3],
      ] as const) {
        const program = matmulProgram(m, k, n)
        const input = scatteredInput(program)
        expectBytes(await outputOf(executor, program, input), evaluate(program, input))
      }
    })

    test('two executions at once do not disturb each other', async () => {
      const programs = [
        matmulProgram(129, 65, 127),
        matmulProgram(65, 129, 131),
        matmulProgram(300, 300, 300),
      ]
      const outputs = await Promise.all(
        programs.map((program) => outputOf(executor, program, scatteredInput(program))),
      )
      programs.forEach((program, index) => {
        expectBytes(outputs[index] ?? new Uint8Array(), evaluate(program, scatteredInput(program)))
      })
    })

    test('refuses input of another length', async () => {
      const program = matmulProgram(3, 5, 7)
      for (const length of [0, 49, 51]) {
        expect(await kindOfFailure(executor.execute(program, new Uint8Array(length)))).toBe('inputRefused')
      }
    })

    test('refuses a program outside its bounds', async () => {
      const program = matmulProgram(1, kMax + 1, 1)
      const input = new Uint8Array(2 * (kMax + 1))
      expect(await kindOfFailure(executor.execute(program, input))).toBe('programRefused')
    })

    test('a signal that was aborted before stops the work', async () => {
      const program = matmulProgram(3, 5, 7)
      const signal = AbortSignal.abort()
      expect(await kindOfFailure(executor.execute(program, scatteredInput(program), { signal }))).toBe(
        'aborted',
      )
    })

    test('progress never falls and ends with the whole', async () => {
      const program = matmulProgram(300, 300, 300)
      const seen: number[] = []
      await executor.execute(program, scatteredInput(program), {
        onProgress: (permille) => seen.push(permille),
      })
      expect(seen.at(-1)).toBe(1000)
      expect(seen).toEqual(seen.toSorted((left, right) => left - right))
      expect(seen.every((permille) => Number.isInteger(permille) && permille >= 0)).toBe(true)
    })

    if (takesTurns) {
      const long = matmulProgram(2048, 2048, 2048)

      test('an abort midway stops the work, and the next call is served', async () => {
        const controller = new AbortController()
        const onProgress = () => controller.abort()
        const { signal } = controller
        const answer = executor.execute(long, scatteredInput(long), { signal, onProgress })
        expect(await kindOfFailure(answer)).toBe('aborted')
        const program = matmulProgram(3, 5, 7)
        expectBytes(
          await outputOf(executor, program, scatteredInput(program)),
          evaluate(program, scatteredInput(program)),
        )
      })

      test('timers run while it works', async () => {
        let ticks = 0
        let ticksAtEnd = 0
        const timer = setInterval(() => ticks++, 1)
        const controller = new AbortController()
        const onProgress = () => {
          ticksAtEnd = ticks
          if (ticks > 1) controller.abort()
        }
        const answer = executor.execute(long, scatteredInput(long), { signal: controller.signal, onProgress })
        expect(await kindOfFailure(answer)).toBe('aborted')
        clearInterval(timer)
        expect(ticksAtEnd).toBeGreaterThan(1)
      })

      test('closing midway ends the call', async () => {
        const closing = await open()
        const answer = closing.execute(long, scatteredInput(long), {
          onProgress: () => {
            void closing.close()
          },
        })
        expect(await kindOfFailure(answer)).toBe('closed')
      })
    }

    test('refuses work after it was closed, and closes twice without harm', async () => {
      const closed = await open()
      await closed.close()
      await closed.close()
      const program = matmulProgram(1, 1, 1)
      expect(await kindOfFailure(closed.execute(program, new Uint8Array(2)))).toBe('closed')
    })
  })
}
