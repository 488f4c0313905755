/**
 * The text that brings one step of an operand from its buffer to registers: each invocation holds vectors of 16 bytes
 * of k, and `pieces` says which row and which part of the step a register holds. The kernel puts them into workgroup
 * memory in its own form. Names ending in 0 are set once, before the loop.
 */
import { type OperandLayout, rowOfSlot, tileDepthBytes, tileRows, tileVectors } from './layout.ts'
import { repeat } from './wgsl.ts'

interface StagedOperand {
  readonly name: 'left' | 'right'
  readonly layout: OperandLayout
  /** Rows of this operand in the tile of a workgroup. */
  readonly rows: number
  readonly stepBytes: number
  readonly threads: number
  /** Of one word: u32, i32 or f32. */
  readonly word: 'u32' | 'i32' | 'f32'
  /** Unsigned bytes read in place become signed by flipping their highest bit; packing has done it already. */
  readonly unsigned: boolean
}

export interface Piece {
  readonly register: string
  /** The row within the workgroup's tile, and the vector of 16 bytes within the step. */
  readonly row: string
  readonly vector: string
}

export interface Staging {
  readonly declaration: string
  readonly setup: string
  readonly pieces: readonly Piece[]
  /** Loads the step of this index into the registers. */
  load(step: string): string
}

export function bindingType({ layout, word }: Pick<StagedOperand, 'layout' | 'word'>): string {
  return layout === 'packed' ? `array<array<vec4<${word}>, ${tileVectors}>>` : `array<vec4<${word}>>`
}

export function stage(operand: StagedOperand): Staging {
  const { name, rows, stepBytes, threads, word } = operand
  const count = (rows * stepBytes) / 16 / threads
  if (!Number.isInteger(count)) throw new Error(`${threads} invocations cannot share ${rows} rows evenly`)
  const pieces = Array.from({ length: count }, (_, index) =>
    operand.layout === 'packed' ? packedPiece(operand, index) : rowsPiece(operand, index),
  )
  return {
    declaration: repeat(count, (index) => `var ${name}${index}: vec4<${word}>;`),
    setup: operand.layout === 'packed' ? packedSetup(operand) : rowsSetup(operand, pieces),
    pieces,
    load: (step) => pieces.map((piece) => `${piece.register} = ${piece.read(step)};`).join('\n'),
  }
}

interface ReadablePiece extends Piece {
  read(step: string): string
}

function packedSetup({ name, rows }: StagedOperand): string {
  const within = rows < tileRows ? `let ${name}Slot0 = ${name}Row0 % ${tileRows}u * 2u;` : ''
  return `let ${name}Tile0 = parameters.${name}Base + batch * parameters.${name}Batch + ${name}Row0 / ${tileRows}u * parameters.${name}Pitch;
${within}`
}

function packedPiece({ name, rows, stepBytes, threads }: StagedOperand, index: number): ReadablePiece {
  const perTile = Math.min(rows, tileRows) * 2
  const depth = stepBytes / tileDepthBytes
  const first = index * threads
  // Which tile it is in follows from the index alone when the invocations share a tile evenly.
  const even = perTile % threads === 0
  const tile = even ? `${Math.floor(first / perTile)}u` : `((thread + ${first}u) / ${perTile}u)`
  const at = even ? `(thread + ${first % perTile}u)` : `((thread + ${first}u) % ${perTile}u)`
  const rowTile = depth === 1 ? tile : `${tile} / ${depth}u`
  const part = depth === 1 ? '0u' : `${tile} % ${depth}u`
  return {
    register: `${name}${index}`,
    row: `(${rowTile} * ${tileRows}u + ${rowOfSlot(`(${at} / 2u)`)})`,
    vector: `(${part} * 2u + thread % 2u)`,
    read: (step) =>
      `${name}[${name}Tile0 + ${rowTile} * parameters.${name}Pitch + (${step}) * ${depth}u + ${part}]` +
      `[${rows < tileRows ? `${name}Slot0 + ` : ''}${at}]`,
  }
}

/** Rows of a quarter of a subgroup are chosen so that they fall into different banks, as in packed tiles. */
function rowsPiece(
  { name, stepBytes, threads, word, unsigned }: StagedOperand,
  index: number,
): ReadablePiece {
  const perRow = stepBytes / 16
  const first = (index * threads) / perRow
  const row =
    perRow === 4
      ? 'thread / 32u * 8u + thread / 8u % 4u + thread / 4u % 2u * 4u'
      : 'thread / 32u * 16u + thread / 16u % 2u * 8u + thread / 8u % 2u + thread / 2u % 4u * 2u'
  const highBits = word === 'u32' ? 'vec4u(0x80808080u)' : 'vec4i(-0x7f7f7f80)'
  const flip = unsigned ? ` ^ ${highBits}` : ''
  return {
    register: `${name}${index}`,
    row: `(${row} + ${first}u)`,
    vector: `(thread % ${perRow}u)`,
    read: (step) => `${name}[${name}At${index} + (${step}) * ${perRow}u]${flip}`,
  }
}

function rowsSetup({ name }: StagedOperand, pieces: readonly Piece[]): string {
  const limit = name === 'left' ? 'parameters.rows' : 'parameters.columns'
  return [
    `let ${name}Base0 = parameters.${name}Base + batch * parameters.${name}Batch;`,
    ...pieces.map(
      ({ row, vector }, index) =>
        `let ${name}At${index} = ${name}Base0 + min(${name}Row0 + ${row}, ${limit} - 1u) * parameters.${name}Pitch + ${vector};`,
    ),
  ].join('\n')
}
