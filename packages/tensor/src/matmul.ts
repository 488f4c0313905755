/**
 * The definition of `matmul` (docs/spec/tensor.md): every executor on every device must give exactly these bytes.
 * It is written to be read and to be obviously right; speed is the business of `@shardy/compute`.
 */
import { type MatmulProgram, outputLength, refuseInput } from './program.ts'

function entry(matrix: Int8Array, index: number): number {
  const value = matrix[index]
  if (value === undefined) throw new RangeError(`there is no entry ${index}`)
  return value
}

/** The input must have the program's input length: callers refuse other bytes before they come here. */
export function matmul(program: MatmulProgram, input: Uint8Array): Uint8Array {
  if (refuseInput(program, input) !== undefined) {
    throw new RangeError(`input has ${input.length} bytes, not those of a ${JSON.stringify(program)}`)
  }
  const { m, k, n } = program
  const output = new Uint8Array(outputLength(program))
  // T3: A row by row, then B row by row, one signed byte each.
  const a = new Int8Array(input.buffer, input.byteOffset, m * k)
  const b = new Int8Array(input.buffer, input.byteOffset + m * k, k * n)
  const c = new DataView(output.buffer)

  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let sum = 0 // T6, T7: an exact integer of at most k * 2^14, in whatever order it is added.
      for (let inner = 0; inner < k; inner++) {
        sum += entry(a, row * k + inner) * entry(b, inner * n + column)
      }
      c.setInt32(4 * (row * n + column), sum, true) // T4, T5: row by row, little-endian whatever the host.
    }
  }
  return output
}
