/** Reads a body with bounds: on its bytes, and on how long it may stay quiet. */

export class QuietBodyError extends Error {
  override readonly name = 'QuietBodyError'
  constructor(quietMsMax: number) {
    super(`nothing came for ${quietMsMax} ms`)
  }
}

async function within<T>(promise: Promise<T>, quietMsMax: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const quiet = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new QuietBodyError(quietMsMax)), quietMsMax)
  })
  try {
    return await Promise.race([promise, quiet])
  } finally {
    clearTimeout(timer)
  }
}

/** Not `for await` over the stream itself: not every browser has it. Frees the line when the caller stops early. */
export async function* chunksOf(
  stream: ReadableStream<Uint8Array>,
  quietMsMax?: number,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const read = reader.read()
      const { done, value } = await (quietMsMax === undefined ? read : within(read, quietMsMax))
      if (done) return
      yield value
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

/** Undefined when the body has more bytes than allowed; the rest is not read. */
export async function readBytes(
  stream: ReadableStream<Uint8Array> | null,
  bytesMax: number,
  options: { readonly quietMsMax?: number; readonly onBytes?: (received: number) => void } = {},
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = []
  let total = 0
  if (stream !== null) {
    for await (const chunk of chunksOf(stream, options.quietMsMax)) {
      total += chunk.length
      if (total > bytesMax) return undefined
      chunks.push(chunk)
      options.onBytes?.(total)
    }
  }
  const whole = new Uint8Array(total)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}
