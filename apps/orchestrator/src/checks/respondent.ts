/** Turns what is asked into replies: a question waits while its blobs are fetched, and nothing that it throws ends its thread. */
import type { Judge } from './judge.ts'
import type { Asked, Question, Reply } from './question.ts'

export interface Respondent {
  answer(asked: Asked): Reply
}

export function createRespondent(judge: Judge): Respondent {
  let waiting: { readonly id: number; readonly question: Question } | undefined

  function reply(id: number, question: Question, hasBrought: boolean): Reply {
    const found = judge.judge(question)
    if ('kind' in found) return { kind: 'found', id, finding: found }
    if (hasBrought) throw new Error(`the blobs ${found.join(', ')} do not fit beside each other`)
    waiting = { id, question }
    return { kind: 'wanted', id, digests: found }
  }

  return {
    answer(asked) {
      const { id } = asked
      try {
        if (asked.kind === 'ask') return reply(id, asked.question, false)
        const question = waiting?.id === id ? waiting.question : undefined
        waiting = undefined
        if (question === undefined) throw new Error('blobs came for a question that nobody asked')
        for (const [digest, bytes] of asked.blobs) judge.keep(digest, bytes)
        return reply(id, question, true)
      } catch (error) {
        return { kind: 'found', id, finding: { kind: 'failed', reason: String(error) } }
      }
    },
  }
}
