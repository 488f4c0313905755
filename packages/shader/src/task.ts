/**
 * A shader task that can run (spec H30 to H32): its canonical bytes, its checked shader, and the two fitted together. What
 * `parseShaderTask` gives back needs no further check but that of its payload.
 */
import { describeRefusal, type Refusal } from '@shardy/protocol'
import { byteSize } from './bindings.ts'
import type { Exactness } from './exactness.ts'
import { invocationsMax, workMax } from './limits.ts'
import type { SourceRefusal } from './position.ts'
import { type PreprocessStep, stepLength } from './preprocess.ts'
import { type BindingSchema, type TaskPayloadSchema, taskPayloadSchema } from './schema.ts'
import type { Buffer, Shader } from './shader.ts'
import type { ValueType } from './types.ts'
import { validateShader } from './validate.ts'

export interface TaskBinding {
  readonly buffer: Buffer
  /** Bytes in the payload, or in the output. */
  readonly byteLength: number
  /** Where they begin there. */
  readonly offset: number
  /** Bytes on the device: those that the preprocessing steps leave. */
  readonly bufferBytes: number
}

export interface ShaderTask {
  readonly shader: Shader
  readonly instrumented: string
  readonly exactness: Exactness
  readonly dispatch: readonly [number, number, number]
  readonly fuel: number
  /** In the order of their numbers, which is that of payload and output. */
  readonly bindings: readonly TaskBinding[]
  readonly preprocess: readonly PreprocessStep[]
  readonly payloadBytes: number
  readonly outputBytes: number
  readonly invocations: number
  /** At most so many nodes are executed and elements preprocessed: what a lease and a price can rest on (spec H16). */
  readonly work: number
}

export type TaskRefusal = Refusal | SourceRefusal
export type ParsedTask =
  | { readonly ok: true; readonly value: ShaderTask }
  | { readonly ok: false; readonly refusal: TaskRefusal }

export function describeTaskRefusal(refusal: TaskRefusal): string {
  if (refusal.kind !== 'source') return describeRefusal(refusal)
  return `the shader, line ${refusal.line}, column ${refusal.column}: ${refusal.message}`
}

/** For a task within its bounds; another is a bug of the caller and throws. */
export function encodeShaderTask(task: TaskPayloadSchema): Uint8Array {
  const bytes = taskPayloadSchema.encode(task)
  const parsed = parseShaderTask(bytes)
  if (!parsed.ok) throw new RangeError(describeTaskRefusal(parsed.refusal))
  return bytes
}

export function sourceBytes(source: string): Uint8Array {
  return Uint8Array.from(source, (letter) => {
    const code = letter.charCodeAt(0)
    if (letter.length > 1 || code > 126) throw new RangeError(`the source has ${letter}, which is not ASCII`)
    return code
  })
}

export function parseShaderTask(bytes: Uint8Array): ParsedTask {
  const decoded = taskPayloadSchema.decode(bytes)
  if (!decoded.ok) return decoded
  const { source, entryPoint, dispatchX, dispatchY, dispatchZ, fuel, bindings, preprocess } = decoded.value
  // Bytes beyond ASCII become letters that the lexer refuses with their place.
  const letters = Array.from(source, (byte) => String.fromCharCode(byte)).join('')
  const validated = validateShader(letters)
  if (!validated.ok) return validated
  const { shader, instrumented } = validated.value

  if (shader.entry.name !== entryPoint) {
    return inconsistent('entryPoint', `is '${entryPoint}', the shader's is '${shader.entry.name}'`)
  }
  const dispatch = [dispatchX, dispatchY, dispatchZ] as const
  const invocations = dispatch.reduce(
    (product, groups, axis) => product * groups * (shader.workgroupSize[axis] ?? 1),
    1,
  )
  if (invocations > invocationsMax) {
    return inconsistent('dispatchX', `there are ${invocations} invocations, the limit is ${invocationsMax}`)
  }
  const steps = preprocess.map(readStep)
  const fitted = fitBindings(shader, bindings, steps)
  if ('refusal' in fitted) return fitted
  const { preprocessed } = fitted
  const work = invocations * (fuel + 1) * shader.nodes + preprocessed
  if (work > workMax) {
    const rule = `${invocations} invocations times ${fuel} + 1 fuel times ${shader.nodes} nodes, and ${preprocessed} preprocessed elements, is ${work}, the limit is ${workMax}`
    return inconsistent('fuel', rule)
  }
  const inputs = fitted.bindings.filter(({ buffer }) => buffer.access !== 'readWrite')
  const last = inputs.at(-1)
  return {
    ok: true,
    value: {
      shader,
      instrumented,
      exactness: withDispatch(validated.value.exactness, dispatch, shader),
      dispatch,
      fuel,
      bindings: fitted.bindings,
      preprocess: steps,
      payloadBytes: last === undefined ? 0 : last.offset + last.byteLength,
      outputBytes: fitted.outputBytes,
      invocations,
      work,
    },
  }
}

/** Why these bytes cannot be the task's payload, if they cannot. Between segments there are zeros, so one task's data has one form. */
export function refusePayload(task: ShaderTask, payload: Uint8Array): Refusal | undefined {
  if (payload.length !== task.payloadBytes) {
    return { kind: 'wrongLength', field: 'payload', expected: task.payloadBytes, actual: payload.length }
  }
  let end = 0
  for (const { buffer, offset, byteLength } of task.bindings) {
    if (buffer.access === 'readWrite') continue
    for (let index = end; index < offset; index++) {
      if (payload[index] !== 0) {
        return { kind: 'inconsistent', field: 'payload', rule: `byte ${index} is padding and not zero` }
      }
    }
    end = offset + byteLength
  }
  return undefined
}

function inconsistent(field: string, rule: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { kind: 'inconsistent', field: `TaskPayloadSchema.${field}`, rule } }
}

function readStep({ binding, slice, clamp, ema }: TaskPayloadSchema['preprocess'][number]): PreprocessStep {
  if (slice !== undefined) return { kind: 'slice', binding, ...slice }
  if (clamp !== undefined) return { kind: 'clamp', binding, min: clamp.min | 0, max: clamp.max | 0 }
  if (ema !== undefined) return { kind: 'ema', binding, ...ema }
  throw new Error('the message refuses a step of no kind')
}

/** The type's name on the wire: that of the element, of the value, or `struct`. */
export function wireType({ layout }: Buffer): BindingSchema['type'] {
  const name = ({ of, width }: ValueType) => (width === 1 ? of : `vec${width}${of.charAt(0)}`)
  if (layout.kind === 'struct') return 'struct'
  return name(layout.kind === 'array' ? layout.element : layout.type) as BindingSchema['type']
}

function fitBindings(shader: Shader, bindings: readonly BindingSchema[], steps: readonly PreprocessStep[]) {
  const refuse = (rule: string) => inconsistent('bindings', rule)
  const fitted: TaskBinding[] = []
  let outputBytes = 0
  /** Elements that go into the steps, each counted for every step. */
  let preprocessed = 0
  for (const [index, buffer] of shader.buffers.entries()) {
    const schema = bindings[index]
    if (schema?.binding !== buffer.binding)
      return refuse(`the shader has binding ${buffer.binding}, the task ${schema?.binding ?? 'has no more'}`)
    const { binding, byteLength, offset } = schema
    if (schema.access !== buffer.access) {
      return refuse(`binding ${binding} is ${buffer.access} in the shader, not ${schema.access}`)
    }
    const type = wireType(buffer)
    if (schema.type !== type) return refuse(`binding ${binding} is ${type} in the shader, not ${schema.type}`)
    let bufferBytes = byteLength
    for (const step of steps.filter((candidate) => candidate.binding === binding)) {
      if (buffer.access !== 'read' || type !== 'i32') {
        return inconsistent('preprocess', `binding ${binding} is not an i32 buffer to read`)
      }
      const length = stepLength(step, bufferBytes / 4)
      if (typeof length === 'string') return inconsistent('preprocess', `binding ${binding}: ${length}`)
      preprocessed += bufferBytes / 4
      bufferBytes = 4 * length
    }
    const broken = brokenLength(buffer, bufferBytes)
    if (broken !== undefined) return refuse(`binding ${binding} ${broken}`)
    fitted.push({ buffer, byteLength, offset: offset ?? outputBytes, bufferBytes })
    if (buffer.access === 'readWrite') outputBytes += byteLength
  }
  const extra = bindings[shader.buffers.length]
  if (extra !== undefined) return refuse(`the shader has no binding ${extra.binding}`)
  const lost = steps.find((step) => !fitted.some(({ buffer }) => buffer.binding === step.binding))
  if (lost !== undefined) return inconsistent('preprocess', `the shader has no binding ${lost.binding}`)
  return { bindings: fitted, outputBytes, preprocessed }
}

function brokenLength({ layout }: Buffer, bytes: number): string | undefined {
  if (layout.kind !== 'array' || layout.length !== undefined) {
    const expected =
      layout.kind === 'array'
        ? byteSize(layout.element) * (layout.length ?? 1)
        : layout.kind === 'struct'
          ? layout.bytes
          : byteSize(layout.type)
    return bytes === expected ? undefined : `has ${bytes} bytes, expected ${expected}`
  }
  const element = byteSize(layout.element)
  return bytes % element === 0 ? undefined : `has ${bytes} bytes, not whole elements of ${element}`
}

/** H23: an own index in one row, or in rows, is unique only when the dispatch has no further dimension. */
function withDispatch(exactness: Exactness, [, y, z]: ShaderTask['dispatch'], shader: Shader): Exactness {
  if (exactness.exactness === 'inexact') return exactness
  const { oneRowAt } = exactness
  if (oneRowAt !== undefined && y > 1) {
    return inexact(oneRowAt, `x alone is not unique: the dispatch has ${y} rows`)
  }
  return z > 1
    ? inexact(shader.entry.at, `the dispatch has ${z} layers, and own indices have two dimensions`)
    : exactness
}

function inexact(
  { line, column }: { readonly line: number; readonly column: number },
  message: string,
): Exactness {
  return { exactness: 'inexact', reasons: [{ line, column, message }] }
}
