// One side of a queue in a process of its own: `side.ts submit|handle PEER URL CLIENTS`. The handling side only says that
// it is ready; the submitting side answers each `count` with the singles a second.

import { answerQuestions } from '../answering.ts'
import { isPeerName, peers } from './peers.ts'
import { singlesPerSecond } from './singles.ts'

const [side, name = '', url = '', clients = ''] = process.argv.slice(2)
if (!isPeerName(name)) throw new Error(`there is no peer '${name}'`)
const { [name]: peer } = peers
if (side === 'handle') {
  await peer.handle({ url, clients })
  answerQuestions(() => 'busy')
} else {
  const { submit } = await peer.submitter({ url, clients })
  answerQuestions(() => singlesPerSecond(submit, { inFlight: 64, warmMs: 1_000, countedMs: 5_000 }))
}
