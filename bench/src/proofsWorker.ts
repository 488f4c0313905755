/** What runs in a module worker of the page, as a tab proves: keys are fetched, everything else is in the bundle. */
import { createV2Prover, createV3Prover } from '@shardy/proofs'
import { medianMs, v2Sample, v3Sample } from './proofsSamples.ts'

async function fetchBytes(name: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(name)).arrayBuffer())
}

async function measure(): Promise<Readonly<Record<string, number>>> {
  const startMs = performance.now()
  const v2 = await createV2Prover(await fetchBytes('/task-proof-v2.zkey'))
  v2.prove(v2Sample(0))
  const proveV2ChromiumColdMs = performance.now() - startMs
  const proveV2ChromiumMs = await medianMs(60, (run) => v2.prove(v2Sample(run)))
  const v3 = await createV3Prover(
    await fetchBytes('/task-proof-v3.zkey'),
    await fetchBytes('/task-proof-v3.wasm'),
  )
  const block = await v3Sample()
  const proveV3BlockChromiumMs = await medianMs(3, () => v3.prove(block))
  return { proveV2ChromiumMs, proveV2ChromiumColdMs, proveV3BlockChromiumMs }
}

measure().then(
  (figures) => postMessage({ figures }),
  (error: unknown) => postMessage({ error: String(error) }),
)
