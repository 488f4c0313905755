import { decodeWork, type Work } from '@shardy/compute/work'
import { payloadBytesMax } from '@shardy/protocol'
import {
  buildShaderTask,
  encodeShaderTask,
  parseShaderTask,
  type ShaderTask,
  validateShader,
} from '@shardy/shader'
import type { Call } from '../command.ts'
import { Failure } from '../failure.ts'
import { readBytesFrom } from '../files.ts'
import type { OrderKind } from '../order.ts'
import { readTerms, termOptions, verifyHelp } from '../terms.ts'
import { count } from '../wording.ts'

type ValidatedShader = ShaderTask['shader']

const sourceBytesMax = 1024 * 1024
/** Enough for short loops; what a task may execute at most has to fit every worker, those without a GPU included. */
const fuelDefault = 1_000

export const shader: OrderKind = {
  name: 'shader',
  summary: 'your own WGSL run',
  operands: ['SOURCE'],
  options: {
    input: { value: 'FILE', what: 'the buffers that the shader reads, each at a multiple of 16 bytes' },
    sizes: {
      value: 'B=N,…',
      what: 'bytes of each binding whose size the source leaves open, such as 0=4096,1=1024',
    },
    dispatch: { value: 'X,Y,Z', what: 'workgroups; 1,1,1 unless given' },
    fuel: {
      value: 'N',
      what: `loop turns and calls that one invocation may make; ${fuelDefault} unless given`,
    },
    'allow-inexact': { what: 'run it although honest workers may differ in it' },
    ...termOptions('the written buffers, one after the other,'),
  },
  more:
    'A shader of integers in which each invocation writes its own place only is exact: every device gives the same bits.\n' +
    'docs/spec/shader.md has the rules; what breaks one is named with its line and column.\n' +
    verifyHelp,
  example: 'shader add.wgsl --input buffers.bin --sizes 0=4096,1=4096 --dispatch 16,1,1',

  async read(call) {
    const { operands, options, requester } = call
    const [file = ''] = operands
    const inputFile = options.text('input')
    const input =
      inputFile === undefined ? new Uint8Array(0) : await readBytesFrom(inputFile, payloadBytesMax)
    const task = await readShader(call, file, input.length)
    const terms = readTerms(options)
    refuseInput(task, inputFile, input.length)
    const allowInexact = options.has('allow-inexact')
    return {
      terms,
      work: () => workOf(task),
      send: (onProgress) => requester.submitShader({ task, input, allowInexact, ...terms, onProgress }),
    }
  },
}

function workOf(task: Uint8Array): Work {
  const decoded = decodeWork('shader', task)
  if (decoded.ok) return decoded.work
  throw new Failure('usage', `the task cannot be made: ${decoded.field}: ${decoded.reason}`)
}

/** Compilers' own form, so that editors jump to the place. */
function refuseSource(
  file: string,
  { line, column, message }: { readonly line: number; readonly column: number; readonly message: string },
): Failure {
  return new Failure('usage', `${file}:${line}:${column}: ${message}`)
}

/** Before anything is sent: the buffers that the shader reads and the input are the same bytes. */
function refuseInput(task: Uint8Array, file: string | undefined, actual: number): void {
  const parsed = parseShaderTask(task)
  if (!parsed.ok || parsed.value.payloadBytes === actual) return
  const { bindings, payloadBytes } = parsed.value
  const read = bindings.filter(({ buffer }) => buffer.access !== 'readWrite')
  const listed = read.map(({ buffer, byteLength }) => `${buffer.binding}=${byteLength}`).join(',')
  const given = file === undefined ? 'no --input is given' : `--input: ${file} has ${count(actual, 'byte')}`
  throw new Failure(
    'usage',
    `${given}; the buffers that the shader reads take ${count(payloadBytes, 'byte')}`,
    {
      next: `Their sizes are ${listed || 'none'}: change them with --sizes, or give an input of that length.`,
    },
  )
}

/** A binding without a size of its own has none until somebody says it. */
function refuseOpenSizes(shader: ValidatedShader, sizes: Record<number, number>, inputLength: number): void {
  const bindings = new Set(shader.buffers.map(({ binding }) => binding))
  const stranger = Object.keys(sizes).find((binding) => !bindings.has(Number(binding)))
  if (stranger !== undefined) {
    const listed = [...bindings].join(', ')
    throw new Failure('usage', `--sizes names binding ${stranger}; the shader has ${listed}`)
  }
  const open = shader.buffers.filter(
    ({ layout, binding }) =>
      layout.kind === 'array' && layout.length === undefined && sizes[binding] === undefined,
  )
  if (open.length === 0) return
  const which = open.map(({ binding }) => binding).join(' and ')
  const read = shader.buffers.filter(({ access }) => access !== 'readWrite')
  // One buffer that is read is the whole input.
  const guess = read.length === 1 && inputLength > 0 ? inputLength : 4096
  const all = [...Object.entries(sizes), ...open.map(({ binding }) => [binding, guess] as const)]
  throw new Failure('usage', `the source leaves the size of binding ${which} open`, {
    next: `Give the bytes of each: --sizes ${all.map(([binding, size]) => `${binding}=${size}`).join(',')}`,
  })
}

async function readShader({ options }: Call, file: string, inputLength: number): Promise<Uint8Array> {
  const source = new TextDecoder().decode(await readBytesFrom(file, sourceBytesMax))
  const validated = validateShader(source)
  if (!validated.ok) throw refuseSource(file, validated.refusal)
  const { exactness } = validated.value
  if (exactness.exactness === 'inexact' && !options.has('allow-inexact')) {
    const [first] = exactness.reasons
    const place = first === undefined ? file : `${file}:${first.line}:${first.column}: ${first.message}`
    throw new Failure('usage', `the shader is not exact, so honest workers may differ: ${place}`, {
      next: 'Give --allow-inexact to run it all the same; it may then never be verified.',
    })
  }
  const fuel = options.whole('fuel', 1, 2 ** 24) ?? fuelDefault
  const dispatch = readDispatch(options.text('dispatch'))
  const byteLengths = readSizes(options.text('sizes'))
  refuseOpenSizes(validated.value.shader, byteLengths, inputLength)
  const built = buildShaderTask({ source, dispatch, fuel, byteLengths })
  if (!built.ok) throw refuseSource(file, built.refusal)
  try {
    return encodeShaderTask(built.value)
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof TypeError) {
      throw new Failure('usage', `the task cannot be made: ${cause.message}`, { cause })
    }
    throw cause
  }
}

function readDispatch(text = '1,1,1'): ShaderTask['dispatch'] {
  const [, x, y, z] = /^(\d{1,5}),(\d{1,5}),(\d{1,5})$/.exec(text) ?? []
  if (x !== undefined && y !== undefined && z !== undefined) return [Number(x), Number(y), Number(z)]
  throw new Failure(
    'usage',
    `--dispatch is '${text}'; it is three numbers with commas between, such as 64,1,1`,
  )
}

function readSizes(text: string | undefined): Record<number, number> {
  const sizes: Record<number, number> = {}
  for (const part of text?.split(',') ?? []) {
    const [, binding, size] = /^(\d{1,2})=(\d{1,9})$/.exec(part) ?? []
    if (binding === undefined || size === undefined) {
      throw new Failure(
        'usage',
        `--sizes is '${text}'; it is BINDING=BYTES with commas between, such as 0=4096,1=1024`,
      )
    }
    sizes[Number(binding)] = Number(size)
  }
  return sizes
}
