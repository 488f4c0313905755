/** How many unseen digits each form of the committed models gets right: in floats, and as exact programs. */
import { readFileSync } from 'node:fs'
import { createCpuExecutor } from '@shardy/compute'
import { sha256 } from '@shardy/crypto/native'
import {
  describeImportRefusal,
  evaluateModel,
  type Imported,
  type ImportedProgram,
  importModel,
  type OnnxModel,
  readModel,
} from '@shardy/importer'
import { classes, type Digits, drawDigits, pixels, realsOf, side, testSet, trainingSet } from './digits.ts'

export const modelNames = ['digits-mlp', 'digits-cnn', 'digits-cnn-qdq'] as const
export type ModelName = (typeof modelNames)[number]

export interface Accuracy {
  readonly what: string
  readonly correct: number
  /** In how many an exact form chooses the class that the float form of its model chooses. */
  readonly asFloat: number | undefined
  readonly count: number
}

function accepted<T>(result: Imported<T>): T {
  if (result.ok) return result.value
  throw new Error(describeImportRefusal(result.refusal))
}

export function readTrained(name: ModelName): OnnxModel {
  return accepted(readModel(readFileSync(new URL(`../${name}.onnx`, import.meta.url))))
}

const batch = 100
const calibrationImages = 300

/** Ranges come from images that the network learned from, never from those it is judged by. */
export function importTrained(name: ModelName): ImportedProgram {
  const isQuantized = name === 'digits-cnn-qdq'
  const { images } = drawDigits(calibrationImages, trainingSet.seed)
  const calibration = isQuantized ? {} : { calibration: { data: realsOf(images) } }
  return accepted(importModel(readTrained(name), { sha256, batch, ...calibration }))
}

/** The winner of each row. */
function winnersOf(scores: ArrayLike<number>): readonly number[] {
  return Array.from({ length: scores.length / classes }, (_, row) => {
    const own = Array.from({ length: classes }, (_column, column) => scores[row * classes + column] as number)
    return own.indexOf(Math.max(...own))
  })
}

function floatWinners(name: ModelName, { images }: Digits): readonly number[] {
  const model = readTrained(name)
  const shape = [batch, 1, side, side]
  const length = batch * pixels
  return Array.from({ length: images.length / length }, (_, part) => {
    const data = realsOf(images.subarray(part * length, (part + 1) * length))
    const result = accepted(evaluateModel(model, new Map([['image', { dtype: 'f32', shape, data }]])))
    return winnersOf(result.get('scores')?.data ?? [])
  }).flat()
}

/** Grey values are the program's input as they are: its scale is 1/255. */
async function exactWinners(name: ModelName, { images }: Digits): Promise<readonly number[]> {
  const { program, blobs, inputs, outputs } = importTrained(name)
  const [input, output] = [inputs[0], outputs[0]]
  const isGrey = input?.dtype === 'u8' && Math.abs(255 * (input.quantization?.scale ?? 0) - 1) < 1e-6
  if (!isGrey || output?.dtype !== 'i32')
    throw new Error('the program takes no grey values, or gives no scores')
  const executor = await createCpuExecutor()
  const length = batch * pixels
  const winners: number[] = []
  for (let part = 0; part < images.length / length; part++) {
    const given = images.slice(part * length, (part + 1) * length)
    const { output: bytes } = await executor.execute(program, given, { blobs })
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const scores = Array.from({ length: batch * classes }, (_, index) => view.getInt32(4 * index, true))
    winners.push(...winnersOf(scores))
  }
  await executor.close()
  return winners
}

export async function measureAccuracy(): Promise<readonly Accuracy[]> {
  const digits = drawDigits(testSet.count, testSet.seed)
  const rows: Accuracy[] = []
  const count = testSet.count
  const matching = (winners: readonly number[], others: ArrayLike<number>) =>
    winners.filter((winner, index) => winner === others[index]).length
  for (const [name, floatForm, exactForm] of [
    ['digits-mlp', 'MLP, float', 'MLP, exact, calibrated'],
    ['digits-cnn', 'CNN, float', 'CNN, exact, calibrated'],
    ['digits-cnn-qdq', 'CNN as QDQ, float', 'CNN as QDQ, exact'],
  ] as const) {
    const floats = floatWinners(name, digits)
    const exact = await exactWinners(name, digits)
    rows.push({ what: floatForm, correct: matching(floats, digits.labels), asFloat: undefined, count })
    rows.push({
      what: exactForm,
      correct: matching(exact, digits.labels),
      asFloat: matching(exact, floats),
      count,
    })
  }
  return rows
}

const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(2)}%`

/** As it stands in docs/importing.md. */
export function accuracyTable(rows: readonly Accuracy[]): string {
  const lines = rows.map(({ what, correct, asFloat, count }) => {
    const same = asFloat === undefined ? '' : `${asFloat} of ${count}`
    return `| ${what} | ${correct} of ${count} | ${percent(correct, count)} | ${same} |`
  })
  return ['| | right | accuracy | chooses as the float form |', '|---|---|---|---|', ...lines].join('\n')
}

const [begin, end] = ['<!-- accuracy: npx bun models/src/measure.ts --write -->', '<!-- accuracy ends -->']

/** The page with this table in its place. */
export function withTable(page: string, table: string): string {
  const [before, rest] = [page.indexOf(begin), page.indexOf(end)]
  if (before < 0 || rest < before) throw new Error('the page has no place for the table')
  return `${page.slice(0, before)}${begin}\n${table}\n${page.slice(rest)}`
}

export const page = new URL('../../docs/importing.md', import.meta.url)
