/** What the figures of proofs are measured on: statements of v2, a block of v3, and the development keys. */
import { type BlockStatement, openField, type V2Statement } from '@shardy/proofs'

export function v2Sample(index: number): V2Statement {
  const n = BigInt(index + 1)
  return {
    taskId: (n * 0x9e3779b97f4a7c15f39cc0605cedc834n) % 2n ** 128n,
    seed: (n * 0x44504e32534e4152n) % 2n ** 64n,
    outputLength: 4_096n * n,
    resultDigest: (n * 0x2545f4914f6cdd1d_9e3779b97f4a7c15_f39cc0605cedc834n) % 2n ** 253n,
  }
}

const side = 16

export async function v3Sample(): Promise<BlockStatement> {
  const opened = await openField()
  if (!opened.ok) throw new Error(opened.refusal.message)
  const { field } = opened
  const a = Int8Array.from({ length: side * side }, (_, index) => ((index * 37) % 256) - 128)
  const b = Int8Array.from({ length: side * side }, (_, index) => ((index * 91) % 256) - 128)
  const sumsIn = Int32Array.from({ length: side * side }, (_, index) => index * 65_537)
  const sumsOut = sumsIn.map((before, index) => {
    const [row, column] = [Math.floor(index / side), index % side]
    let sum = before
    for (let k = 0; k < side; k++) sum += (a[row * side + k] as number) * (b[k * side + column] as number)
    return sum
  })
  const binding = {
    taskId: 1n,
    deliveryId: 2n,
    workerHigh: 3n,
    workerLow: 4n,
    resultDigest: 5n,
    position: 6n,
    commitA: field.commitOperand(a, 'a'),
    commitB: field.commitOperand(b, 'b'),
    commitIn: field.commitSums(sumsIn),
    commitOut: field.commitSums(sumsOut),
  }
  return { binding, a, b, sumsIn }
}

export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0
}

/** The median of some runs, after one that is not counted. */
export async function medianMs(runs: number, operate: (run: number) => unknown): Promise<number> {
  await operate(0)
  const times: number[] = []
  for (let run = 1; run <= runs; run++) {
    const startMs = performance.now()
    await operate(run)
    times.push(performance.now() - startMs)
  }
  return median(times)
}
