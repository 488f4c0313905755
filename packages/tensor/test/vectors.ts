/**
 * The golden files of the language: for each family of operations its corners and a handful of drawn programs, whole
 * programs, and bytes that are none. Every value of every case is computed twice, by the references and by the formulas.
 */
import { type Digest, encodeHex } from '@shardy/protocol'
import { type Node, type OperationName, operandsOf } from '../src/operations/index.ts'
import { decodeProgram, encodeProgram, programId } from '../src/program/encoding.ts'
import { evaluateValues, joinOutputs } from '../src/program/evaluate.ts'
import { type Constant, type Program, type TensorType, tensorType } from '../src/program/program.ts'
import { type Dtype, dtypeFacts, type Tensor, tensorBytes } from '../src/tensor.ts'
import { type Attributes, tensor } from './alone.ts'
import { type Draw, type DrawnProgram, drawProgram } from './drawProgram.ts'
import { byFormula } from './formulas.ts'
import { refusedPrograms } from './refusedPrograms.ts'
import { sha256 } from './sha256.ts'
import { wholePrograms } from './wholePrograms.ts'

export interface VectorCase {
  readonly name: string
  readonly program: string
  readonly programId: string
  readonly blobs: readonly string[]
  readonly input: string
  readonly output: string
}

/** The same stream of numbers on every machine. */
export function drawFrom(seed: number): Draw {
  let state = seed | 0
  return (min, max) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    const unit = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    return min + Math.floor(unit * (max - min + 1))
  }
}

/** Both meanings, which must agree before a case is written. */
export function outputOf({ program, input, blobs }: DrawnProgram): Uint8Array {
  const tensors = evaluateValues(program, input, blobs)
  const first = program.inputs.length + program.constants.length
  for (const [index, node] of program.nodes.entries()) {
    const operands = operandsOf(node).map((operand) => tensors[operand] as Tensor)
    const { entries } = byFormula(node, operands)
    const actual = Array.from(tensors[first + index]?.data ?? [], BigInt)
    if (actual.join() !== entries.join()) throw new Error(`${node.op} disagrees with its formula`)
  }
  return joinOutputs(program, tensors)
}

function vectorCase(name: string, drawn: DrawnProgram): VectorCase {
  const { program, input, blobs } = drawn
  const named = new Set(program.constants.map(({ digest }) => digest))
  return {
    name,
    program: encodeHex(encodeProgram(program)),
    programId: programId(program, sha256),
    blobs: [...blobs].filter(([digest]) => named.has(digest)).map(([, bytes]) => encodeHex(bytes)),
    input: encodeHex(input),
    output: encodeHex(outputOf(drawn)),
  }
}

/** One operation on given operands, all of them inputs, declared to hold anything that `ranges` does not narrow. */
export function alone(
  op: OperationName,
  attributes: Attributes,
  operands: Readonly<Record<string, Tensor>>,
  ranges: Readonly<Record<string, { min: number; max: number }>> = {},
): DrawnProgram {
  const named = Object.entries(operands)
  const inputs: TensorType[] = named.map(([name, { dtype, shape }]) => {
    return tensorType(dtype, shape, ranges[name] ?? dtypeFacts[dtype])
  })
  const indices = named.map(([, _], index) => index)
  const places =
    op === 'concat' ? { xs: indices } : Object.fromEntries(named.map(([name], index) => [name, index]))
  const nodes = [{ op, ...places, ...attributes } as unknown as Node]
  const input = Buffer.concat(named.map(([, { data }]) => tensorBytes({ data })))
  const program = { inputs, constants: [], nodes, outputs: [inputs.length] }
  const decoded = decodeProgram(encodeProgram(program))
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.refusal))
  return { program: decoded.value, input, blobs: new Map() }
}

const [low, high] = [dtypeFacts.i32.min, dtypeFacts.i32.max]
const row = (dtype: Dtype, ...entries: number[]) => tensor(dtype, [entries.length], entries)
const table = (dtype: Dtype, entry: (index: number) => number) =>
  tensor(
    dtype,
    [256],
    Array.from({ length: 256 }, (_, index) => entry(index)),
  )

const window = {
  strideH: 1,
  strideW: 1,
  padTop: 1,
  padLeft: 1,
  padBottom: 1,
  padRight: 1,
}
const square = tensor('i8', [1, 3, 3, 1], [-128, 127, -1, 0, 1, -2, 5, -7, 9])
const small = { min: -32_767, max: 32_767 }

interface Corner {
  readonly name: string
  readonly case: DrawnProgram
}

/** What goes wrong first: halves below zero, both ends, signs, ties, padding, and 64 bits. */
const corners: Readonly<Record<string, readonly Corner[]>> = {
  products: [
    {
      name: 'matmul of the extremes, u8 by i8',
      case: alone(
        'matmul',
        { transposeB: false },
        {
          a: tensor('u8', [1, 3], [255, 255, 255]),
          b: tensor('i8', [3, 2], [-128, 127, -128, 127, -128, 127]),
        },
      ),
    },
    {
      name: 'conv2d with padding that is a zero point',
      case: alone(
        'conv2d',
        { ...window, dilationH: 1, dilationW: 1, groups: 1, padValue: -128 },
        {
          x: square,
          w: tensor(
            'i8',
            [2, 3, 3, 1],
            Array.from({ length: 18 }, (_, index) => index * 14 - 120),
          ),
        },
      ),
    },
  ],
  requantize: [
    ...[0, 1, 31, 32, 33, 61, 62].map((shift) => ({
      name: `requantize of the ends by ${shift} places`,
      case: alone(
        'requantize',
        { multiplier: low, shift, zeroPoint: 0, to: 'i32' },
        { x: row('i32', low, low + 1, -1, 0, 1, high - 1, high) },
      ),
    })),
    {
      name: 'requantize: halves round upward',
      case: alone(
        'requantize',
        { multiplier: -1, shift: 1, zeroPoint: -1, to: 'i8' },
        { x: row('i32', -5, -3, -1, 1, 3, 5, 300, -300) },
      ),
    },
    {
      name: 'requantizeChannels: a factor for each',
      case: alone(
        'requantizeChannels',
        { zeroPoint: 128, to: 'u8' },
        {
          x: tensor('i32', [2, 4], [low, low, 7, 7, high, high, -7, -7]),
          multipliers: row('i32', high, low, -3, 0),
          shifts: row('u8', 55, 62, 0, 5),
        },
        { shifts: { min: 0, max: 62 } },
      ),
    },
    {
      name: 'bias to the ends of int32',
      case: alone(
        'bias',
        {},
        { x: tensor('i32', [2, 2], [low + 9, high - 9, low + 9, high - 9]), b: row('i32', -9, 9) },
        { x: { min: low + 9, max: high - 9 }, b: { min: -9, max: 9 } },
      ),
    },
  ],
  arithmetic: [
    {
      name: 'subtract of u32 beyond int32',
      case: alone(
        'subtract',
        {},
        { x: row('u32', 2 ** 32 - 1, 2 ** 31), y: row('u32', 2 ** 31, 2 ** 32 - 1) },
        { x: { min: 2 ** 31, max: 2 ** 32 - 1 }, y: { min: 2 ** 31, max: 2 ** 32 - 1 } },
      ),
    },
    {
      name: 'multiply of u32 by i8, read across rows',
      case: alone(
        'multiply',
        {},
        { x: tensor('u32', [2, 3], [1, 2, 3, 4, 5, 2 ** 24]), y: tensor('i8', [2, 1], [-1, -128]) },
        { x: { min: 0, max: 2 ** 24 } },
      ),
    },
    { name: 'relu of the ends', case: alone('relu', {}, { x: row('i32', low, -1, 0, 1, high) }) },
    {
      name: 'clamp of u32 beyond int32',
      case: alone('clamp', { min: 5, max: 2 ** 32 - 2 }, { x: row('u32', 0, 5, 2 ** 31, 2 ** 32 - 1) }),
    },
    {
      name: 'convert of u32 to i8',
      case: alone('convert', { to: 'i8' }, { x: row('u32', 0, 127) }, { x: { min: 0, max: 127 } }),
    },
  ],
  tables: [
    {
      name: 'lookup by i8',
      case: alone(
        'lookup',
        {},
        { x: row('i8', -128, -1, 0, 127), table: table('i32', (at) => at * 8_421_504 + low) },
      ),
    },
    {
      name: 'lookup by u8',
      case: alone('lookup', {}, { x: row('u8', 0, 127, 128, 255), table: table('i8', (at) => at - 128) }),
    },
    {
      name: 'gather of the last row first',
      case: alone(
        'gather',
        {},
        {
          table: tensor('i32', [3, 2], [low, 1, 2, 3, 4, high]),
          indices: tensor('i8', [2, 2], [2, 0, 1, 2]),
        },
        { indices: { min: 0, max: 2 } },
      ),
    },
    {
      name: 'softmax of both ends of int32',
      case: alone(
        'softmax',
        {},
        {
          x: tensor('i32', [2, 4], [high, low, high - 254, high - 255, 0, 1, 2, 3]),
          table: table('u32', (at) => (at === 255 ? 3 : Math.max(65_535 - 257 * at, 1))),
        },
        { table: { min: 0, max: 65_535 } },
      ),
    },
    {
      name: 'softmax of rows whose shares are all zero',
      case: alone(
        'softmax',
        {},
        { x: tensor('i8', [1, 3], [1, 2, 3]), table: table('u32', (at) => (at > 2 ? 65_535 : 0)) },
        { table: { min: 0, max: 65_535 } },
      ),
    },
  ],
  norms: [
    ...(['rmsNorm', 'layerNorm'] as const).flatMap((op) => [
      {
        name: `${op} of the ends`,
        case: alone(
          op,
          { epsilon: 1, shift: 0 },
          {
            x: tensor('i32', [2, 4], [-32_767, 32_767, -32_767, 32_767, 1, -1, 0, 0]),
            gain: row('i32', 32_767, 32_767, -32_767, 1),
          },
          { x: small, gain: small },
        ),
      },
      {
        name: `${op} of zeros`,
        case: alone(
          op,
          { epsilon: 2 ** 31 - 1, shift: 6 },
          { x: row('u8', 0, 0, 0), gain: row('i32', 1, 2, 3) },
          { gain: small },
        ),
      },
      {
        name: `${op} of one entry far from the others`,
        case: alone(
          op,
          { epsilon: 10, shift: 3 },
          {
            x: row('i32', 32_767, -32_767, -32_767, -32_767, -32_767, -32_767, -32_767),
            gain: row('i32', ...Array(7).fill(32_767)),
          },
          { x: small, gain: small },
        ),
      },
    ]),
    ...[true, false].map((interleaved) => ({
      name: `rotary, pairs ${interleaved ? 'side by side' : 'half a row apart'}`,
      case: alone(
        'rotary',
        { shift: 15, interleaved },
        {
          x: tensor('i32', [2, 4], [32_767, -32_767, -1, 1, 32_767, 32_767, -32_767, -32_767]),
          cos: tensor('i32', [2, 2], [32_767, -32_767, 16_384, 0]),
          sin: tensor('i32', [2, 2], [-32_767, 32_767, 16_384, 32_767]),
        },
        { x: small, cos: small, sin: small },
      ),
    })),
    {
      name: 'ema between the ends',
      case: alone(
        'ema',
        { alpha: 43_691, fraction: 8 },
        { x: tensor('i32', [5, 2], [2 ** 22, -(2 ** 22), -(2 ** 22), 2 ** 22, 1, -1, 0, 0, 2 ** 22, 3]) },
        { x: { min: -(2 ** 22), max: 2 ** 22 } },
      ),
    },
  ],
  pooling: (['maxPool', 'averagePool'] as const).map((op) => ({
    name: `${op} with padding on all sides`,
    case: alone(op, { ...window, windowH: 2, windowW: 3 }, { x: square }),
  })),
  ranking: [
    {
      name: 'argmax: the first of equals',
      case: alone('argmax', {}, { x: tensor('i8', [2, 4], [-3, 7, 7, -3, -128, -128, -128, -128]) }),
    },
    { name: 'argmax of a row', case: alone('argmax', {}, { x: row('u32', 5, 2 ** 32 - 1, 2 ** 31) }) },
    ...['values', 'indices'].map((result) => ({
      name: `topK, ${result}: equals in their order`,
      case: alone(
        'topK',
        { k: 3, result },
        { x: tensor('i32', [2, 5], [1, 3, 3, low, 3, high, 0, low, high, 0]) },
      ),
    })),
  ],
  shapes: [],
}

const families: Readonly<Record<string, readonly OperationName[]>> = {
  products: ['matmul', 'conv2d'],
  requantize: ['bias', 'requantize', 'requantizeChannels'],
  arithmetic: ['add', 'subtract', 'multiply', 'relu', 'clamp', 'convert'],
  tables: ['lookup', 'softmax', 'gather'],
  norms: ['rmsNorm', 'layerNorm', 'rotary', 'ema'],
  shapes: ['transpose', 'reshape', 'slice', 'concat'],
  pooling: ['maxPool', 'averagePool'],
  ranking: ['argmax', 'topK'],
}

/** Drawn programs that are small enough to be read by a person who looks for a bug. */
function drawnCases(
  among: readonly OperationName[],
  seed: number,
  { count, nodes, bytesMax }: Bounds,
): VectorCase[] {
  const draw = drawFrom(seed)
  const cases: VectorCase[] = []
  while (cases.length < count) {
    const drawn = drawProgram(draw, { sha256, nodes, among })
    const blobBytes = [...drawn.blobs.values()].reduce((sum, { length }) => sum + length, 0)
    if (encodeProgram(drawn.program).length + drawn.input.length + blobBytes > bytesMax) continue
    const name = `drawn ${among.length === 1 ? among[0] : 'program'} ${cases.length + 1}`
    cases.push(vectorCase(name, drawn))
  }
  return cases
}

interface Bounds {
  readonly count: number
  readonly nodes: number
  readonly bytesMax: number
}

function family(name: string, operations: readonly OperationName[], seed: number): readonly VectorCase[] {
  return [
    ...(corners[name] ?? []).map((corner) => vectorCase(corner.name, corner.case)),
    ...operations.flatMap((op, index) => {
      return drawnCases([op], 100 * seed + index, { count: 6, nodes: 1, bytesMax: 1_600 })
    }),
  ]
}

/** A plain product in its short form, as `matmul.json` has it. */
export interface ProductCase {
  readonly name: string
  readonly m: number
  readonly k: number
  readonly n: number
  readonly input?: string
  readonly inputFill?: string
  readonly output: string
}

/** The outputs are kept: they were made in another language than the references. */
function product(given: ProductCase): Record<string, unknown> {
  const { name, m, k, n, input, inputFill, output } = given
  const program: Program = {
    inputs: [tensorType('i8', [m, k]), tensorType('i8', [k, n])],
    constants: [] as readonly Constant[],
    nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: false }],
    outputs: [2],
  }
  const bytes =
    inputFill === undefined
      ? Uint8Array.fromHex(input ?? '')
      : new Uint8Array(m * k + k * n).fill(Number.parseInt(inputFill, 16))
  const made = encodeHex(outputOf({ program, input: bytes, blobs: new Map<Digest, Uint8Array>() }))
  if (made !== output) throw new Error(`${name}: ${made} is not ${output}`)
  const id = programId(program, sha256)
  const filled = inputFill === undefined ? { input } : { inputFill }
  return { name, m, k, n, program: encodeHex(encodeProgram(program)), programId: id, ...filled, output }
}

/** Every file by its name. */
export function makeVectors(products: readonly ProductCase[]): Readonly<Record<string, unknown>> {
  const files: Record<string, unknown> = { 'matmul.json': { op: 'matmul', cases: products.map(product) } }
  for (const [index, [name, operations]] of Object.entries(families).entries()) {
    files[`${name}.json`] = { cases: family(name, operations, index + 1) }
  }
  const whole = wholePrograms().map(({ name, drawn }) => vectorCase(name, drawn))
  const drawn = drawnCases(Object.values(families).flat(), 77, { count: 12, nodes: 14, bytesMax: 5_000 })
  files['programs.json'] = { cases: [...whole, ...drawn] }
  files['refused.json'] = { cases: refusedPrograms() }
  return files
}
