import { payloadBytesMax, redundancyMax, redundancyMin, rewardMicroCreditMax } from '@shardy/protocol'
import { buildShaderTask, encodeShaderTask, type ShaderTask, validateShader } from '@shardy/shader'
import type { Call, Command } from '../command.ts'
import { Failure } from '../failure.ts'
import { assertWritable, readBytesFrom } from '../files.ts'
import { follow } from '../following.ts'
import { describeTask } from '../taskReport.ts'
import { bytes } from '../wording.ts'
import { ended } from './submitMatmul.ts'

const sourceBytesMax = 1024 * 1024
/** Enough for short loops; what a task may execute at most has to fit every worker, those without a GPU included. */
const fuelDefault = 1_000

export const submitShader: Command = {
  name: 'submit shader',
  summary: 'have your own WGSL run',
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
    redundancy: {
      value: 'R',
      what: `how many distinct workers must agree, ${redundancyMin} to ${redundancyMax}; 2 unless given`,
    },
    reward: { value: 'MICRO', what: 'what they share, in millionths of a test credit; 1000 unless given' },
    wait: { what: 'wait until the task has ended' },
    to: { value: 'FILE', what: 'with --wait: write the written buffers there, one after the other' },
  },
  more:
    'A shader of integers in which each invocation writes its own place only is exact: every device gives the same bits.\n' +
    'docs/spec/shader.md has the rules; what breaks one is named with its line and column.',

  async run(call) {
    const { operands, options, requester, progress } = call
    const [file = ''] = operands
    const task = await readShader(call, file)
    const to = options.text('to')
    if (to !== undefined && !options.has('wait')) {
      throw new Failure('usage', '--to needs --wait: there is no output before the task has ended')
    }
    const inputFile = options.text('input')
    const input =
      inputFile === undefined ? new Uint8Array(0) : await readBytesFrom(inputFile, payloadBytesMax)
    const redundancy = options.whole('redundancy', redundancyMin, redundancyMax)
    const reward = options.decimal('reward', rewardMicroCreditMax)
    if (to !== undefined) await assertWritable(to)
    const submitted = await requester.submitShader({
      task,
      input,
      allowInexact: options.has('allow-inexact'),
      ...(redundancy !== undefined && { redundancy }),
      ...(reward !== undefined && { rewardMicroCredit: String(reward) }),
      onProgress: (sent, total) => progress.show(`uploading: ${bytes(sent)} of ${bytes(total)}`),
    })
    progress.clear()
    if (!options.has('wait')) return { json: submitted, text: describeTask(submitted) }
    progress.show(`task ${submitted.taskId} submitted`)
    return ended(call, await follow(call, submitted.taskId))
  },
}

/** Compilers' own form, so that editors jump to the place. */
function refuseSource(
  file: string,
  { line, column, message }: { readonly line: number; readonly column: number; readonly message: string },
): Failure {
  return new Failure('usage', `${file}:${line}:${column}: ${message}`)
}

async function readShader({ options }: Call, file: string): Promise<Uint8Array> {
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
  const built = buildShaderTask({ source, dispatch, fuel, byteLengths: readSizes(options.text('sizes')) })
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
