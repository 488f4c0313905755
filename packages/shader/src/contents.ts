/** The bytes that each buffer holds when the shader begins (spec H31, H33): the payload's segments after their steps, or zeros. */
import { describeRefusal } from '@shardy/protocol'
import { applyStep } from './preprocess.ts'
import { refusePayload, type ShaderTask } from './task.ts'

/** By binding, in the task's order. The payload must be one that `refusePayload` accepts. */
export function bufferContents(task: ShaderTask, payload: Uint8Array): readonly Uint8Array[] {
  const refusal = refusePayload(task, payload)
  if (refusal !== undefined) throw new RangeError(describeRefusal(refusal))
  return task.bindings.map(({ buffer, offset, byteLength, bufferBytes }) => {
    if (buffer.access === 'readWrite') return new Uint8Array(bufferBytes)
    const bytes = payload.subarray(offset, offset + byteLength)
    const steps = task.preprocess.filter(({ binding }) => binding === buffer.binding)
    if (steps.length === 0) return bytes
    return toBytes(steps.reduce((values, step) => applyStep(step, values), toWords(bytes)))
  })
}

/** Little-endian words, whatever the host. */
export function toWords(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Int32Array.from({ length: bytes.length / 4 }, (_, index) => view.getInt32(4 * index, true))
}

export function toBytes(words: Int32Array): Uint8Array {
  const bytes = new Uint8Array(4 * words.length)
  const view = new DataView(bytes.buffer)
  words.forEach((word, index) => {
    view.setInt32(4 * index, word, true)
  })
  return bytes
}
