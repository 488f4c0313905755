/**
 * Which block of a task's products a proof is about (spec E10): the program's node, the tile of its result by row and column, and
 * how many blocks of the inner length lie before. One element holds all four, each with 32 bits of its own.
 */
export interface BlockPosition {
  readonly node: number
  readonly tileRow: number
  readonly tileColumn: number
  readonly depth: number
}

/** Side of a block and of a tile. */
export const blockSide = 16

const parts = ['node', 'tileRow', 'tileColumn', 'depth'] as const

export function packPosition(position: BlockPosition): bigint {
  return parts.reduce((packed, part) => {
    const value = position[part]
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
      throw new RangeError(`${part} ${value} is not 32 bits`)
    return (packed << 32n) | BigInt(value)
  }, 0n)
}

/** Undefined when the number has more than the four parts. */
export function unpackPosition(packed: bigint): BlockPosition | undefined {
  if (packed < 0n || packed >= 2n ** 128n) return undefined
  const [node = 0, tileRow = 0, tileColumn = 0, depth = 0] = parts.map((_, index) =>
    Number((packed >> BigInt(32 * (3 - index))) & 0xffff_ffffn),
  )
  return { node, tileRow, tileColumn, depth }
}
