/**
 * Which tile of the output a workgroup makes. Eight row tiles walk over the columns together: the workgroups that run at
 * one time then share operands in the cache.
 */
export const gridText = `
/** Row tile and column tile. */
fn tileOf(group: vec3u) -> vec2u {
  let tile = group.y * parameters.width + group.x;
  let perGroup = 8u * parameters.columnTiles;
  let first = tile / perGroup * 8u;
  let height = clamp(parameters.rowTiles - min(first, parameters.rowTiles), 1u, 8u);
  return vec2u(first + tile % perGroup % height, tile % perGroup / height);
}

/** Some workgroups only fill up the last line of a dispatch. */
fn isOutside(tile: vec2u) -> bool {
  return tile.x >= parameters.rowTiles || tile.y >= parameters.columnTiles;
}`

const widthMax = 32_768

interface Grid {
  readonly width: number
  readonly height: number
}

/** Workgroups in lines, since a dispatch may not have more than 65,535 in a line. */
export function gridOf(rowTiles: number, columnTiles: number): Grid {
  const tiles = rowTiles * columnTiles
  const width = Math.min(tiles, widthMax)
  return { width, height: Math.ceil(tiles / width) }
}
