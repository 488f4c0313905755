/**
 * The product on matrix units: Chromium's experimental subgroup matrices, i8 to i32, 16 × 16 × 32. Each subgroup of 32
 * makes a square of fragments from panels in workgroup memory. Written so that compilers keep its checks out of the
 * loop: a fragment is a constant offset into a panel of its own (no bounds test), the loads of a step and their stores
 * are in one block (none sink behind the loop's guard), and rows are padded to an odd number of 16 bytes (no bank twice).
 */
import { declareBinding, type EpilogueShape, epilogueText, tableBytes } from './epilogue.ts'
import { gridText } from './grid.ts'
import { entryPoint, type KernelText, type Layouts } from './kernel.ts'
import { parametersText } from './parameters.ts'
import { bindingType, type Staging, stage } from './staging.ts'
import { repeat } from './wgsl.ts'

export interface SubgroupTile {
  /** Subgroups of a workgroup, down and across. */
  readonly down: number
  readonly across: number
  /** Fragments of a subgroup, down and across alike. */
  readonly fragments: 2 | 4
  readonly stepBytes: 32 | 64
  /** Copies of a step in workgroup memory: with two, one is filled while the other is multiplied. */
  readonly stages: 1 | 2
}

const fragmentSize = 16
const fragmentDepth = 32
const subgroupSize = 32

export function subgroupKernel(tile: SubgroupTile, layouts: Layouts, shape: EpilogueShape): KernelText {
  const { down, across, fragments, stepBytes, stages } = tile
  const threads = down * across * subgroupSize
  const side = fragments * fragmentSize
  const pitch = stepBytes / 16 + 1
  const panel = side * pitch
  const panels = stages * (down + across)
  const shared = { stepBytes, threads, word: 'i32' } as const
  const epilogue = epilogueText(shape, threads)
  const left = stage({
    ...shared,
    name: 'left',
    layout: layouts.left,
    rows: down * side,
    unsigned: shape.unsignedLeft,
  })
  const right = stage({
    ...shared,
    name: 'right',
    layout: layouts.right,
    rows: across * side,
    unsigned: false,
  })

  /** Panels in memory: of the left operand for each stage, then those of the right one. */
  const panelOf = (operand: 'left' | 'right', copy: number, index: string): string =>
    operand === 'left'
      ? `panels[${copy * down}u + ${index}]`
      : `panels[${stages * down + copy * across}u + ${index}]`
  const put = (operand: 'left' | 'right', { pieces }: Staging, copy: number): string =>
    pieces
      .map(({ register, row, vector }) => {
        const place = panelOf(operand, copy, `${row} / ${side}u`)
        return `${place}[${row} % ${side}u * ${pitch}u + ${vector}] = ${register};`
      })
      .join('\n')
  const load = (step: string) => `${left.load(step)}\n${right.load(step)}`
  const store = (copy: number) => `${put('left', left, copy)}\n${put('right', right, copy)}`
  const multiply = (copy: number) =>
    repeat(stepBytes / fragmentDepth, (part) =>
      multiplyPart(tile, pitch, 2 * part, (operand) =>
        panelOf(operand, copy, operand === 'left' ? 'downAt' : 'acrossAt'),
      ),
    )

  const once = `
    let next = min(step + 1u, parameters.steps - 1u);
    ${load('next')}
    ${multiply(0)}
    workgroupBarrier();
    ${store(0)}
    workgroupBarrier();`
  const twice = `
    ${load('min(2u * step + 1u, parameters.steps - 1u)')}
    ${multiply(0)}
    ${store(1)}
    workgroupBarrier();
    ${load('min(2u * step + 2u, parameters.steps - 1u)')}
    ${multiply(1)}
    ${store(0)}
    workgroupBarrier();`
  const code = `enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
${parametersText}
${declareBinding('left', bindingType({ layout: layouts.left, word: 'i32' }), 'read')}
${declareBinding('right', bindingType({ layout: layouts.right, word: 'i32' }), 'read')}
${epilogue.declarations}
${gridText}
var<workgroup> panels: array<array<vec4i, ${panel}>, ${panels}>;

@compute @workgroup_size(${threads})
fn ${entryPoint}(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tile = tileOf(group);
  if (isOutside(tile)) { return; }
  let batch = group.z;
  let leftRow0 = tile.x * ${down * side}u;
  let rightRow0 = tile.y * ${across * side}u;
  let subgroup = thread / ${subgroupSize}u;
  let downAt = subgroup / ${across}u;
  let acrossAt = subgroup % ${across}u;
  ${epilogue.setup}
  ${left.setup}
  ${right.setup}
  ${left.declaration}
  ${right.declaration}
  ${repeat(fragments * fragments, (index) => `var sum${index}: subgroup_matrix_result<i32, ${fragmentSize}, ${fragmentSize}>;`)}
  ${load('0u')}
  ${store(0)}
  workgroupBarrier();
  for (var step = 0u; step < parameters.steps${stages === 2 ? ' / 2u' : ''}; step++) {${stages === 2 ? twice : once}
  }
  ${writeOut(tile, panel)}
}`
  return {
    code,
    threads,
    tileRows: down * side,
    tileColumns: across * side,
    stepBytes,
    workgroupBytes: panel * panels * 16 + tableBytes(shape.epilogue),
  }
}

/** Multiplies 32 bytes of k, all fragments by all; odd rows go backwards, so that neighbours share an operand. */
function multiplyPart(
  { fragments }: SubgroupTile,
  pitch: number,
  vector: number,
  panelOf: (operand: 'left' | 'right') => string,
): string {
  const offset = (index: number) => `${index * fragmentSize * pitch + vector}u`
  const load = (kind: 'left' | 'right', index: number) => {
    const [shape, order] =
      kind === 'left'
        ? [`i8, ${fragmentDepth}, ${fragmentSize}`, 'row_major']
        : [`i8, ${fragmentSize}, ${fragmentDepth}`, 'col_major']
    return `let ${kind}Part${index} = subgroupMatrixLoad<subgroup_matrix_${kind}<${shape}>, ${order}>(&${panelOf(kind)}, ${offset(index)}, ${pitch}u);`
  }
  return `{
${repeat(fragments, (index) => load('left', index))}
${repeat(fragments, (index) => load('right', index))}
${repeat(fragments * fragments, (index) => {
  const row = Math.floor(index / fragments)
  const column = row % 2 === 0 ? index % fragments : fragments - 1 - (index % fragments)
  const sum = `sum${row * fragments + column}`
  return `${sum} = subgroupMatrixMultiplyAccumulate(leftPart${row}, rightPart${column}, ${sum});`
})}
}`
}

/**
 * Fragments go out through workgroup memory, a strip of 16 rows at a time in a panel of each subgroup's own: the layout
 * of a fragment over the invocations is the device's secret, and whole rows fill whole lines of the cache.
 */
function writeOut({ fragments, down, across }: SubgroupTile, panel: number): string {
  const widths = [4, 2, 1].filter((width) => width <= fragments)
  const wide = widths.find((width) => fragmentSize * (4 * width + 1) <= panel) ?? 1
  const vectors = 4 * wide
  const rowsAtOnce = subgroupSize / vectors
  const side = fragments * fragmentSize
  const parts = fragmentSize / rowsAtOnce
  const perRow = fragments / wide
  const strips = Array.from({ length: fragments * perRow }, (_, strip) => {
    const row = Math.floor(strip / perRow)
    const column = strip % perRow
    const firstSum = row * fragments + column * wide
    const store = (index: number) =>
      `subgroupMatrixStore<row_major>(&panels[subgroup], ${4 * index}u, sum${firstSum + index}, ${vectors + 1}u);`
    const read = (part: number) =>
      `panels[subgroup][(laneRow + ${part * rowsAtOnce}u) * ${vectors + 1}u + lane % ${vectors}u]`
    return `${repeat(wide, store)}
  workgroupBarrier();
  {
  ${repeat(parts, (part) => `let y${part} = scale(channels${column}, ${read(part)});`)}
  ${repeat(parts, (part) => `write(batch, outRow + ${row * fragmentSize + part * rowsAtOnce}u, outColumn + ${16 * wide * column}u, y${part});`)}
  }
  workgroupBarrier();`
  })
  if (down * across > down + across) throw new Error('every subgroup needs a panel to write from')
  return `let lane = thread % ${subgroupSize}u;
  let laneRow = lane / ${vectors}u;
  let outRow = leftRow0 + downAt * ${side}u + laneRow;
  let outColumn = rightRow0 + acrossAt * ${side}u + lane % ${vectors}u * 4u;
  ${repeat(perRow, (column) => `let channels${column} = channelsAt(batch, outColumn + ${16 * wide * column}u);`)}
  ${strips.join('\n  ')}`
}
