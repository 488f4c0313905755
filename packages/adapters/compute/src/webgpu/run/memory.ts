/**
 * The buffers of one device that outlive a run: slots, which any program of about the same size takes again, and regions
 * that are kept under a key, weights above all. Both have a budget, and what was used longest ago goes first.
 */
const slotUsage = () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST

/** Bytes of slots that wait for the next program. */
const idleBytesMax = 256 * 2 ** 20

interface Kept {
  readonly buffer: GPUBuffer
  /** Whether its bytes are there: those of a run that was aborted may not be. */
  isReady: boolean
}

export interface Memory {
  /** A buffer for each slot; they are the caller's until it gives them back. */
  takeSlots(bytes: readonly number[]): readonly GPUBuffer[]
  giveBack(slots: readonly GPUBuffer[]): void
  isAtHand(key: string): boolean
  /** The buffer under a key, new ones without content. Within the budget those of `inUse` stay, whatever it is. */
  keep(key: string, bytes: number, inUse: ReadonlySet<string>): GPUBuffer
  /** The content of these is there now. */
  ready(keys: Iterable<string>): void
  /** Frees all that is not taken, or that `inUse` does not name. Says whether there was anything. */
  release(inUse?: ReadonlySet<string>): boolean
}

export function createMemory(device: GPUDevice, keptBytesMax: number): Memory {
  /** In the order of their last use, as are those that are kept. */
  let idle: GPUBuffer[] = []
  const kept = new Map<string, Kept>()

  function drop(key: string): void {
    kept.get(key)?.buffer.destroy()
    kept.delete(key)
  }

  const keptBytes = () => Array.from(kept.values()).reduce((sum, { buffer }) => sum + buffer.size, 0)

  return {
    takeSlots(bytes) {
      return bytes.map((size) => {
        const index = idle.findLastIndex((buffer) => buffer.size === size)
        const [found] = index < 0 ? [] : idle.splice(index, 1)
        return found ?? device.createBuffer({ label: 'slot', size, usage: slotUsage() })
      })
    },
    giveBack(slots) {
      idle.push(...slots)
      let bytes = idle.reduce((sum, buffer) => sum + buffer.size, 0)
      while (bytes > idleBytesMax && idle.length > slots.length) {
        const oldest = idle.shift()
        bytes -= oldest?.size ?? 0
        oldest?.destroy()
      }
    },
    isAtHand: (key) => kept.get(key)?.isReady === true,
    keep(key, bytes, inUse) {
      const found = kept.get(key)
      if (found !== undefined) {
        kept.delete(key)
        kept.set(key, found)
        return found.buffer
      }
      for (const other of kept.keys()) {
        if (keptBytes() + bytes <= keptBytesMax) break
        if (!inUse.has(other)) drop(other)
      }
      const buffer = device.createBuffer({ label: 'kept', size: bytes, usage: slotUsage() })
      kept.set(key, { buffer, isReady: false })
      return buffer
    },
    ready(keys) {
      for (const key of keys) {
        const found = kept.get(key)
        if (found !== undefined) found.isReady = true
      }
    },
    release(inUse = new Set()) {
      const unused = Array.from(kept.keys()).filter((key) => !inUse.has(key))
      const had = idle.length + unused.length > 0
      for (const buffer of idle) buffer.destroy()
      idle = []
      unused.forEach(drop)
      return had
    },
  }
}
