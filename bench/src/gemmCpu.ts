/** The exact product on one core, by the kernels that the CPU executor runs: the one place that knows which those are. */
import { openKernels } from '@shardy/compute'
import { median } from './gemmDevice.ts'
import type { Figures, Progress } from './run.ts'

const sizes = [512, 1024, 2048, 4096] as const
const contestMs = 1_500
const roundsMin = 2
const roundsMax = 25

export async function measureCpu(progress: Progress): Promise<Figures> {
  const opened = await openKernels()
  if (!opened.ok) {
    progress(`no WASM figures: ${opened.refusal.message}`)
    return {}
  }
  const { matmul } = opened.kernels
  const figures: Record<string, number> = {}
  for (const size of sizes) {
    progress(`WASM, ${size} cubed`)
    const [a, b] = [noise(size * size), noise(size * size)]
    figures[`wasmInt8GopsPerCore${size}`] = rate(size, () => {
      const work = matmul.multiply(a, size, matmul.packRight(b, { k: size, n: size, layout: 'rows' }))
      while (!work.next().done);
    })
  }
  return figures
}

function noise(length: number): Int8Array {
  const bytes = new Int8Array(length)
  for (let from = 0; from < length; from += 65_536)
    crypto.getRandomValues(bytes.subarray(from, from + 65_536))
  return bytes
}

/** Gigaoperations in a second of CPU time, since other programs may have the core meanwhile; packing B is counted. */
function rate(size: number, multiply: () => void): number {
  multiply()
  const taken: number[] = []
  let spentMs = 0
  while (taken.length < roundsMin || (spentMs < contestMs && taken.length < roundsMax)) {
    const start = process.cpuUsage()
    multiply()
    const { user, system } = process.cpuUsage(start)
    taken.push((user + system) / 1_000)
    spentMs += (user + system) / 1_000
  }
  return (2 * size ** 3) / median(taken) / 1e6
}
