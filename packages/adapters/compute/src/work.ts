/**
 * What a task asks to have run: an exact program, a user's shader, or lite rounds. One reading of the bytes gives whoever schedules,
 * serves or runs them the same facts.
 */
import { type AnyLiteProgram, decodeLite, describeLite, liteOutputLength, liteSteps } from '@shardy/lite'
import { type Digest, describeRefusal, type TaskKind } from '@shardy/protocol'
import { describeTaskRefusal, parseShaderTask, type ShaderTask } from '@shardy/shader'
import {
  byteLengthOf,
  complexity,
  constantDigests,
  decodeProgram,
  describeProgram,
  inferProgram,
  inputLength,
  outputLength,
  type Program,
  type ProvableProduct,
  provableProduct,
} from '@shardy/tensor'

export type Work =
  | { readonly kind: 'program'; readonly program: Program }
  /** The bytes too: executors read them for themselves. */
  | { readonly kind: 'shader'; readonly shader: ShaderTask; readonly bytes: Uint8Array }
  | { readonly kind: 'lite' | 'superLite'; readonly lite: AnyLiteProgram }

export interface WorkFacts {
  readonly inputLength: number
  readonly outputLength: number
  /** Multiply-adds or steps of like cost; for a shader an upper bound, for lite work its byte steps. */
  readonly complexity: number
  /** What whoever runs it may have to hold at a time. */
  readonly memoryBytes: number
  readonly constants: readonly Digest[]
  readonly constantBytes: number
  /** In a few words, for a person. */
  readonly summary: string
}

export type DecodedWork =
  | { readonly ok: true; readonly work: Work }
  | { readonly ok: false; readonly field: string; readonly reason: string }

export function decodeWork(kind: TaskKind, bytes: Uint8Array): DecodedWork {
  switch (kind) {
    case 'program': {
      const decoded = decodeProgram(bytes)
      if (decoded.ok) return { ok: true, work: { kind, program: decoded.value } }
      return { ok: false, field: decoded.refusal.field, reason: describeRefusal(decoded.refusal) }
    }
    case 'shader': {
      const parsed = parseShaderTask(bytes)
      if (parsed.ok) return { ok: true, work: { kind, shader: parsed.value, bytes } }
      const field = parsed.refusal.kind === 'source' ? 'shader.source' : parsed.refusal.field
      return { ok: false, field, reason: describeTaskRefusal(parsed.refusal) }
    }
    case 'lite':
    case 'superLite': {
      const decoded = decodeLite(kind, bytes)
      if (decoded.ok) return { ok: true, work: { kind, lite: decoded.value } }
      return { ok: false, field: decoded.refusal.field, reason: describeRefusal(decoded.refusal) }
    }
  }
}

/** The product of which a block can be proven (docs/spec/audit.md V1), or why there is none. */
export function provableWork(
  work: Work,
):
  | { readonly ok: true; readonly product: ProvableProduct }
  | { readonly ok: false; readonly field: string; readonly reason: string } {
  if (work.kind !== 'program')
    return { ok: false, field: 'kind', reason: `it is a ${work.kind} task, and blocks are those of programs` }
  const found = provableProduct(work.program)
  if (found.ok) return found
  return { ok: false, field: found.refusal.field, reason: describeRefusal(found.refusal) }
}

export function factsOf(work: Work): WorkFacts {
  switch (work.kind) {
    case 'program': {
      const { program } = work
      return {
        inputLength: inputLength(program),
        outputLength: outputLength(program),
        complexity: complexity(program),
        memoryBytes: inferProgram(program).memoryBytes,
        constants: constantDigests(program),
        constantBytes: constantBytes(program),
        summary: describeProgram(program),
      }
    }
    case 'shader': {
      const { payloadBytes, outputBytes, work: steps, exactness, invocations } = work.shader
      const count = `${invocations} invocation${invocations === 1 ? '' : 's'}`
      return {
        inputLength: payloadBytes,
        outputLength: outputBytes,
        complexity: steps,
        memoryBytes: payloadBytes + outputBytes,
        constants: [],
        constantBytes: 0,
        summary: `${exactness.exactness} shader of ${count}`,
      }
    }
    case 'lite':
    case 'superLite': {
      const { lite } = work
      const outputBytes = liteOutputLength(lite)
      return {
        inputLength: lite.inputLength,
        outputLength: outputBytes,
        complexity: liteSteps(lite),
        memoryBytes: lite.inputLength + outputBytes,
        constants: [],
        constantBytes: 0,
        summary: describeLite(lite),
      }
    }
  }
}

/** Of the constants that are blobs, each counted once. */
function constantBytes({ constants }: Program): number {
  const lengths = new Map(constants.map(({ type, digest }) => [digest, byteLengthOf(type)]))
  lengths.delete(undefined)
  return [...lengths.values()].reduce((sum, length) => sum + length, 0)
}
