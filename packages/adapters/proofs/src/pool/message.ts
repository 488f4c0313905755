/**
 * What the pool and its threads say to each other. A batch travels as one buffer, handed over: for each item the proof, then its signals
 * as 32 bytes each, big end first.
 */
import { elementLength, readElement, writeElement } from '../bn254/bytes.ts'
import { proofLength } from '../groth16/proofJson.ts'
import type { ProofRefusal, Verdict } from '../refusal.ts'
import type { Statement } from '../system.ts'

export type Asked =
  /** The first message: the verifying key's JSON, parsed. */
  | { readonly kind: 'open'; readonly key: unknown }
  | { readonly kind: 'verify'; readonly id: number; readonly bytes: Uint8Array }

export type Reply =
  | { readonly kind: 'opened'; readonly refusal: ProofRefusal | undefined }
  | { readonly kind: 'judged'; readonly id: number; readonly verdicts: readonly Verdict[] }

/** Every proof must have its length, and the signals must be below 2^256. */
export function encodeBatch(items: readonly Statement[]): Uint8Array<ArrayBuffer> {
  const signalCount = items[0]?.signals.length ?? 0
  const itemLength = proofLength + signalCount * elementLength
  const bytes = new Uint8Array(items.length * itemLength)
  for (const [index, { proof, signals }] of items.entries()) {
    bytes.set(proof, index * itemLength)
    for (const [place, signal] of signals.entries())
      writeElement(bytes, index * itemLength + proofLength + place * elementLength, signal)
  }
  return bytes
}

export function decodeBatch(bytes: Uint8Array, signalCount: number): readonly Statement[] {
  const itemLength = proofLength + signalCount * elementLength
  return Array.from({ length: bytes.length / itemLength }, (_, index) => {
    const at = index * itemLength
    return {
      proof: bytes.subarray(at, at + proofLength),
      signals: Array.from({ length: signalCount }, (_, place) =>
        readElement(bytes, at + proofLength + place * elementLength),
      ),
    }
  })
}
