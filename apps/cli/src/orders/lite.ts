import { parseLite } from '@shardy/lite'
import { describeRefusal, payloadBytesMax } from '@shardy/protocol'
import { Failure } from '../failure.ts'
import { readBytesFrom } from '../files.ts'
import type { OrderKind } from '../order.ts'
import { readTerms, termOptions, verifyHelp } from '../terms.ts'

const roundsMax = 2 ** 31 - 1
const lanesMax = 65_536

export const lite: OrderKind = {
  name: 'lite',
  summary: 'FNV-1a rounds computed over a file, by devices without a GPU too',
  operands: [],
  options: {
    input: { value: 'FILE', what: 'what is hashed' },
    rounds: { value: 'N', what: 'how often' },
    lanes: { value: 'N', what: 'side by side, as `lite`; as `superLite`, in one line, unless given' },
    ...termOptions('the digests'),
  },
  more: `${verifyHelp}\nWorkers that compute a task see its input: do not submit secrets. docs/spec/lite.md says what is computed.`,
  example: 'lite --input notes.txt --rounds 1000',
  async read({ options, requester }) {
    const rounds = options.whole('rounds', 1, roundsMax)
    const lanes = options.whole('lanes', 1, lanesMax)
    const terms = readTerms(options)
    const file = options.text('input')
    if (file === undefined || rounds === undefined) {
      throw new Failure('usage', `--${file === undefined ? 'input' : 'rounds'} is missing`)
    }
    const input = await readBytesFrom(file, payloadBytesMax)
    return {
      terms,
      work() {
        const counts = { rounds, inputLength: input.length }
        const parsed = parseLite(
          lanes === undefined ? { kind: 'superLite', ...counts } : { kind: 'lite', lanes, ...counts },
        )
        if (!parsed.ok) throw new Failure('usage', describeRefusal(parsed.refusal))
        return { kind: parsed.value.kind, lite: parsed.value }
      },
      send: (onProgress) => requester.submitLite({ rounds, lanes, input, ...terms, onProgress }),
    }
  },
}
