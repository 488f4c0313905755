/**
 * The int8 product on a GPU, in WGSL that every WebGPU device runs: i32 multiply-adds, which are exact and the same
 * everywhere. A workgroup of 16 × 16 makes a tile of 64 × 64 entries of C, 4 × 4 in each invocation. Rows of A and B
 * begin at any byte, so four entries are cut out of the one or two words that hold them. The last four of a row of A may
 * run into other bytes: they meet the zeros that stand for rows of B beyond k, which add nothing. Those of a row of B end
 * in columns that are never written.
 */
import tgpu, { d } from 'typegpu'

export const tileSize = 64
const depth = 16
const invocations = 256

/** The work of one tile, that on zeros outside the matrices included. */
export function multiplyAddsPerTile(k: number): number {
  return tileSize * tileSize * depth * Math.ceil(k / depth)
}

const Params = d.struct({
  m: d.u32,
  k: d.u32,
  n: d.u32,
  /** The tiles of this dispatch, counted row by row over C; a dispatch is folded to `width` workgroups a line. */
  firstTile: d.u32,
  endTile: d.u32,
  width: d.u32,
})

export const matmulLayout = tgpu.bindGroupLayout({
  params: { uniform: Params },
  /** A then B as they came, four entries to a word, and at least one word more. */
  entries: { storage: (length: number) => d.arrayOf(d.u32, length), access: 'readonly' },
  sums: { storage: (length: number) => d.arrayOf(d.i32, length), access: 'mutable' },
})

export const paramsSchema = Params

/** For each of the tile's 64 rows, 16 entries as four vectors along k. */
const rowTile = tgpu.workgroupVar(d.arrayOf(d.vec4i, (tileSize * depth) / 4))
/** For each of 16 rows of B, the tile's 64 columns as 16 vectors. */
const columnTile = tgpu.workgroupVar(d.arrayOf(d.vec4i, (tileSize * depth) / 4))

/** Four entries from byte `first` on, as signed integers. */
const readEntries = tgpu.fn([d.u32], d.vec4i)`(first: u32) -> vec4i {
  let word = first / 4u;
  let offset = 8u * (first % 4u);
  var bits = layout.$.entries[word] >> offset;
  if (offset != 0u) { bits |= layout.$.entries[word + 1u] << (32u - offset); }
  return (vec4i(bitcast<i32>(bits)) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u);
}`.$uses({ layout: matmulLayout })

export const matmulKernel = tgpu.computeFn({
  in: { group: d.builtin.workgroupId, local: d.builtin.localInvocationIndex },
  workgroupSize: [invocations],
})`{
  let m = layout.$.params.m;
  let k = layout.$.params.k;
  let n = layout.$.params.n;
  let tile = layout.$.params.firstTile + in.group.y * layout.$.params.width + in.group.x;
  if (tile >= layout.$.params.endTile) { return; }
  let tilesPerRow = (n + 63u) / 64u;
  let row0 = 64u * (tile / tilesPerRow);
  let column0 = 64u * (tile % tilesPerRow);

  // Each invocation brings four entries of A and four of B to the tiles, and makes 4 x 4 entries of C.
  let loadRow = row0 + in.local / 4u;
  let loadInner = 4u * (in.local % 4u);
  let loadDepth = in.local / 16u;
  let loadColumn = column0 + 4u * (in.local % 16u);
  let rowGroup = 4u * (in.local / 16u);
  let columnGroup = in.local % 16u;

  var sum0 = vec4i(0);
  var sum1 = vec4i(0);
  var sum2 = vec4i(0);
  var sum3 = vec4i(0);
  for (var inner0 = 0u; inner0 < k; inner0 += 16u) {
    let inner = inner0 + loadInner;
    rowTile[in.local] = vec4i(0);
    if (loadRow < m && inner < k) { rowTile[in.local] = readEntries(loadRow * k + inner); }
    let depth = inner0 + loadDepth;
    columnTile[in.local] = vec4i(0);
    if (depth < k && loadColumn < n) { columnTile[in.local] = readEntries(m * k + depth * n + loadColumn); }
    workgroupBarrier();
    for (var quad = 0u; quad < 4u; quad++) {
      let a0 = rowTile[4u * rowGroup + quad];
      let a1 = rowTile[4u * rowGroup + 4u + quad];
      let a2 = rowTile[4u * rowGroup + 8u + quad];
      let a3 = rowTile[4u * rowGroup + 12u + quad];
      let b0 = columnTile[64u * quad + columnGroup];
      let b1 = columnTile[64u * quad + 16u + columnGroup];
      let b2 = columnTile[64u * quad + 32u + columnGroup];
      let b3 = columnTile[64u * quad + 48u + columnGroup];
      sum0 += a0.x * b0 + a0.y * b1 + a0.z * b2 + a0.w * b3;
      sum1 += a1.x * b0 + a1.y * b1 + a1.z * b2 + a1.w * b3;
      sum2 += a2.x * b0 + a2.y * b1 + a2.z * b2 + a2.w * b3;
      sum3 += a3.x * b0 + a3.y * b1 + a3.z * b2 + a3.w * b3;
    }
    workgroupBarrier();
  }

  let row = row0 + rowGroup;
  let column = column0 + 4u * columnGroup;
  var made = array<vec4i, 4>(sum0, sum1, sum2, sum3);
  for (var down = 0u; down < 4u; down++) {
    if (row + down >= m) { break; }
    for (var across = 0u; across < 4u; across++) {
      if (column + across >= n) { break; }
      layout.$.sums[(row + down) * n + column + across] = made[down][across];
    }
  }
}`.$uses({ layout: matmulLayout, rowTile, columnTile, readEntries })
