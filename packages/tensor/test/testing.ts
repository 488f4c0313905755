/** What tests of other packages take from this one. */
import { createExample, type Example, type ExampleName } from './examples/index.ts'
import { sha256 } from './sha256.ts'

export { type ArbitraryOptions, arbitraryLayers, arbitraryProgram } from './arbitraryProgram.ts'
export type { DrawnProgram } from './drawProgram.ts'
export { createExample, type Example, type ExampleName, exampleNames } from './examples/index.ts'

export function exampleProgram(name: ExampleName): Example {
  return createExample(name, sha256)
}
