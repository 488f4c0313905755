/** A thread that checks: one question at a time, with tools and secrets of its own. */
import { openCheckTools } from '@shardy/compute'
import { sha256 } from '@shardy/crypto/native'
import { createJudge } from './judge.ts'
import type { Asked, Reply } from './question.ts'
import { createRespondent } from './respondent.ts'

/** The scope of a dedicated worker, as far as it is used here. */
declare const self: {
  onmessage: (event: MessageEvent<Asked>) => void
  postMessage(reply: Reply): void
}

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
const opening = openCheckTools(sha256).then((tools) => createRespondent(createJudge({ tools, random })))

self.onmessage = async ({ data }) => self.postMessage((await opening).answer(data))
