import { payloadBytesMax } from '@shardy/protocol'
import type { Command } from '../command.ts'
import { Failure } from '../failure.ts'
import { readBytesFrom } from '../files.ts'
import { assertOutput, readTerms, submitted, termOptions, verifyHelp } from '../terms.ts'

const roundsMax = 2 ** 31 - 1
const lanesMax = 65_536

export const submitLite: Command = {
  name: 'submit lite',
  summary: 'have FNV-1a rounds computed over a file, by devices without a GPU too',
  operands: [],
  options: {
    input: { value: 'FILE', what: 'what is hashed' },
    rounds: { value: 'N', what: 'how often' },
    lanes: { value: 'N', what: 'side by side, as `lite`; as `superLite`, in one line, unless given' },
    ...termOptions('the digests'),
  },
  more: `${verifyHelp}\nWorkers that compute a task see its input: do not submit secrets. docs/spec/lite.md says what is computed.`,
  example: 'submit lite --input notes.txt --rounds 1000 --wait',
  async run(call) {
    const { options, requester } = call
    const rounds = options.whole('rounds', 1, roundsMax)
    const lanes = options.whole('lanes', 1, lanesMax)
    const terms = readTerms(options)
    const file = options.text('input')
    if (file === undefined || rounds === undefined) {
      throw new Failure('usage', `--${file === undefined ? 'input' : 'rounds'} is missing`)
    }
    const input = await readBytesFrom(file, payloadBytesMax)
    await assertOutput(call)
    return submitted(call, (onProgress) =>
      requester.submitLite({ rounds, lanes, input, ...terms, onProgress }),
    )
  },
}
