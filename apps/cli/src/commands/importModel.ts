import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '@shardy/crypto/native'
import {
  calibrationMethods,
  describeImportRefusal,
  type Imported,
  importModel as importOnnx,
  modelBytesMax,
  type Port,
  readModel,
} from '@shardy/importer'
import { describeProgram, encodeProgram, inferProgram, programId } from '@shardy/tensor'
import type { Command, Options } from '../command.ts'
import { Failure } from '../failure.ts'
import { assertWritable, readBytesFrom, writeBytesTo } from '../files.ts'
import { bytes, count, printable, table } from '../wording.ts'

const calibrationBytesMax = 512 * 2 ** 20
const batchMax = 65_536

function understood<T>(file: string, result: Imported<T>): T {
  if (result.ok) return result.value
  const { refusal } = result
  const next =
    refusal.kind === 'uncalibrated'
      ? 'Give samples of its inputs with --calibrate FILE: float32, little-endian, one after the other.'
      : 'docs/importing.md says what is understood, and what to do about the rest.'
  throw new Failure('usage', `${file}: ${printable(describeImportRefusal(refusal))}`, { next })
}

async function readSamples(file: string): Promise<Float32Array> {
  const content = await readBytesFrom(file, calibrationBytesMax)
  if (content.length % 4 !== 0) {
    throw new Failure(
      'usage',
      `--calibrate: ${file} has ${content.length} bytes, which are no float32 numbers`,
    )
  }
  const view = new DataView(content.buffer)
  return Float32Array.from({ length: content.length / 4 }, (_, index) => view.getFloat32(4 * index, true))
}

async function calibrationOf(options: Options) {
  const file = options.text('calibrate')
  const named = options.text('method')
  const method = calibrationMethods.find((known) => known === named)
  if (named !== undefined && method === undefined) {
    throw new Failure('usage', `--method is '${named}'; it must be one of ${calibrationMethods.join(', ')}`)
  }
  if (file === undefined) {
    if (method !== undefined) throw new Failure('usage', '--method needs --calibrate')
    return undefined
  }
  return { data: await readSamples(file), ...(method !== undefined && { method }) }
}

function requiredText(options: Options, name: string, what: string): string {
  const given = options.text(name)
  if (given !== undefined) return given
  throw new Failure('usage', `--${name} is missing`, { next: `Give ${what}.` })
}

function meaning({ quantization }: Port): string {
  if (quantization === undefined) return 'the integers of the model'
  const { scale, zeroPoint } = quantization
  const centre = zeroPoint === 0 ? 'code' : zeroPoint > 0 ? `(code - ${zeroPoint})` : `(code + ${-zeroPoint})`
  return `real = ${scale} · ${centre}`
}

function portRow(side: string) {
  return (port: Port): readonly string[] => [
    side,
    printable(port.name),
    `${port.dtype}[${port.shape.join(',')}]`,
    meaning(port),
  ]
}

export const importModel: Command = {
  name: 'import',
  summary: 'turn an ONNX model into an exact program',
  operands: ['MODEL.onnx'],
  options: {
    to: { value: 'FILE', what: 'write the program there' },
    blobs: { value: 'FOLDER', what: 'write its weights there, each under its digest' },
    calibrate: { value: 'FILE', what: 'samples of its inputs, float32, for a model of floats' },
    method: { value: 'METHOD', what: `how ranges follow from samples: ${calibrationMethods.join(', ')}` },
    batch: {
      value: 'N',
      what: 'the first size of its inputs where the model leaves it open; 1 unless given',
    },
  },
  more:
    'A model that is quantized already (QDQ, QLinear…, …Integer) needs no samples. Asks nobody; `npx shardy submit program`\n' +
    'has the program run. Inputs and outputs are integers: what is printed says which numbers they stand for.',
  async run({ operands, options }) {
    const [file = ''] = operands
    const to = requiredText(options, 'to', 'a file for the program with --to FILE')
    const folder = requiredText(options, 'blobs', 'a folder for the weights with --blobs FOLDER')
    const batch = options.whole('batch', 1, batchMax)
    const calibration = await calibrationOf(options)
    const model = understood(file, readModel(await readBytesFrom(file, modelBytesMax)))
    await assertWritable(to)
    const { program, blobs, inputs, outputs } = understood(
      file,
      importOnnx(model, {
        sha256,
        ...(batch !== undefined && { batch }),
        ...(calibration !== undefined && { calibration }),
      }),
    )
    try {
      await mkdir(folder, { recursive: true })
    } catch (cause) {
      throw new Failure('file', `${folder} cannot be made: ${cause}`, { cause })
    }
    for (const [digest, content] of blobs) await writeBytesTo(join(folder, digest), content)
    await writeBytesTo(to, encodeProgram(program))
    const id = programId(program, sha256)
    const { work } = inferProgram(program)
    const weights = [...blobs.values()].reduce((sum, { length }) => sum + length, 0)
    const ports = table([...inputs.map(portRow('  input')), ...outputs.map(portRow('  output'))])
    return {
      json: {
        programId: id,
        summary: describeProgram(program),
        work,
        inputs,
        outputs,
        blobs: [...blobs.keys()],
      },
      text:
        `Program ${id}\n  ${describeProgram(program)}\n  ${work} multiply-adds or steps\n` +
        `  ${count(blobs.size, 'blob')} of ${bytes(weights)} in ${folder}\n${ports}`,
    }
  },
}
