/** The thread in which a provider makes its proofs, so that its line to the orchestrator is never held up by one. */
import { sha256 } from '@shardy/crypto/native'
import type { TaskProver } from '@shardy/worker'
import { createKeyLoader, createTaskProver, fetchProofFiles } from '@shardy/worker/proving'
import type { Question, Reply } from './message.ts'

declare const self: Worker

let prover: TaskProver | undefined

self.onmessage = async ({ data }: MessageEvent<Question>) => {
  const { number, url, answers } = data
  let reply: Reply
  try {
    prover ??= createTaskProver(createKeyLoader(fetchProofFiles(url), sha256), sha256)
    reply = { number, proofs: await prover.prove(answers) }
  } catch (error) {
    reply = { number, failure: error instanceof Error ? error.message : String(error) }
  }
  self.postMessage(reply)
}
