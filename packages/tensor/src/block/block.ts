/**
 * The blocks of a provable product (docs/spec/audit.md V2): what they read from the input, the sums before and after each of them,
 * and the tile of the output where the last sums must stand. Rows and columns beyond an edge are zeros.
 */
import { type BlockPosition, blockSide } from '@shardy/protocol'
import { type MatrixView, type ProvableProduct, tilesOf } from './product.ts'

const entries = blockSide * blockSide

export type TilePlace = Pick<BlockPosition, 'tileRow' | 'tileColumn'>
/** Which block of a product's tile. */
export type BlockPlace = TilePlace & Pick<BlockPosition, 'depth'>

export interface OperandBlocks {
  /** 16 × 16 entries each, row by row. */
  readonly a: Int8Array
  readonly b: Int8Array
}

export function operandBlocks(
  product: ProvableProduct,
  input: Uint8Array,
  { tileRow, tileColumn, depth }: BlockPlace,
): OperandBlocks {
  assertTile(product, { tileRow, tileColumn })
  if (depth >= tilesOf(product).depth) throw new RangeError(`there is no block at depth ${depth}`)
  const { m, k, n } = product
  return {
    a: blockOf(product.a, input, { row: tileRow, column: depth }, { rows: m, columns: k }),
    b: blockOf(product.b, input, { row: depth, column: tileColumn }, { rows: k, columns: n }),
  }
}

/** The sums after each block of a tile, 16 × 16 entries each; before the first block they are zeros. */
export function tilePartialSums(
  product: ProvableProduct,
  input: Uint8Array,
  place: TilePlace,
): readonly Int32Array[] {
  const all: Int32Array[] = []
  let sums = new Int32Array(entries)
  for (let depth = 0; depth < tilesOf(product).depth; depth++) {
    sums = sums.slice()
    addProduct(sums, operandBlocks(product, input, { ...place, depth }))
    all.push(sums)
  }
  return all
}

/** The sums before one block and after it. */
export function sumsAround(
  product: ProvableProduct,
  input: Uint8Array,
  { depth, ...place }: BlockPlace,
): { readonly before: Int32Array; readonly after: Int32Array } {
  const before = new Int32Array(entries)
  for (let earlier = 0; earlier < depth; earlier++)
    addProduct(before, operandBlocks(product, input, { ...place, depth: earlier }))
  const after = before.slice()
  addProduct(after, operandBlocks(product, input, { ...place, depth }))
  return { before, after }
}

/** The tile as it stands in an output's bytes. */
export function tileOf(product: ProvableProduct, output: Uint8Array, place: TilePlace): Int32Array {
  assertTile(product, place)
  const { m, n } = product
  if (output.length !== 4 * m * n)
    throw new RangeError(`the output has ${output.length} bytes, the product makes ${4 * m * n}`)
  const view = new DataView(output.buffer, output.byteOffset, output.byteLength)
  const tile = new Int32Array(entries)
  const { tileRow, tileColumn } = place
  for (let at = 0; at < entries; at++) {
    const row = tileRow * blockSide + Math.floor(at / blockSide)
    const column = tileColumn * blockSide + (at % blockSide)
    if (row < m && column < n) tile[at] = view.getInt32(4 * (row * n + column), true)
  }
  return tile
}

function blockOf(
  { offset, rowStride, columnStride }: MatrixView,
  input: Uint8Array,
  block: { readonly row: number; readonly column: number },
  { rows, columns }: { readonly rows: number; readonly columns: number },
): Int8Array {
  const found = new Int8Array(entries)
  const firstRow = block.row * blockSide
  const firstColumn = block.column * blockSide
  const height = Math.min(blockSide, rows - firstRow)
  const width = Math.min(blockSide, columns - firstColumn)
  for (let row = 0; row < height; row++) {
    const from = offset + (firstRow + row) * rowStride + firstColumn * columnStride
    for (let column = 0; column < width; column++) {
      // A byte beside the input would read as a zero, and be proven as one.
      const byte = input[from + column * columnStride]
      if (byte === undefined) throw new RangeError('the input is shorter than the product reads')
      found[row * blockSide + column] = byte
    }
  }
  return found
}

/** Exact: no sum of up to 65,535 products of int8 leaves 32 bits. */
function addProduct(sums: Int32Array, { a, b }: OperandBlocks): void {
  for (let row = 0; row < blockSide; row++) {
    for (let inner = 0; inner < blockSide; inner++) {
      const factor = a[row * blockSide + inner] ?? 0
      for (let column = 0; column < blockSide; column++) {
        const at = row * blockSide + column
        sums[at] = (sums[at] ?? 0) + factor * (b[inner * blockSide + column] ?? 0)
      }
    }
  }
}

function assertTile(product: ProvableProduct, { tileRow, tileColumn }: TilePlace): void {
  const { rows, columns } = tilesOf(product)
  if (!(tileRow >= 0 && tileRow < rows && tileColumn >= 0 && tileColumn < columns))
    throw new RangeError(`the output has no tile (${tileRow}, ${tileColumn})`)
}
