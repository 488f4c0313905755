/** One trial of the host's memory: held at once, written everywhere, read again, in turns like all work on the caller's thread. */
import { ComputeError, throwIfAborted } from '../executor.ts'
import { openTurns } from '../turns.ts'

const blockBytesMax = 64 * 2 ** 20
const wordsPerLook = 2 ** 18

export async function tryHostMemory(bytes: number, signal?: AbortSignal): Promise<void> {
  const blocks: Uint32Array[] = []
  const turns = openTurns()
  const every = async (act: (words: Uint32Array, from: number, to: number, block: number) => void) => {
    for (const [index, words] of blocks.entries()) {
      for (let from = 0; from < words.length; from += wordsPerLook) {
        throwIfAborted(signal)
        act(words, from, Math.min(words.length, from + wordsPerLook), index)
        if (turns.over()) await turns.next()
      }
    }
  }
  try {
    for (let left = bytes; left > 0; left -= blockBytesMax)
      blocks.push(allocate(Math.min(left, blockBytesMax)))
    await every((words, from, to, block) => {
      for (let index = from; index < to; index++) words[index] = index ^ (block << 24)
    })
    await every((words, from, to, block) => {
      for (let index = from; index < to; index++) {
        if (words[index] === (index ^ (block << 24)) >>> 0) continue
        throw new ComputeError('outOfMemory', `word ${index} of block ${block} did not keep what was written`)
      }
    })
  } finally {
    turns.close()
  }
}

function allocate(bytes: number): Uint32Array {
  try {
    return new Uint32Array(Math.ceil(bytes / 4))
  } catch (cause) {
    throw new ComputeError('outOfMemory', `the host gives no ${bytes} bytes more`, { cause })
  }
}
