/**
 * Packs an operand into tiles (see layout.ts). A left matrix, or a right one that lies transposed, has k contiguous
 * already and is cut into tiles; a right one of k × n is turned. Entries beyond the matrix become zeros, unsigned bytes
 * become signed by subtracting 128, and the columns of a right matrix are summed for the correction that this asks for.
 */
import { d } from 'typegpu'
import { rowOfSlot, tileDepthBytes, tileRows, tileVectors } from './layout.ts'

export interface PackShape {
  /** `rows`: k is contiguous. `columns`: the matrix lies as k × rows. */
  readonly source: 'rows' | 'columns'
  readonly entryBytes: 1 | 4
  /** Whether every row of the source begins at a whole word. */
  readonly aligned: boolean
  readonly unsigned: boolean
}

export const PackParameters = d.struct({
  /** Of the operand: rows of the tiles, and k in entries. */
  rows: d.u32,
  k: d.u32,
  depthTiles: d.u32,
  rowTiles: d.u32,
  width: d.u32,
})

export const packEntryPoint = 'pack'

/** One workgroup packs a tile, a vector for each invocation; workgroups come in lines of `width`. */
const threads = tileVectors

const parametersText = `struct PackParameters {
${Object.keys(PackParameters.propTypes)
  .map((name) => `  ${name}: u32,`)
  .join('\n')}
}
@group(0) @binding(0) var<uniform> parameters: PackParameters;`

const tileText = `
  let tile = group.y * parameters.width + group.x;
  if (tile >= parameters.rowTiles * parameters.depthTiles) { return; }
  let row0 = tile / parameters.depthTiles * ${tileRows}u;
  let packedTile = group.z * parameters.rowTiles * parameters.depthTiles + tile;`

const signature = `@compute @workgroup_size(${threads})
fn ${packEntryPoint}(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {`

/** The word that begins at a byte; where rows are not aligned it need not be the first of a word of the buffer. */
const wordAtText = {
  aligned: `fn wordAt(byte: u32) -> u32 {
  return source[byte / 4u];
}`,
  unaligned: `fn wordAt(byte: u32) -> u32 {
  let word = byte / 4u;
  let bit = 8u * (byte % 4u);
  let next = source[min(word + 1u, arrayLength(&source) - 1u)];
  return select((source[word] >> bit) | (next << ((32u - bit) & 31u)), source[word], bit == 0u);
}`,
}

/** Zeros in the place of the bytes from `count` on. */
const keepText = `fn keep(word: u32, count: u32) -> u32 {
  return select(word & ((1u << (8u * (count & 3u))) - 1u), word, count >= 4u);
}`

export function packText(shape: PackShape): string {
  return `${parametersText}
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> packed: array<array<vec4u, ${tileVectors}>>;
${wordAtText[shape.aligned ? 'aligned' : 'unaligned']}
${keepText}
${shape.source === 'rows' ? rowsText(shape) : columnsText(shape)}`
}

function rowsText({ entryBytes, unsigned }: PackShape): string {
  const flip = unsigned ? ' ^ 0x80808080u' : ''
  return `${signature}${tileText}
  let slot = thread / 2u;
  let row = row0 + ${rowOfSlot('slot')};
  let depth = parameters.k * ${entryBytes}u;
  let begin = (group.z * parameters.rows + row) * depth;
  let first = tile % parameters.depthTiles * ${tileDepthBytes}u + thread % 2u * 16u;
  var vector = vec4u(0u);
  if (row < parameters.rows) {
    for (var word = 0u; word < 4u; word++) {
      let byte = first + 4u * word;
      if (byte < depth) { vector[word] = keep(wordAt(begin + byte)${flip}, depth - byte); }
    }
  }
  packed[packedTile][thread] = vector;
}`
}

/** Turned in workgroup memory, so that both sides are read and written in whole lines. */
function columnsText({ entryBytes }: PackShape): string {
  return `var<workgroup> words: array<u32, ${4 * tileVectors}>;

/** Which slot of a tile holds its row; the inverse of the order in which rows lie. */
fn slotOf(row: u32) -> u32 {
  return row / 8u * 8u + row % 2u * 4u + row % 8u / 2u;
}

${signature}${tileText}
  let begin = group.z * parameters.k * parameters.rows;
  ${entryBytes === 1 ? turnBytes : turnWords}
  workgroupBarrier();
  packed[packedTile][thread] = vec4u(words[4u * thread], words[4u * thread + 1u], words[4u * thread + 2u], words[4u * thread + 3u]);
}`
}

/** A square of four by four bytes for each invocation. */
const turnBytes = `let column = 4u * (thread % 32u);
  let word = thread / 32u;
  let k = tile % parameters.depthTiles * ${tileDepthBytes}u + 4u * word;
  var turned = vec4u(0u);
  for (var part = 0u; part < 4u; part++) {
    if (k + part < parameters.k && row0 + column < parameters.rows) {
      let four = wordAt(begin + (k + part) * parameters.rows + row0 + column);
      let kept = keep(four, parameters.rows - row0 - column);
      turned |= ((vec4u(kept) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u)) << vec4u(8u * part);
    }
  }
  for (var part = 0u; part < 4u; part++) { words[8u * slotOf(column + part) + word] = turned[part]; }`

const turnWords = `for (var part = 0u; part < 4u; part++) {
    let column = thread % 128u;
    let word = thread / 128u + 2u * part;
    let k = tile % parameters.depthTiles * ${tileDepthBytes / 4}u + word;
    var entry = 0u;
    if (k < parameters.k && row0 + column < parameters.rows) {
      entry = source[begin + k * parameters.rows + row0 + column];
    }
    words[8u * slotOf(column) + word] = entry;
  }`

/**
 * The sums of the packed rows over k, one workgroup for each row tile. The tiles are bound for writing only because the
 * sums lie in the same buffer.
 */
export const sumText = `${parametersText}
@group(0) @binding(1) var<storage, read_write> packed: array<array<vec4u, ${tileVectors}>>;
@group(0) @binding(2) var<storage, read_write> sums: array<i32>;
var<workgroup> halves: array<i32, ${threads}>;

${signature}
  let firstTile = (group.z * parameters.rowTiles + group.x) * parameters.depthTiles;
  var sum = vec4i(0);
  for (var tile = 0u; tile < parameters.depthTiles; tile++) {
    let vector = bitcast<vec4i>(packed[firstTile + tile][thread]);
    for (var byte = 0u; byte < 4u; byte++) { sum += extractBits(vector, 8u * byte, 8u); }
  }
  halves[thread] = sum.x + sum.y + sum.z + sum.w;
  workgroupBarrier();
  if (thread % 2u == 0u) {
    let slot = thread / 2u;
    let row = (group.z * parameters.rowTiles + group.x) * ${tileRows}u + ${rowOfSlot('slot')};
    sums[row] = halves[thread] + halves[thread + 1u];
  }
}`
