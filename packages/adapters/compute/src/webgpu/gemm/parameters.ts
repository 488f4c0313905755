/**
 * What one dispatch of a product is told, in a uniform buffer: how many rows and columns it makes, where its operands
 * begin within what is bound, and the constants of its epilogue. Operands are counted in tiles when packed and in vectors
 * of 16 bytes when read in place; the output is counted in entries.
 */
import { d } from 'typegpu'

export const Parameters = d.struct({
  rows: d.u32,
  columns: d.u32,
  /** Steps of the kernel's own depth along k. */
  steps: d.u32,
  rowTiles: d.u32,
  columnTiles: d.u32,
  /** Workgroups in a line of the dispatch. */
  width: d.u32,
  /** From one row tile (packed) or one row (in place) to the next. */
  leftPitch: d.u32,
  leftBase: d.u32,
  leftBatch: d.u32,
  rightPitch: d.u32,
  rightBase: d.u32,
  rightBatch: d.u32,
  /** Columns from one batch to the next in the list of column sums. */
  sumsBatch: d.u32,
  outPitch: d.u32,
  outBase: d.u32,
  outBatch: d.u32,
  multiplier: d.i32,
  shift: d.u32,
  zeroPoint: d.i32,
})

export type Parameters = {
  readonly [name in keyof d.Infer<typeof Parameters>]: number
}

const names = Object.keys(Parameters.propTypes) as (keyof Parameters)[]

export const parametersBytes = 4 * names.length

/** Signed and unsigned words have the same bits here. */
export function writeParameters(parameters: Parameters): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(names, (name) => parameters[name])
}

export const parametersText = `struct Parameters {
${names.map((name) => `  ${name}: ${Parameters.propTypes[name].type},`).join('\n')}
}
@group(0) @binding(0) var<uniform> parameters: Parameters;`
