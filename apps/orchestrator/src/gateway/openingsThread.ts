/** The thread in which openings are judged; see openings.ts. */
import { checkOpenings, createCpuExecutor } from '@shardy/compute'
import { sha256 } from '@shardy/crypto/native'
import type { ThreadAnswer, ThreadQuestion } from './openings.ts'

declare const self: Worker

/** No matrix comes twice. */
const executor = createCpuExecutor({ residentBytesMax: 0 })
let line: Promise<void> = Promise.resolve()

async function answer({ number, check }: ThreadQuestion): Promise<void> {
  const verdict = await checkOpenings(executor, check, { sha256 }).catch((error: unknown) => ({
    kind: 'unknown' as const,
    reason: error instanceof Error ? error.message : String(error),
  }))
  const told: ThreadAnswer = { number, verdict }
  self.postMessage(told)
}

self.onmessage = ({ data }: MessageEvent<ThreadQuestion>) => {
  line = line.then(() => answer(data))
}
