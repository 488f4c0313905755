/**
 * Figures of the process itself: memory, how late the event loop is, what lies in the data folder, what its disk still
 * takes. They are read when somebody scrapes; the folder is walked at most once in a while.
 */
import { readdir, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics } from './metrics.ts'

/** Files looked at in one walk; a folder with more is told by what was seen. */
const filesMax = 100_000
const walkEveryMs = 30_000
const loopResolutionMs = 20

export interface ProcessFigures {
  stop(): void
}

export function watchProcess(
  metrics: Metrics,
  folder: string,
  nowMs: () => number = Date.now,
): ProcessFigures {
  const delay = monitorEventLoopDelay({ resolution: loopResolutionMs })
  delay.enable()
  const lag = metrics.eventLoopLag.bind({})
  const memory = metrics.residentMemory.bind({})
  const stored = metrics.storeBytes.bind({})
  const free = metrics.diskFree.bind({})
  let walkedMs = Number.NEGATIVE_INFINITY

  const forget = metrics.onScrape(async () => {
    memory.set(process.memoryUsage.rss())
    lag.set(delay.count === 0 ? 0 : delay.percentile(99) / 1e9)
    delay.reset()
    const { bavail, bsize } = await statfs(folder)
    free.set(bavail * bsize)
    if (nowMs() - walkedMs < walkEveryMs) return
    walkedMs = nowMs()
    stored.set(await folderBytes(folder))
  })
  return {
    stop() {
      forget()
      delay.disable()
    },
  }
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0
  let files = 0
  const folders = [folder]
  for (let next = folders.pop(); next !== undefined && files < filesMax; next = folders.pop()) {
    for (const entry of await readdir(next, { withFileTypes: true }).catch(() => [])) {
      const place = path.join(next, entry.name)
      if (entry.isDirectory()) folders.push(place)
      // A file that a compaction has removed meanwhile has no size.
      else if (entry.isFile() && files++ < filesMax)
        bytes += (await stat(place).catch(() => undefined))?.size ?? 0
    }
  }
  return bytes
}
