/** From a source to a checked, classified and instrumented shader, or to the first refusal with its place (spec H1). */
import { checkModule } from './checkModule.ts'
import { classify, type Exactness } from './exactness.ts'
import { parseModule } from './parseModule.ts'
import { type SourceRefusal, SourceRefused } from './position.ts'
import { printShader } from './print.ts'
import type { Shader } from './shader.ts'

export interface ValidShader {
  readonly shader: Shader
  readonly exactness: Exactness
  /** What a device compiles: bounded, guarded, and of the same meaning. */
  readonly instrumented: string
}

export type Validated =
  | { readonly ok: true; readonly value: ValidShader }
  | { readonly ok: false; readonly refusal: SourceRefusal }

export function validateShader(source: string): Validated {
  try {
    const shader = checkModule(parseModule(source))
    return { ok: true, value: { shader, exactness: classify(shader), instrumented: printShader(shader) } }
  } catch (thrown) {
    if (thrown instanceof SourceRefused) return { ok: false, refusal: thrown.refusal }
    throw thrown
  }
}
