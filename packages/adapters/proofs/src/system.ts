/** What every proof system offers, whatever it is built on. Who holds one asks nothing about curves, keys or libraries. */
import type { Outcome, Verdict } from './refusal.ts'

export type PublicSignals = readonly bigint[]
export type SystemName = 'groth16' | 'plonk' | 'fflonk'

export interface Statement {
  readonly proof: Uint8Array
  readonly signals: PublicSignals
}

export interface SystemVerifier {
  readonly system: SystemName
  readonly signalCount: number
  verify(proof: Uint8Array, signals: PublicSignals): Verdict | Promise<Verdict>
  /** One verdict for each item, in order. */
  verifyBatch(items: readonly Statement[]): readonly Verdict[] | Promise<readonly Verdict[]>
}

/** What the circuit calls its inputs, and what they are; lists are written row by row. */
export type CircuitInputs = Readonly<Record<string, bigint | readonly bigint[]>>

export interface ProvingFiles {
  readonly zkey: Uint8Array
  /** What circom makes of the circuit to compute witnesses with. */
  readonly wasm: Uint8Array
}

export interface SystemProver {
  /** Rejects when there is no witness for these inputs. */
  prove(inputs: CircuitInputs): Promise<Statement>
}

export interface ProofSystem<Key> {
  readonly name: SystemName
  /** Every proof has exactly this many bytes. */
  readonly proofLength: number
  /** Strict: what snarkjs exports as a verifying key, already parsed as JSON. */
  parseKey(json: unknown): Outcome<Key> | Promise<Outcome<Key>>
  /** A key that `parseKey` gave; it refuses one whose points are not of the group. */
  openVerifier(key: Key): Promise<Outcome<SystemVerifier>>
  /** Rejects when the files are none of this system, or do not belong together. */
  openProver(files: ProvingFiles): Promise<SystemProver>
  /** The form that snarkjs writes, to bytes and back: exactly one form for each proof. */
  proofFromJson(json: unknown): Outcome<Uint8Array>
  proofToJson(proof: Uint8Array): Outcome<unknown>
}
