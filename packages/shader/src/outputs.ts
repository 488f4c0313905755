/** What of a task's output is hashed (spec H34). */
import { canonicalFloats } from './floats.ts'
import type { ShaderTask } from './task.ts'

/** The same output with the floats among its buffers in their one form. Exact outputs come back as they are. */
export function canonicalOutput(task: ShaderTask, output: Uint8Array): Uint8Array {
  if (output.length !== task.outputBytes) {
    throw new RangeError(`the output has ${output.length} bytes, expected ${task.outputBytes}`)
  }
  const canonical = output.slice()
  for (const { buffer, offset, byteLength } of task.bindings) {
    const { access, layout } = buffer
    if (access !== 'readWrite' || layout.kind !== 'array' || layout.element.of !== 'f32') continue
    canonical.set(canonicalFloats(output.subarray(offset, offset + byteLength)), offset)
  }
  return canonical
}
