/** From a source and the sizes of its buffers to a task's content: whoever asks for a shader counts no offsets by hand. */
import { byteSize } from './bindings.ts'
import type { SourceRefusal } from './position.ts'
import type { PreprocessStep } from './preprocess.ts'
import { alignSegment, type TaskPayloadSchema } from './schema.ts'
import { sourceBytes, wireType } from './task.ts'
import { validateShader } from './validate.ts'

export interface ShaderRequest {
  readonly source: string
  readonly dispatch: readonly [number, number, number]
  readonly fuel: number
  /** By binding: bytes in the payload, or of the output. What a layout fixes may be left out. */
  readonly byteLengths: Readonly<Record<number, number>>
  readonly preprocess?: readonly PreprocessStep[]
}

export type BuiltTask =
  | { readonly ok: true; readonly value: TaskPayloadSchema }
  | { readonly ok: false; readonly refusal: SourceRefusal }

/** The content that `encodeShaderTask` takes, or why the source is refused. */
export function buildShaderTask({
  source,
  dispatch,
  fuel,
  byteLengths,
  preprocess = [],
}: ShaderRequest): BuiltTask {
  const validated = validateShader(source)
  if (!validated.ok) return validated
  const { shader } = validated.value
  let end = 0
  const bindings = shader.buffers.map((buffer) => {
    const { binding, access, layout } = buffer
    const fixed =
      layout.kind === 'struct'
        ? layout.bytes
        : layout.kind === 'value'
          ? byteSize(layout.type)
          : byteSize(layout.element) * (layout.length ?? 1)
    const byteLength = byteLengths[binding] ?? fixed
    if (access === 'readWrite')
      return { binding, access, type: wireType(buffer), byteLength, offset: undefined }
    const offset = alignSegment(end)
    end = offset + byteLength
    return { binding, access, type: wireType(buffer), byteLength, offset }
  })
  const [dispatchX, dispatchY, dispatchZ] = dispatch
  const value: TaskPayloadSchema = {
    version: 1,
    source: sourceBytes(source),
    entryPoint: shader.entry.name,
    ...{ dispatchX, dispatchY, dispatchZ, fuel, bindings },
    preprocess: preprocess.map(writeStep),
  }
  return { ok: true, value }
}

function writeStep(step: PreprocessStep): TaskPayloadSchema['preprocess'][number] {
  const blank = { binding: step.binding, slice: undefined, clamp: undefined, ema: undefined }
  switch (step.kind) {
    case 'slice':
      return { ...blank, slice: { offset: step.offset, length: step.length } }
    case 'clamp':
      return { ...blank, clamp: { min: step.min >>> 0, max: step.max >>> 0 } }
    case 'ema':
      return { ...blank, ema: { alphaNumerator: step.alphaNumerator, shift: step.shift } }
  }
}
