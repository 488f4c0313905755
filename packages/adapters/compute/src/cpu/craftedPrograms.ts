/** Programs of one node, and inputs at the ends of their ranges: what the tests of this folder are made of. */
import { type Program, parseProgram } from '@shardy/tensor'

type Dtype = 'i8' | 'u8' | 'i32' | 'u32'

export interface Input {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly min?: number
  readonly max?: number
}

export function programOf(inputs: readonly Input[], node: object): Program {
  const parsed = parseProgram({ inputs, nodes: [node], outputs: [inputs.length] })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal))
  return parsed.value
}

export const arrays = { i8: Int8Array, u8: Uint8Array, i32: Int32Array, u32: Uint32Array }

/** Both ends of the range, what lies between, and runs of equal entries. */
export function inputFor(program: Program): Uint8Array {
  let state = 0x9e3779b9
  const parts = program.inputs.map(({ dtype, shape, min, max }) => {
    const entries = new arrays[dtype](shape.reduce((product, size) => product * size, 1))
    for (let index = 0; index < entries.length; index++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      const kind = state >>> 29
      const between = min + Math.floor((state / 2 ** 32) * (max - min + 1))
      entries[index] = kind < 2 ? min : kind < 4 ? max : kind < 5 ? (entries[index - 1] ?? min) : between
    }
    return new Uint8Array(entries.buffer)
  })
  return new Uint8Array(Buffer.concat(parts))
}
