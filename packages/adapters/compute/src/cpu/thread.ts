/** A compute thread: multiplies the rows that it is given, into the memory that it is given. */
import { openKernels } from '../wasm/kernels.ts'
import type { PackedRight } from '../wasm/matmul.ts'

export interface Multiply {
  readonly call: number
  readonly a: Int8Array | Uint8Array
  readonly m: number
  readonly right: PackedRight
  readonly c: Int32Array
}

export interface ThreadAnswer {
  readonly call: number
  readonly failure?: string
}

/** The scope of a dedicated worker, as far as it is used here; servers and browsers type it differently. */
declare const self: {
  onmessage: (event: MessageEvent<Multiply>) => void
  postMessage(answer: ThreadAnswer): void
}

const opening = openKernels()

async function multiply({ a, m, right, c }: Multiply): Promise<void> {
  const opened = await opening
  if (!opened.ok) throw new Error(opened.refusal.message)
  const work = opened.kernels.matmul.multiply(a, m, right, c)
  while (!work.next().done);
}

self.onmessage = async ({ data }: MessageEvent<Multiply>) => {
  const { call } = data
  let answer: ThreadAnswer = { call }
  try {
    await multiply(data)
  } catch (thrown) {
    answer = { call, failure: String(thrown) }
  }
  self.postMessage(answer)
}
