/** Run as a process of its own: from nothing loaded to the first proof of v2. Prints the milliseconds. */
import { readFileSync } from 'node:fs'

const startMs = performance.now()
const { createV2Prover } = await import('@shardy/proofs')
const prover = await createV2Prover(readFileSync(process.argv[2] ?? ''))
prover.prove({ taskId: 1n, seed: 2n, outputLength: 3n, resultDigest: 4n })
console.log(performance.now() - startMs)
