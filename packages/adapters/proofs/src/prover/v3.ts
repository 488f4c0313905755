/**
 * Proofs of `task-proof-v3`: one 16×16×16 block of an exact product, whose operands and sums are committed. Key and witness generator are
 * loaded once; a proof takes the time of a long frame many times over, so it belongs in a worker.
 */
import { blockEntries } from '../commitment/commitment.ts'
import { ProvingKeyError } from '../groth16/provingKey.ts'
import type { PublicSignals } from '../system.ts'
import { openCircuitProver } from './circuitProver.ts'

export interface V3Binding {
  /** Ids of 16 bytes as numbers, the big end first. */
  readonly taskId: bigint
  readonly deliveryId: bigint
  /** The worker's id of 32 bytes in halves of 16. */
  readonly workerHigh: bigint
  readonly workerLow: bigint
  readonly resultDigest: bigint
  /** node·2^96 + tileRow·2^64 + tileColumn·2^32 + depth. */
  readonly position: bigint
  readonly commitA: bigint
  readonly commitB: bigint
  readonly commitIn: bigint
  readonly commitOut: bigint
}

export interface BlockStatement {
  readonly binding: V3Binding
  /** 16 × 16 entries each, row by row. */
  readonly a: Int8Array
  readonly b: Int8Array
  /** The sums before the block. */
  readonly sumsIn: Int32Array
}

export interface V3Prover {
  /** Rejects with a `WitnessError` when the statement is not true. */
  prove(statement: BlockStatement): Promise<Uint8Array>
}

const bindingFields = [
  'taskId',
  'deliveryId',
  'workerHigh',
  'workerLow',
  'resultDigest',
  'position',
  'commitA',
  'commitB',
  'commitIn',
  'commitOut',
] as const satisfies readonly (keyof V3Binding)[]

/** In the order of the circuit. */
export function v3Signals(binding: V3Binding): PublicSignals {
  return bindingFields.map((field) => binding[field])
}

export async function createV3Prover(zkey: Uint8Array, wasm: Uint8Array): Promise<V3Prover> {
  const prover = await openCircuitProver({ zkey, wasm })
  if (prover.signalCount !== bindingFields.length)
    throw new ProvingKeyError(`the key has ${prover.signalCount} signals; v3 has ${bindingFields.length}`)
  return {
    async prove({ binding, a, b, sumsIn }) {
      for (const [name, entries] of Object.entries({ a, b, sumsIn }))
        if (entries.length !== blockEntries)
          throw new RangeError(`${name} has ${entries.length} entries, not ${blockEntries}`)
      const wide = (entries: Int8Array | Int32Array): readonly bigint[] => Array.from(entries, BigInt)
      const signals = Object.fromEntries(bindingFields.map((field) => [field, binding[field]]))
      const { proof } = await prover.prove({ ...signals, a: wide(a), b: wide(b), sumsIn: wide(sumsIn) })
      return proof
    },
  }
}
