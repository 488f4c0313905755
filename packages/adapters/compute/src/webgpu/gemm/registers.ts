/**
 * The product on ordinary arithmetic, as text: each invocation keeps a block of sums in registers and reads its operands,
 * words along k, from workgroup memory. What is multiplied and how is the caller's: packed bytes by `dot4I8Packed`,
 * single integers, or floats. Rows of memory are swizzled rather than padded, so that tiles of 128 fit the 16 KiB that
 * every device has. Loads and the stores of what they bring stay in one block of the loop, since compilers sink a load
 * behind the guard that implementations put at a loop's head.
 */
import { declareBinding } from './epilogue.ts'
import { gridText } from './grid.ts'
import { entryPoint, type KernelText, type Layouts } from './kernel.ts'
import { parametersText } from './parameters.ts'
import { bindingType, type Piece, type Staging, stage } from './staging.ts'
import { repeat } from './wgsl.ts'

export interface RegisterTile {
  /** Rows and columns that a workgroup makes. */
  readonly rows: 32 | 64 | 128
  readonly columns: 32 | 64 | 128
  /** Groups of four rows and of four columns in one invocation. */
  readonly down: 1 | 2
  readonly across: 1 | 2
  /** Whether a step is written out, or left as a loop for compilers that take their time. */
  readonly unrolled: boolean
}

interface Arithmetic {
  /** Of a word in a buffer, of one in workgroup memory, and of a sum. */
  readonly word: 'u32' | 'f32'
  readonly held: 'u32' | 'i32' | 'f32'
  readonly sum: 'i32' | 'f32'
  readonly stepBytes: 32 | 64
  /** The words held for one word of the buffer, along k. */
  readonly heldPerWord: 1 | 4
  /** A held word: that part of a word of the buffer. */
  hold(word: string, part: string): string
  /** Adds the products of one left entry with four right ones to `sum`. */
  multiplyAdd(sum: string, left: string, right: string): string
}

interface RegisterKernel {
  readonly tile: RegisterTile
  readonly arithmetic: Arithmetic
  readonly layouts: Layouts
  readonly unsignedLeft: boolean
  /** Declares `channelsAt`, `scale` and `write`; see epilogue.ts. */
  readonly epilogue: string
}

export function registerKernel(kernel: RegisterKernel): KernelText {
  const { tile, arithmetic, layouts, unsignedLeft, epilogue } = kernel
  const { rows, columns, down, across, unrolled } = tile
  const { word, held, sum, stepBytes, heldPerWord } = arithmetic
  const [invocationsDown, invocationsAcross] = [rows / 4 / down, columns / 4 / across]
  const threads = invocationsDown * invocationsAcross
  const depth = (stepBytes / 4) * heldPerWord
  const heldPerVector = 4 * heldPerWord
  const shared = { stepBytes, threads, word }
  const left = stage({ ...shared, name: 'left', layout: layouts.left, rows, unsigned: unsignedLeft })
  const right = stage({ ...shared, name: 'right', layout: layouts.right, rows: columns, unsigned: false })

  /** Sets each held word of a vector, by `lane` and `part` of the lane; whether they are numbers or variables. */
  const put = (memory: string, { register, row, vector }: Piece): string => {
    const set = (lane: string, part: string) =>
      `${memory}[${vector} * ${heldPerVector}u + ${lane} * ${heldPerWord}u + ${part}][(${row} / 4u) ^ ${swizzle(vector)}][${row} % 4u] = ${arithmetic.hold(`${register}[${lane}]`, part)};`
    if (unrolled) {
      return repeat(heldPerVector, (index) =>
        set(`${Math.floor(index / heldPerWord)}u`, `${index % heldPerWord}u`),
      )
    }
    const loop = `for (var held = 0u; held < ${heldPerVector}u; held++)`
    return `${loop} { ${set(`(held / ${heldPerWord}u)`, `(held % ${heldPerWord}u)`)} }`
  }
  const putAll = (memory: string, { pieces }: Staging): string =>
    pieces.map((piece) => put(memory, piece)).join('\n')
  const store = `${putAll('leftWords', left)}\n${putAll('rightWords', right)}`
  const load = (step: string) => `${left.load(step)}\n${right.load(step)}`

  const blocks = Array.from({ length: down * 4 * across }, (_, index) => ({
    sum: `sum${index}`,
    group: Math.floor(index / across / 4),
    row: Math.floor(index / across) % 4,
    column: index % across,
  }))
  const multiplyAt = (k: string, turn: string): string => `{
${repeat(down, (index) => `let left4${index} = leftWords[${k}][(${index * invocationsDown}u + rowAt) ^ ${turn}];`)}
${repeat(across, (index) => `let right4${index} = rightWords[${k}][(${index * invocationsAcross}u + columnAt) ^ ${turn}];`)}
${blocks.map(({ sum, group, row, column }) => arithmetic.multiplyAdd(sum, `left4${group}.${'xyzw'[row]}`, `right4${column}`)).join('\n')}
}`
  const multiply = unrolled
    ? repeat(depth, (k) => multiplyAt(`${k}u`, `${4 * (Math.floor(k / heldPerVector) % 2)}u`))
    : `for (var k = 0u; k < ${depth}u; k++) ${multiplyAt('k', swizzle(`(k / ${heldPerVector}u)`))}`
  const columnOf = (index: string) => `rightRow0 + 4u * (${index} * ${invocationsAcross}u + columnAt)`
  const rowOf = (group: string, row: string) =>
    `leftRow0 + 4u * (${group} * ${invocationsDown}u + rowAt) + ${row}`
  const setChannels = repeat(
    across,
    (index) => `let channels${index} = channelsAt(batch, ${columnOf(`${index}u`)});`,
  )
  const finish = `${setChannels}
  ${blocks.map(({ sum, column }) => `${sum} = scale(channels${column}, ${sum});`).join('\n  ')}
  ${blocks.map(({ sum, group, row, column }) => `write(batch, ${rowOf(`${group}u`, `${row}u`)}, ${columnOf(`${column}u`)}, ${sum});`).join('\n  ')}`
  const finishInLoop = `var sums4 = array<vec4<${sum}>, ${blocks.length}>(${blocks.map((block) => block.sum).join(', ')});
  for (var index = 0u; index < ${blocks.length}u; index++) {
    let column = ${columnOf(`(index % ${across}u)`)};
    let row = index / ${across}u;
    write(batch, ${rowOf('(row / 4u)', 'row % 4u')}, column, scale(channelsAt(batch, column), sums4[index]));
  }`
  const code = `${parametersText}
${declareBinding('left', bindingType({ layout: layouts.left, word }), 'read')}
${declareBinding('right', bindingType({ layout: layouts.right, word }), 'read')}
${epilogue}
${gridText}
var<workgroup> leftWords: array<array<vec4<${held}>, ${rows / 4}>, ${depth}>;
var<workgroup> rightWords: array<array<vec4<${held}>, ${columns / 4}>, ${depth}>;

@compute @workgroup_size(${threads})
fn ${entryPoint}(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tile = tileOf(group);
  if (isOutside(tile)) { return; }
  let batch = group.z;
  let leftRow0 = tile.x * ${rows}u;
  let rightRow0 = tile.y * ${columns}u;
  let rowAt = thread / ${invocationsAcross}u;
  let columnAt = thread % ${invocationsAcross}u;
  ${left.setup}
  ${right.setup}
  ${left.declaration}
  ${right.declaration}
  ${blocks.map(({ sum: name }) => `var ${name}: vec4<${sum}>;`).join(' ')}
  ${load('0u')}
  ${store}
  workgroupBarrier();
  for (var step = 0u; step < parameters.steps; step++) {
    let next = min(step + 1u, parameters.steps - 1u);
    ${load('next')}
    ${multiply}
    workgroupBarrier();
    ${store}
    workgroupBarrier();
  }
  ${unrolled ? finish : finishInLoop}
}`
  const workgroupBytes = 4 * depth * (rows + columns)
  return { code, tileRows: rows, tileColumns: columns, stepBytes, threads, workgroupBytes }
}

/** Two vectors of one row are stored at one time, and would fall into the same banks: every other one lies 16 words away. */
function swizzle(vector: string): string {
  return `(${vector} % 2u * 4u)`
}
