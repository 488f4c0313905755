/**
 * snarkjs, lent for the length of a call, with a curve that works in this thread: its worker threads would hang on Bun
 * and keep a process alive. Where snarkjs finds its curve is a global; it is set here, only while somebody uses it, and
 * what stood there before stands there again afterwards.
 */
import type { Curve, FfjavascriptModule, Logger, RandomStream, SnarkjsModule } from './snarkjsTypes.ts'

export interface Snarkjs extends SnarkjsModule {
  readonly curve: Curve
  readonly createRandom: (seed: readonly number[]) => RandomStream
}

interface CurveHolder {
  curve_bn128?: unknown
}

const holder = globalThis as CurveHolder
let loaded: Promise<Snarkjs> | undefined
let borrowers = 0
let before: unknown

export async function withSnarkjs<T>(act: (snarkjs: Snarkjs) => Promise<T>): Promise<T> {
  loaded ??= load()
  const snarkjs = await loaded
  if (borrowers++ === 0) before = holder.curve_bn128
  holder.curve_bn128 = snarkjs.curve
  try {
    return await act(snarkjs)
  } finally {
    if (--borrowers === 0) restore(before)
  }
}

/** What snarkjs would spread over so many threads is done in so many steps: large enough to cost nothing more. */
const piecesOfWork = 16

/** Loading it clears the global as well. */
async function load(): Promise<Snarkjs> {
  const had = 'curve_bn128' in holder ? holder.curve_bn128 : undefined
  const { powersOfTau, zKey, plonk, fflonk, wtns } = (await import('snarkjs')) as unknown as SnarkjsModule
  const { buildBn128, ChaCha } = (await import('ffjavascript')) as unknown as FfjavascriptModule
  const curve = await buildBn128(true)
  restore(had)
  const { tm } = curve
  const queue = tm.queueAction.bind(tm)
  tm.concurrency = piecesOfWork
  let turn: Promise<unknown> = Promise.resolve()
  // In one thread nothing would ever wait for anything: signals and progress are let in before each piece of long work,
  // also of pieces that were asked for together.
  tm.queueAction = (action, transfers) => {
    const result = turn
      .then(() => new Promise((resolve) => setImmediate(resolve)))
      .then(() => queue(action, transfers))
    turn = result.catch(() => {})
    return result
  }
  return { powersOfTau, zKey, plonk, fflonk, wtns, curve, createRandom: (seed) => new ChaCha(seed) }
}

function restore(value: unknown): void {
  if (value === undefined || value === null) delete holder.curve_bn128
  else holder.curve_bn128 = value
}

const reminderEveryMs = 5_000

/**
 * What snarkjs says on its way: that it is at work, in words of ours, since its own name sections of a file; and what it
 * found wrong.
 */
export function listen(
  stage: string,
  onProgress: (doing: string) => void,
): Logger & { readonly complaints: string[] } {
  const complaints: string[] = []
  const startedAtMs = performance.now()
  let shownAtMs = startedAtMs
  onProgress(stage)
  return {
    complaints,
    debug() {
      const atMs = performance.now()
      if (atMs - shownAtMs < reminderEveryMs) return
      shownAtMs = atMs
      onProgress(`${stage}: ${Math.round((atMs - startedAtMs) / 1_000)} s so far`)
    },
    info() {},
    warn() {},
    error: (text) => void complaints.push(text),
  }
}
