/** A thread that verifies: a key first, then one batch at a time. */
import type { Asked, Reply } from './message.ts'
import { createRespondent } from './respondent.ts'

/** The scope of a dedicated worker, as far as it is used here. */
declare const self: {
  onmessage: (event: MessageEvent<Asked>) => void
  postMessage(reply: Reply): void
}

const respondent = createRespondent()

self.onmessage = async ({ data }) => self.postMessage(await respondent.answer(data))
