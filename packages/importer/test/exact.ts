/** Runs an imported program by the reference, on real numbers or integers, and says what its outputs stand for. */
import { sha256 } from '@shardy/crypto/native'
import { evaluate, tensorFromBytes } from '@shardy/tensor'
import {
  describeImportRefusal,
  type ImportedProgram,
  type ImportOptions,
  importModel,
  type OnnxModel,
  type Port,
} from '../src/index.ts'

export function imported(model: OnnxModel, options: Omit<ImportOptions, 'sha256'> = {}): ImportedProgram {
  const result = importModel(model, { sha256, ...options })
  if (!result.ok) throw new Error(describeImportRefusal(result.refusal))
  return result.value
}

const limits = {
  i8: [-128, 127],
  u8: [0, 255],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
} as const

/** An input's bytes, its numbers brought to integers where the program wants them so. */
function inputBytes({ dtype, quantization }: Port, numbers: ArrayLike<number>): Uint8Array {
  const [min, max] = limits[dtype]
  const { scale, zeroPoint } = quantization ?? { scale: 1, zeroPoint: 0 }
  const codes = Array.from(numbers, (x) => Math.min(Math.max(Math.round(x / scale) + zeroPoint, min), max))
  const entries = dtype === 'i32' || dtype === 'u32' ? Int32Array.from(codes) : Uint8Array.from(codes)
  return new Uint8Array(entries.buffer)
}

export interface Result {
  readonly shape: readonly number[]
  readonly integers: readonly number[]
  /** What they stand for. */
  readonly reals: readonly number[]
}

export function run(
  { program, blobs, inputs, outputs }: ImportedProgram,
  ...given: readonly ArrayLike<number>[]
): readonly Result[] {
  const input = Buffer.concat(inputs.map((port, index) => inputBytes(port, given[index] ?? [])))
  const bytes = evaluate(program, input, blobs)
  let at = 0
  return outputs.map(({ dtype, shape, quantization }) => {
    const size = shape.reduce((product, own) => product * own, 1) * (dtype === 'i8' || dtype === 'u8' ? 1 : 4)
    const integers = Array.from(tensorFromBytes({ dtype, shape }, bytes.slice(at, at + size)).data)
    at += size
    const { scale, zeroPoint } = quantization ?? { scale: 1, zeroPoint: 0 }
    return { shape, integers, reals: integers.map((code) => scale * (code - zeroPoint)) }
  })
}
