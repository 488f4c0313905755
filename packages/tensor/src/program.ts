/**
 * What a program is: a closed union on `op` with integer shapes inside stated bounds (spec T1, T2). A `Program` that
 * came through `parseProgram` or `decodeProgram` is within them, so its sizes and its arithmetic can be trusted.
 */
import { type Decoded, payloadBytesMax, type Refusal } from '@shardy/protocol'

/** C (m × n, int32) = A (m × k, int8) · B (k × n, int8), exactly. */
export interface MatmulProgram {
  readonly op: 'matmul'
  readonly m: number
  readonly k: number
  readonly n: number
}

export type Program = MatmulProgram

export const inputBytesMax = payloadBytesMax
export const outputBytesMax = payloadBytesMax

/** Spec T7: at this k the range of every sum stays inside int32 and below the modulus of the cheap check. */
export const kMax = 65_535
/** Follows from `outputBytesMax`; stated on its own so that every product below is an exact number. */
export const rowsMax = outputBytesMax / 4

type Bounds = { readonly field: string; readonly rule: string }

/** The bounds over several fields (spec T2). The single fields must be within theirs already. */
export function brokenBound({ m, k, n }: MatmulProgram): Bounds | undefined {
  const inputBytes = m * k + k * n
  if (inputBytes > inputBytesMax) {
    return { field: 'm*k + k*n', rule: `the input is ${inputBytes} bytes, the limit is ${inputBytesMax}` }
  }
  const outputBytes = 4 * m * n
  if (outputBytes > outputBytesMax) {
    return { field: '4*m*n', rule: `the output is ${outputBytes} bytes, the limit is ${outputBytesMax}` }
  }
  return undefined
}

function inconsistent(field: string, rule: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { kind: 'inconsistent', field, rule } }
}

function describe(value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`
  return value === null ? 'null' : typeof value
}

const names = ['m', 'k', 'n'] as const
const bounds = { m: rowsMax, k: kMax, n: rowsMax }

/** Reads a program out of anything, JSON for instance, and refuses what is not one by field, value and bound. */
export function parseProgram(value: unknown): Decoded<Program> {
  if (typeof value !== 'object' || value === null) {
    return inconsistent('program', `is ${describe(value)}, expected an object`)
  }
  const fields = new Map<string, unknown>(Object.entries(value))
  const op = fields.get('op')
  if (op === undefined) return { ok: false, refusal: { kind: 'missing', field: 'program.op' } }
  if (op !== 'matmul') return inconsistent('program.op', `is ${describe(op)}, expected 'matmul'`)

  const shape = { m: 0, k: 0, n: 0 }
  for (const name of names) {
    const field = `program.${name}`
    const actual = fields.get(name)
    if (actual === undefined) return { ok: false, refusal: { kind: 'missing', field } }
    const max = bounds[name]
    if (typeof actual !== 'number' || !Number.isInteger(actual) || actual < 1 || actual > max) {
      const refusal = {
        kind: 'outOfRange',
        field,
        min: '1',
        max: String(max),
        actual: describe(actual),
      } as const
      return { ok: false, refusal }
    }
    shape[name] = actual
  }
  for (const name of fields.keys()) {
    if (name !== 'op' && name !== 'm' && name !== 'k' && name !== 'n') {
      return inconsistent('program', `has the unknown field ${describe(name)}`)
    }
  }

  const program: Program = { op: 'matmul', ...shape }
  const broken = brokenBound(program)
  return broken === undefined
    ? { ok: true, value: program }
    : inconsistent(`program.${broken.field}`, broken.rule)
}

/** Bytes of input that the program takes: A, then B (spec T3). */
export function inputLength({ m, k, n }: Program): number {
  return m * k + k * n
}

/** Bytes of output that the program makes (spec T4). */
export function outputLength({ m, n }: Program): number {
  return 4 * m * n
}

/** How much work the program is, in multiply-adds; at most 2^40, so always an exact number. */
export function complexity({ m, k, n }: Program): number {
  return m * k * n
}

/** Why these bytes cannot be the program's input, if they cannot. */
export function refuseInput(program: Program, input: Uint8Array): Refusal | undefined {
  const expected = inputLength(program)
  if (input.length === expected) return undefined
  return { kind: 'wrongLength', field: 'input', expected, actual: input.length }
}
