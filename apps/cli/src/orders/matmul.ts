import { matmulProgram } from '@shardy/tensor'
import { readMatrices, readShape } from '../matrices.ts'
import type { OrderKind } from '../order.ts'
import { readTerms, termOptions, verifyHelp } from '../terms.ts'

export const matmul: OrderKind = {
  name: 'matmul',
  summary: 'two int8 matrices multiplied, exactly',
  operands: [],
  options: {
    size: { value: 'N', what: 'N × N matrices; or:' },
    m: { value: 'M', what: 'rows of A and C' },
    k: { value: 'K', what: 'columns of A, rows of B' },
    n: { value: 'N', what: 'columns of B and C' },
    a: { value: 'FILE', what: 'A: M × K bytes, one signed byte for each entry, row by row' },
    b: { value: 'FILE', what: 'B: K × N bytes likewise' },
    seed: { value: 'NUMBER', what: 'random matrices, the same ones for the same number' },
    ...termOptions('C, int32 little-endian, row by row,'),
  },
  more: `${verifyHelp}\nWorkers that compute a task see its matrices: do not submit secrets.`,
  example: "matmul --size 64 --verify 'quorum(3,2)'",

  async read({ options, requester }) {
    const shape = readShape(options)
    const terms = readTerms(options)
    const { a, b, origin } = await readMatrices(options, shape)
    return {
      terms,
      before: `The matrices are ${origin}.`,
      work: () => ({ kind: 'program', program: matmulProgram(shape) }),
      send: (onProgress) => requester.submitMatmul({ ...shape, a, b, ...terms, onProgress }),
    }
  },
}
