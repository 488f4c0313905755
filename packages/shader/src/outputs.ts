/** What of a task's output is hashed (spec H34). */
import { canonicalFloats, findOtherNaN } from './floats.ts'
import type { ShaderTask, TaskBinding } from './task.ts'

/** The same output with the floats among its buffers in their one form. Exact outputs come back as they are. */
export function canonicalOutput(task: ShaderTask, output: Uint8Array): Uint8Array {
  requireLength(task, output)
  const canonical = output.slice()
  for (const { offset, byteLength } of floatBindings(task))
    canonical.set(canonicalFloats(output.subarray(offset, offset + byteLength)), offset)
  return canonical
}

/** Where an output first holds a NaN in another form; undefined when it is as it is hashed. */
export function findNonCanonical(task: ShaderTask, output: Uint8Array): number | undefined {
  requireLength(task, output)
  for (const { offset, byteLength } of floatBindings(task)) {
    const found = findOtherNaN(output.subarray(offset, offset + byteLength))
    if (found !== undefined) return offset + found
  }
  return undefined
}

function floatBindings(task: ShaderTask): readonly TaskBinding[] {
  return task.bindings.filter(({ buffer: { access, layout } }) => {
    return access === 'readWrite' && layout.kind === 'array' && layout.element.of === 'f32'
  })
}

function requireLength(task: ShaderTask, output: Uint8Array): void {
  if (output.length !== task.outputBytes)
    throw new RangeError(`the output has ${output.length} bytes, expected ${task.outputBytes}`)
}
