/**
 * How operands lie in buffers. A packed operand is a list of tiles of 128 rows × 32 bytes of k, padded with zeros: the
 * left matrix by its rows, the right one by its columns, both with k contiguous. One format serves every kernel, so a
 * resident weight is packed once. Within eight rows the order is 0 2 4 6 1 3 5 7: what a quarter of a subgroup reads in
 * one go is contiguous, and yet falls into different banks when it is written to workgroup memory at any odd row pitch.
 */
export const tileRows = 128
export const tileDepthBytes = 32
export const tileBytes = tileRows * tileDepthBytes
export const tileVectors = tileBytes / 16

/** Kernels step by whole or half steps of so many bytes of k; packed operands are padded to it. */
const stepDepthBytes = 64

/** `rows`: an operand read where it lies, row by row with k contiguous. `packed`: as above. */
export type OperandLayout = 'rows' | 'packed'

export function rowTiles(rows: number): number {
  return Math.ceil(rows / tileRows)
}

/** Tiles along k, for entries of so many bytes. */
export function depthTiles(k: number, entryBytes: number): number {
  return (stepDepthBytes / tileDepthBytes) * Math.ceil((k * entryBytes) / stepDepthBytes)
}

/** Whole steps need no packing, whatever the number of rows is: rows beyond the last repeat it and are never written. */
export function readsInPlace(k: number, entryBytes: number): boolean {
  return (k * entryBytes) % stepDepthBytes === 0
}

export function packedTileBytes(rows: number, k: number, entryBytes: number): number {
  return rowTiles(rows) * depthTiles(k, entryBytes) * tileBytes
}

/** Row of a tile that its slot holds, as WGSL. */
export function rowOfSlot(slot: string): string {
  return `(${slot} / 8u * 8u + ${slot} % 4u * 2u + ${slot} % 8u / 4u)`
}
