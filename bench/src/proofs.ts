/**
 * How fast proofs are verified and made. Rates are of one core's time, counted as the process's CPU time, because other programs may have the
 * core meanwhile; durations are what a clock says. snarkjs verifies the same proofs in the same run, in one thread as ours does.
 */
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import {
  batchMax,
  createV2Prover,
  createV3Prover,
  openVerifier,
  parseVerifyingKey,
  proofToJson,
  type Statement,
  v2Signals,
} from '@shardy/proofs'
import { openVerifierPool } from '@shardy/proofs/pool'
import { buildBn128 } from 'ffjavascript'
import { groth16 as peer } from 'snarkjs'
import { measureProven } from './dispatch/shardy/shardy.ts'
import { measureProofsBrowser } from './proofsBrowser.ts'
import { median, medianMs, v2Sample, v3Sample } from './proofsSamples.ts'
import type { Goals, Measured, Progress } from './run.ts'

export const goals: Goals = {
  verifyPerSecond: { atLeast: 230 },
  verifyBatchPerSecond: { atLeast: 850 },
  batchOverSnarkjs: { atLeast: 15 },
  proveV2WarmMs: { atMost: 2.5 },
  proveV2ColdMs: { atMost: 300 },
  proveV3BlockMs: { atMost: 1_500 },
  proveV3BlockChromiumMs: { atMost: 1_500 },
  provenTasksPerSecond: { atLeast: 450 },
  loopLagP99Ms: { atMost: 10 },
}

const artifacts = path.join(import.meta.dir, '../../circuits/artifacts')
const artifact = (name: string): string => path.join(artifacts, name)
const rounds = 5
const flowRounds = 3

export async function run({ progress }: { readonly progress: Progress }): Promise<Measured> {
  const keyJson: Record<string, unknown> = JSON.parse(
    readFileSync(artifact('task-proof-v2.vkey.json'), 'utf8'),
  )
  const key = parseVerifyingKey(keyJson)
  if (!key.ok) throw new Error(key.refusal.detail)
  const opened = await openVerifier(key.value)
  if (!opened.ok) throw new Error(opened.refusal.detail)
  const verifier = opened.value
  const prover = await createV2Prover(readFileSync(artifact('task-proof-v2.zkey')))
  const statements = Array.from({ length: batchMax }, (_, index): Statement => {
    const sample = v2Sample(index)
    return { proof: prover.prove(sample), signals: v2Signals(sample) }
  })

  // Built in one thread: the one that snarkjs would build starts threads that never end on Bun.
  globalThis.curve_bn128 ??= await buildBn128(true)
  const theirs = statements.slice(0, 8).map(({ proof, signals }) => {
    const json = proofToJson(proof)
    if (!json.ok) throw new Error(json.refusal.detail)
    return { json: json.value, signals: signals.map(String) }
  })

  const rates = { single: [] as number[], batch: [] as number[], snarkjs: [] as number[] }
  for (let round = 0; round <= rounds; round++) {
    progress(round === 0 ? 'warming up' : `verifying, round ${round} of ${rounds}`)
    const single = await perCpuSecond(32, () => {
      for (const { proof, signals } of statements.slice(0, 32)) must(verifier.verify(proof, signals).ok)
    })
    const batch = await perCpuSecond(4 * batchMax, () => {
      for (let count = 0; count < 4; count++) must(verifier.verifyBatch(statements).every(({ ok }) => ok))
    })
    const snarkjs = await perCpuSecond(theirs.length, async () => {
      for (const { json, signals } of theirs) must(await peer.verify(keyJson as never, signals, json))
    })
    if (round === 0) continue
    rates.single.push(single)
    rates.batch.push(batch)
    rates.snarkjs.push(snarkjs)
  }

  progress('proving v2')
  const proveV2WarmMs = await medianMs(100, (index) => prover.prove(v2Sample(index)))
  const proveV2ColdMs = median(Array.from({ length: 5 }, proveCold))

  progress('proving v3')
  const v3 = await createV3Prover(
    readFileSync(artifact('task-proof-v3.zkey')),
    readFileSync(artifact('task-proof-v3.wasm')),
  )
  const block = await v3Sample()
  const proveV3BlockMs = await medianMs(3, () => v3.prove(block))
  const proveV3BlockCpuMs = 1_000 / (await perCpuSecond(1, () => v3.prove(block)))

  progress('a flood of bad proofs')
  const loopLagP99Ms = await lagUnderFlood(keyJson, statements)

  const proven: number[] = []
  for (let round = 1; round <= flowRounds; round++) {
    progress(`proven tasks through an orchestrator, round ${round} of ${flowRounds}`)
    proven.push((await measureProven()).perSecond)
  }

  const browser = await measureProofsBrowser(artifacts, progress)
  const inBrowser = ['proveV2ChromiumMs', 'proveV2ChromiumColdMs', 'proveV3BlockChromiumMs']
  const [verifyPerSecond, verifyBatchPerSecond, snarkjsVerifyPerSecond] = [
    median(rates.single),
    median(rates.batch),
    median(rates.snarkjs),
  ]
  return {
    figures: {
      verifyPerSecond,
      verifyBatchPerSecond,
      batchOverSnarkjs: verifyBatchPerSecond / snarkjsVerifyPerSecond,
      proveV2WarmMs,
      proveV2ColdMs,
      proveV3BlockMs,
      proveV3BlockCpuMs,
      v3KeyMegabytes: statSync(artifact('task-proof-v3.zkey')).size / 1_000_000,
      provenTasksPerSecond: median(proven),
      loopLagP99Ms,
      ...(typeof browser === 'string' ? Object.fromEntries(inBrowser.map((name) => [name, null])) : browser),
    },
    peers: { snarkjsVerifyPerSecond },
    why: typeof browser === 'string' ? Object.fromEntries(inBrowser.map((name) => [name, browser])) : {},
  }
}

function must(isTrue: boolean): void {
  if (!isTrue) throw new Error('a good proof was refused')
}

async function perCpuSecond(count: number, operate: () => unknown): Promise<number> {
  const start = process.cpuUsage()
  await operate()
  const { user, system } = process.cpuUsage(start)
  return (count / (user + system)) * 1_000_000
}

/** In a process of its own, from nothing loaded. */
function proveCold(): number {
  const child = Bun.spawnSync([
    process.execPath,
    path.join(import.meta.dir, 'proofsCold.ts'),
    artifact('task-proof-v2.zkey'),
  ])
  const ms = Number(child.stdout.toString())
  if (!child.success || !(ms > 0)) throw new Error(`the cold prover failed: ${child.stderr}`)
  return ms
}

/** How late a timer of this loop is, at worst but for one in a hundred, while a thread verifies what a flood leaves room for. */
async function lagUnderFlood(key: unknown, statements: readonly Statement[]): Promise<number> {
  const pool = await openVerifierPool({ key, threads: 1, queuedMax: 512 })
  if (!pool.ok) throw new Error(pool.refusal.detail)
  const { value } = pool
  const everyMs = 5
  const endMs = performance.now() + 4_000
  const lags: number[] = []
  const asked: Promise<unknown>[] = []
  while (performance.now() < endMs) {
    const beforeMs = performance.now()
    for (let count = 0; count < 4; count++) {
      const [own, other] = [0, 1].map(
        (shift) => statements[(asked.length + shift) % statements.length] as Statement,
      ) as [Statement, Statement]
      asked.push(value.verify('flood', { proof: own.proof, signals: other.signals }))
      asked.push(value.verify(`good ${asked.length % 4}`, own))
    }
    await Bun.sleep(everyMs)
    lags.push(performance.now() - beforeMs - everyMs)
  }
  value.close()
  await Promise.allSettled(asked)
  return lags.toSorted((one, other) => one - other)[Math.floor(lags.length * 0.99)] ?? 0
}
