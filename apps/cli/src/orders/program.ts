import { payloadBytesMax } from '@shardy/protocol'
import { describeProgram, inputLength } from '@shardy/tensor'
import { Failure } from '../failure.ts'
import { readBytesFrom } from '../files.ts'
import type { OrderKind } from '../order.ts'
import { readBlobs, readProgram } from '../programs.ts'
import { readTerms, termOptions, verifyHelp } from '../terms.ts'
import { count } from '../wording.ts'

export const program: OrderKind = {
  name: 'program',
  summary: 'any exact program run',
  operands: ['PROGRAM'],
  options: {
    input: { value: 'FILE', what: "the program's inputs, one after the other" },
    blobs: { value: 'FOLDER', what: 'where the blobs that the program names lie, each under its digest' },
    ...termOptions("the program's outputs, one after the other,"),
  },
  more:
    'PROGRAM is a file of canonical bytes, or JSON: `npx shardy program show` says what one means.\n' +
    `${verifyHelp}\n` +
    'Workers that compute a task see its input and its weights: do not submit secrets.',
  example: 'program model.program --input picture.bin --blobs weights',

  async read({ operands, options, requester }) {
    const [name = ''] = operands
    const program = await readProgram(name)
    const terms = readTerms(options)
    const inputFile = options.text('input')
    const wanted = `the program takes ${count(inputLength(program), 'byte')}, ${describeProgram(program)}`
    if (inputFile === undefined) {
      throw new Failure('usage', '--input is missing', {
        next: `Give a file of ${count(inputLength(program), 'byte')}: ${wanted}.`,
      })
    }
    const input = await readBytesFrom(inputFile, payloadBytesMax)
    if (input.length !== inputLength(program)) {
      throw new Failure('usage', `--input: ${inputFile} has ${count(input.length, 'byte')}; ${wanted}`)
    }
    const blobs = await readBlobs(program, options.text('blobs'))
    return {
      terms,
      work: () => ({ kind: 'program', program }),
      send: (onProgress) => requester.submitProgram({ program, input, blobs, ...terms, onProgress }),
    }
  },
}
