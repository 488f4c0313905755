/**
 * The canonical bytes of a shader task (spec H30): one encoding per task. The data itself is not in here; it is the task's
 * payload, and `offset` says where in it a buffer's data begins.
 */
import {
  blob,
  choice,
  field,
  type Infer,
  list,
  message,
  optional,
  payloadBytesMax,
  text,
  whole,
} from '@shardy/protocol'
import {
  bindingNumberMax,
  dispatchMax,
  fuelMax,
  nameLengthMax,
  preprocessStepsMax,
  segmentAlignmentBytes,
  sourceBytesMax,
  storageBindingsMax,
  uniformBindingsMax,
} from './limits.ts'
import { emaShiftMax } from './preprocess.ts'

export const bindingTypes = [
  ...(['i32', 'u32', 'f32'] as const),
  ...(['vec2i', 'vec2u', 'vec2f', 'vec3i', 'vec3u', 'vec3f', 'vec4i', 'vec4u', 'vec4f'] as const),
  'struct',
] as const

/** How often the type repeats follows from the length; `offset` is absent exactly when the buffer is an output. */
export const bindingMessage = message('ShaderBinding', {
  binding: field(1, whole(0, bindingNumberMax)),
  access: field(2, choice(['read', 'readWrite', 'uniform'])),
  type: field(3, choice(bindingTypes)),
  byteLength: field(4, whole(4, payloadBytesMax)),
  offset: field(5, optional(whole(0, payloadBytesMax))),
})

const elementsMax = payloadBytesMax / 4
const sliceMessage = message('ShaderSlice', {
  offset: field(1, whole(0, elementsMax)),
  length: field(2, whole(1, elementsMax)),
})
/** Two's complement: the wire has whole numbers only. */
const word = whole(0, 2 ** 32 - 1)
const clampMessage = message('ShaderClamp', { min: field(1, word), max: field(2, word) })
const emaMessage = message('ShaderEma', {
  alphaNumerator: field(1, whole(1, 2 ** emaShiftMax)),
  shift: field(2, whole(0, emaShiftMax)),
})

export const stepMessage = message(
  'ShaderPreprocess',
  {
    binding: field(1, whole(0, bindingNumberMax)),
    slice: field(2, optional(sliceMessage.codec)),
    clamp: field(3, optional(clampMessage.codec)),
    ema: field(4, optional(emaMessage.codec)),
  },
  ({ slice, clamp, ema }) =>
    [slice, clamp, ema].filter((step) => step !== undefined).length === 1
      ? undefined
      : { field: 'slice', rule: 'a step is one of slice, clamp and ema' },
)

export const taskPayloadSchema = message(
  'TaskPayloadSchema',
  {
    version: field(1, whole(1, 1)),
    /** Printable ASCII, newlines and tabs. */
    source: field(2, blob(sourceBytesMax)),
    entryPoint: field(3, text(nameLengthMax)),
    dispatchX: field(4, whole(1, dispatchMax)),
    dispatchY: field(5, whole(1, dispatchMax)),
    dispatchZ: field(6, whole(1, dispatchMax)),
    fuel: field(7, whole(1, fuelMax)),
    bindings: field(8, list(bindingMessage.codec, storageBindingsMax + uniformBindingsMax)),
    preprocess: field(9, list(stepMessage.codec, preprocessStepsMax)),
  },
  ({ bindings }) => brokenLayout(bindings),
)

export type TaskPayloadSchema = Infer<typeof taskPayloadSchema>
export type BindingSchema = Infer<typeof bindingMessage>

export function alignSegment(offset: number): number {
  return Math.ceil(offset / segmentAlignmentBytes) * segmentAlignmentBytes
}

/** Bindings ascend, and each one's data begins at the first aligned place after the data before it. */
function brokenLayout(bindings: readonly BindingSchema[]): { field: string; rule: string } | undefined {
  let previous = -1
  let end = 0
  let outputBytes = 0
  for (const { binding, access, byteLength, offset } of bindings) {
    if (binding <= previous) return { field: 'bindings', rule: `binding ${binding} comes after ${previous}` }
    previous = binding
    if (byteLength % 4 !== 0)
      return { field: 'bindings', rule: `binding ${binding} has ${byteLength} bytes, not whole words` }
    if (access === 'readWrite') {
      if (offset !== undefined)
        return { field: 'bindings', rule: `binding ${binding} is an output and has no offset` }
      outputBytes += byteLength
      continue
    }
    const expected = alignSegment(end)
    if (offset !== expected) {
      const rule = `binding ${binding} has its data at ${offset ?? 'no offset'}, expected ${expected}`
      return { field: 'bindings', rule }
    }
    end = expected + byteLength
  }
  if (end > payloadBytesMax)
    return { field: 'bindings', rule: `the payload has ${end} bytes, the limit is ${payloadBytesMax}` }
  if (outputBytes > payloadBytesMax) {
    return { field: 'bindings', rule: `the output has ${outputBytes} bytes, the limit is ${payloadBytesMax}` }
  }
  return undefined
}
