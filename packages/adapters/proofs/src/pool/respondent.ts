/** What a thread of the pool does with a message, apart from being a thread. Batches may come while the key is still being read. */
import { openVerifier, type Verifier } from '../groth16/verifier.ts'
import { parseVerifyingKey } from '../groth16/verifyingKey.ts'
import type { Outcome } from '../refusal.ts'
import { type Asked, decodeBatch, type Reply } from './message.ts'

export interface Respondent {
  answer(asked: Asked): Promise<Reply>
}

export function createRespondent(): Respondent {
  let opening: Promise<Outcome<Verifier>> | undefined
  return {
    async answer(asked) {
      if (asked.kind === 'open') {
        const key = parseVerifyingKey(asked.key)
        opening = key.ok ? openVerifier(key.value) : Promise.resolve(key)
        const opened = await opening
        return { kind: 'opened', refusal: opened.ok ? undefined : opened.refusal }
      }
      const opened = await opening
      if (opened?.ok !== true) throw new Error('a batch came without a good key before it')
      const verdicts = opened.value.verifyBatch(decodeBatch(asked.bytes, opened.value.signalCount))
      return { kind: 'judged', id: asked.id, verdicts }
    },
  }
}
