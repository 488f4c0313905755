/**
 * Hand-made programs that every executor and every check is tested with. Nothing here needs a host: hashing comes in, so
 * that a page can run them too.
 */
import type { Sha256 } from '@shardy/protocol'
import { createCnn } from './cnn.ts'
import type { Example } from './example.ts'
import { createLongProduct } from './longProduct.ts'
import { createMlp } from './mlp.ts'
import { createPreprocessing } from './preprocessing.ts'
import { createTransformer } from './transformer.ts'

export type { Example }

const makers = {
  mlp: createMlp,
  cnn: createCnn,
  transformer: createTransformer,
  preprocessing: createPreprocessing,
  longProduct: createLongProduct,
} as const

export type ExampleName = keyof typeof makers

export const exampleNames = Object.keys(makers) as readonly ExampleName[]

export function createExample(name: ExampleName, sha256: Sha256): Example {
  return makers[name](sha256)
}
