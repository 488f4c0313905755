/**
 * What a process has used, as the kernel counts it: CPU time of all its threads, and resident memory. It asks `/proc`,
 * so it works on Linux only.
 */
import { readFileSync } from 'node:fs'
import { NotMeasured } from './figure.ts'

/** The kernel reports in these whatever its own clock is (USER_HZ); a measurement should last a hundred of them. */
const tickMicros = 10_000

/** User and system time since the process began, its ended children not included. */
export function cpuMicros(pid: number): number {
  return ticksIn(read(pid, 'stat')) * tickMicros
}

/** Counted page by page: the cheaper figures in `/proc/PID/stat` lag behind. */
export function residentBytes(pid: number): number {
  return residentIn(read(pid, 'smaps_rollup'))
}

/** The second field is the program's name in brackets, which may itself hold blanks and brackets. */
export function ticksIn(stat: string): number {
  const fields = stat
    .slice(stat.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/)
  // The first field here is the third in proc(5): utime is number 14 there, stime 15.
  const [utime, stime] = [fields[11], fields[12]].map(Number)
  if (!Number.isSafeInteger(utime) || !Number.isSafeInteger(stime))
    throw new Error(`no CPU times in '${stat}'`)
  return Number(utime) + Number(stime)
}

export function residentIn(rollup: string): number {
  const kib = /^Rss:\s+(\d+) kB$/m.exec(rollup)?.[1]
  if (kib === undefined) throw new Error(`no Rss in '${rollup}'`)
  return Number(kib) * 1_024
}

function read(pid: number, file: string): string {
  if (process.platform !== 'linux')
    throw new NotMeasured(`notSupported: ${process.platform} has no /proc to read CPU and memory from`)
  return readFileSync(`/proc/${pid}/${file}`, 'utf8')
}
