/**
 * How a kernel's WGSL is put together: parameters, the buffers it reads and writes, and its own text. Buffers are words;
 * tensors of bytes lie in them as they are on the wire, four to a word, little-endian. `xAt(i)` is entry i of operand x as
 * an i32, whose bits are those of a u32 tensor's entry; `xWord(w)` is word w. An operand that is too large for one binding
 * is bound in several windows, which those two functions hide.
 */
import type { Dtype } from '@shardy/tensor'
import { type Draft, type Operand, windowBytes, windowsOf } from '../plan/draft.ts'
import type { Kernel, Span } from '../plan/step.ts'

export type Reads = Readonly<Record<string, Operand>>
/** Words by name; negative ones are read back with `bitcast<i32>`. */
export type Params = Readonly<Record<string, number>>

export interface ModuleParts {
  readonly reads: Reads
  /** The arrays that are written, by name, and what they are arrays of. */
  readonly writes: Readonly<Record<string, 'u32' | 'atomic<u32>'>>
  readonly params: Params
  readonly functions: string
  readonly workgroupSize: number
  /** What each invocation does; `group` counts the workgroups of the dispatch, `lane` the invocations of one. */
  readonly main: string
}

export interface BoundKernel {
  readonly kernel: Kernel
  readonly reads: readonly Span[]
  readonly params: readonly number[]
}

function entryOfWord(dtype: Dtype, name: string): string {
  if (dtype === 'i8') return `extractBits(bitcast<i32>(${name}Word(i / 4u)), 8u * (i % 4u), 8u)`
  if (dtype === 'u8') return `bitcast<i32>(extractBits(${name}Word(i / 4u), 8u * (i % 4u), 8u))`
  return `bitcast<i32>(${name}Word(i))`
}

/** Finds the window of a word; windows all have the same number of words, but for the last. */
function wordOfWindows(name: string, windows: number, wordsEach: number): string {
  const cases = Array.from({ length: windows }, (_, index) => {
    const word = index === 0 ? 'w' : `w - ${index * wordsEach}u`
    const read = `return ${name}${index}[${word}];`
    return index === windows - 1 ? read : `if (w < ${(index + 1) * wordsEach}u) { ${read} }`
  })
  return cases.join(' ')
}

export function bindKernel(draft: Draft, parts: ModuleParts): BoundKernel {
  const { reads, writes, params, functions, workgroupSize, main } = parts
  const { limits } = draft
  const declarations: string[] = []
  const accessors: string[] = []
  const spans: Span[] = []
  for (const [name, operand] of Object.entries(reads)) {
    const windows = windowsOf(operand, limits)
    for (const [index, span] of windows.entries()) {
      spans.push(span)
      declarations.push(`@group(0) @binding(${spans.length}) var<storage, read> ${name}${index}: array<u32>;`)
    }
    accessors.push(
      `fn ${name}Word(w: u32) -> u32 { ${wordOfWindows(name, windows.length, windowBytes(limits) / 4)} }`,
      `fn ${name}At(i: u32) -> i32 { return ${entryOfWord(operand.dtype, name)}; }`,
    )
  }
  const written = Object.entries(writes)
  for (const [index, [name, type]] of written.entries()) {
    const binding = spans.length + 1 + index
    declarations.push(`@group(0) @binding(${binding}) var<storage, read_write> ${name}: array<${type}>;`)
  }
  const code = `struct Params { ${['first', 'end', ...Object.keys(params)].map((name) => `${name}: u32,`).join(' ')} }
@group(0) @binding(0) var<uniform> params: Params;
${declarations.join('\n')}
${accessors.join('\n')}
${functions}
@compute @workgroup_size(${workgroupSize})
fn main(
  @builtin(workgroup_id) place: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = place.y * groups.x + place.x;
${main}
}
`
  return {
    kernel: { code, reads: spans.length, writes: written.length },
    reads: spans,
    params: Object.values(params),
  }
}
