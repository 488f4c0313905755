/** The thread in which a provider makes its proofs, so that its line to the orchestrator is never held up by one. */
import { sha256 } from '@shardy/crypto/native'
import type { BlockProver, TaskProver } from '@shardy/worker'
import { createBlockProver, createKeyLoader, createTaskProver, fetchProofFiles } from '@shardy/worker/proving'
import type { Question, Reply, Work } from './message.ts'

declare const self: Worker

let opened: { readonly answers: TaskProver; readonly blocks: BlockProver } | undefined

function provers(url: string) {
  const load = createKeyLoader(fetchProofFiles(url), sha256)
  opened ??= { answers: createTaskProver(load, sha256), blocks: createBlockProver(load, sha256) }
  return opened
}

function make(question: Question): Promise<Work[keyof Work]['made']> {
  const { answers, blocks } = provers(question.url)
  switch (question.kind) {
    case 'proveAnswers':
      return answers.prove(question.answers)
    case 'commitSums':
      return blocks.sums(question.product, question.input, question.tile)
    case 'proveBlock':
      return blocks.prove(question.block)
  }
}

self.onmessage = async ({ data }: MessageEvent<Question>) => {
  const { number } = data
  let reply: Reply
  try {
    reply = { number, made: await make(data) }
  } catch (error) {
    reply = { number, failure: error instanceof Error ? error.message : String(error) }
  }
  self.postMessage(reply)
}
