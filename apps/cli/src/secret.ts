/** Asks at the terminal for something that is not shown while it is typed, and kept as bytes that can be overwritten. */
const secretBytesMax = 4_096

export async function askSecret(question: string, stop: AbortController): Promise<Uint8Array | undefined> {
  const { stdin, stderr } = process
  if (stdin.isTTY !== true) return undefined
  stderr.write(question)
  stdin.setRawMode(true)
  stdin.resume()
  try {
    return await new Promise((resolve, reject) => {
      const typed = new TypedBytes(secretBytesMax)
      const onData = (chunk: Buffer): void => {
        const end = typed.take(chunk)
        chunk.fill(0)
        if (end === undefined) return
        stdin.off('data', onData)
        if (end === 'done') resolve(typed.bytes())
        else {
          // In raw mode the terminal sends no signal for Ctrl-C.
          stop.abort()
          reject(new Error('stopped'))
        }
      }
      stdin.on('data', onData)
    })
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}

/** The keys of one line: Backspace takes back a byte, Enter ends it, Ctrl-C and Ctrl-D stop. */
export class TypedBytes {
  readonly #buffer: Uint8Array
  #length = 0
  constructor(bytesMax: number) {
    this.#buffer = new Uint8Array(bytesMax)
  }
  take(chunk: Uint8Array): 'done' | 'stopped' | undefined {
    for (const byte of chunk) {
      if (byte === 0x0d || byte === 0x0a) return 'done'
      if (byte === 0x03 || byte === 0x04) return 'stopped'
      if (byte === 0x7f || byte === 0x08) this.#length = Math.max(0, this.#length - 1)
      else if (this.#length < this.#buffer.length) this.#buffer[this.#length++] = byte
    }
    return undefined
  }
  /** The bytes themselves, so that who uses them can overwrite them. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }
}
