/** `shardy import` on files, to a program that computes what the model does. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type OnnxModel, tensorOf, writeModel } from '@shardy/importer'
import { decodeProgram, evaluate } from '@shardy/tensor'
import { shardy } from '../test/terminal.ts'
import { readBlobs, readProgram } from './programs.ts'

const size = 40

/** y = x times a matrix that takes 2 away from each number and adds it to the next. */
const model: OnnxModel = {
  opsets: new Map([['', 13]]),
  name: 'shift',
  nodes: [
    { name: 'shift', op: 'MatMul', domain: '', inputs: ['x', 'w'], outputs: ['y'], attributes: new Map() },
  ],
  inputs: [{ name: 'x', dtype: 'f32', shape: ['batch', size] }],
  outputs: [{ name: 'y', dtype: 'f32', shape: ['batch', size] }],
  initializers: new Map([
    [
      'w',
      tensorOf(
        'f32',
        [size, size],
        Array.from({ length: size * size }, (_, index) => {
          const [row, column] = [Math.floor(index / size), index % size]
          return row === column ? -2 : (row + 1) % size === column ? 2 : 0
        }),
      ),
    ],
  ]),
}

let folder: string
const inFolder = (name: string) => path.join(folder, name)
const cli = (...words: string[]) => shardy(['import', ...words])
const written = () => ['--to', inFolder('program'), '--blobs', inFolder('blobs')]

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardy-import-'))
  await writeFile(inFolder('model.onnx'), writeModel(model))
  const samples = Float32Array.from({ length: 2 * size }, (_, index) => index % 256)
  samples[0] = 255
  await writeFile(inFolder('samples'), samples)
})
afterAll(() => rm(folder, { recursive: true }))

test('writes a program and its weights, which compute what the model does', async () => {
  const words = ['--calibrate', inFolder('samples'), '--batch', '2', '--json']
  const { exit, stdout, stderr } = await cli(inFolder('model.onnx'), ...written(), ...words)
  expect([exit, stderr]).toEqual(['done', ''])
  const said = JSON.parse(stdout)
  expect(said.inputs).toEqual([
    { name: 'x', dtype: 'u8', shape: [2, size], quantization: { scale: 1, zeroPoint: 0 } },
  ])
  expect(await readdir(inFolder('blobs'))).toEqual(said.blobs)
  const program = await readProgram(inFolder('program'))
  expect(decodeProgram(new Uint8Array(await readFile(inFolder('program')))).ok).toBe(true)
  const input = Uint8Array.from({ length: 2 * size }, (_, index) => (index * 7) % 256)
  const output = evaluate(program, input, await readBlobs(program, inFolder('blobs')))
  const { scale } = said.outputs[0].quantization
  const numbers = new Int32Array(output.buffer)
  const x = (row: number, column: number) => input[row * size + ((column + size) % size)] ?? 0
  numbers.forEach((integer, index) => {
    const [row, column] = [Math.floor(index / size), index % size]
    expect(integer * scale).toBeCloseTo(2 * (x(row, column - 1) - x(row, column)), 3)
  })
})

test('says what stands for what', async () => {
  const { stdout } = await cli(
    inFolder('model.onnx'),
    ...written(),
    '--calibrate',
    inFolder('samples'),
    '--method',
    'minMax',
  )
  expect(stdout).toMatch(/^Program [0-9a-f]{64}\n/)
  expect(stdout).toContain(`1 blob of 1.6 KiB in ${inFolder('blobs')}`)
  expect(stdout).toMatch(/input +x +u8\[1,40\] +real = 1 · code/)
  expect(stdout).toMatch(/output +y +i32\[1,40\] +real = [\d.e-]+ · code/)
})

describe('refused', () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['without a place for the program', ['model.onnx'], /--to is missing/],
    ['without a place for the weights', ['model.onnx', '--to', 'program'], /--blobs is missing/],
    [
      'a model of floats without samples',
      ['model.onnx', ...['--to', 'x', '--blobs', 'y']],
      /model\.onnx: input 'x': is real, and nobody has said its range: give calibration data\nNext: Give samples/,
    ],
    [
      'samples that are no floats',
      ['model.onnx', '--to', 'x', '--blobs', 'y', '--calibrate', 'odd'],
      /has 5 bytes, which are no float32 numbers/,
    ],
    [
      'samples of another size',
      ['model.onnx', '--to', 'x', '--blobs', 'y', '--calibrate', 'few'],
      /calibration data: has 2 numbers; a sample has 40/,
    ],
    [
      'an unknown method',
      ['model.onnx', '--to', 'x', '--blobs', 'y', '--method', 'guess'],
      /--method is '.*guess'; it must be one of minMax, percentile, squares/,
    ],
    [
      'a method without samples',
      ['model.onnx', '--to', 'x', '--blobs', 'y', '--method=minMax'],
      /--method needs --calibrate/,
    ],
    ['a file that is no model', ['odd', '--to', 'x', '--blobs', 'y'], /odd: model: /],
    [
      'a model that is cut short',
      ['short', '--to', 'x', '--blobs', 'y'],
      /short: model: claims \d+ bytes where \d+ are left/,
    ],
    [
      'an operator that is not supported',
      ['lstm', '--to', 'x', '--blobs', 'y'],
      /lstm: node 'cell' \(LSTM\): LSTM is not supported/,
    ],
    ['a file that is not there', ['absent', '--to', 'x', '--blobs', 'y'], /absent cannot be read/],
  ]
  beforeAll(async () => {
    const bytes = writeModel(model)
    await writeFile(inFolder('odd'), 'hello')
    await writeFile(inFolder('few'), new Float32Array(2))
    await writeFile(inFolder('short'), bytes.subarray(0, bytes.length / 2))
    const nodes = model.nodes.map((node) => ({ ...node, name: 'cell', op: 'LSTM' }))
    await writeFile(inFolder('lstm'), writeModel({ ...model, nodes }))
  })
  for (const [desc, words, says] of cases) {
    test(desc, async () => {
      const { exit, stderr } = await cli(
        ...words.map((word) => (word.startsWith('--') ? word : inFolder(word))),
      )
      expect(stderr).toMatch(says)
      expect(['usage', 'file']).toContain(exit)
      // Nothing is left of what did not become a program.
      expect(await readdir(folder)).not.toContain('y')
      expect(await readdir(folder)).not.toContain('x')
    })
  }
})
