/**
 * The public signals of each statement, in the circuits' order (spec E7 to E9). Every id maps to elements of its own, so two
 * tasks, deliveries or workers never share their signals. Whether a proof holds is the verifier's to say; whether its
 * signals are those of the delivery is said by making them here again, never by reading them from a worker.
 */
import type { Sha256 } from '../hash.ts'
import type { DeliveryId, Digest, TaskId, WorkerId } from '../ids.ts'
import { decodeHex } from '../schema/hex.ts'
import { bigEndian, isFieldElement } from './field.ts'
import { foldDigest } from './fold.ts'
import { type BlockPosition, packPosition } from './position.ts'

/** How many public signals each statement has. */
export const publicSignalCounts = { v2: 4, v3: 10 } as const

/** What a worker said its output is: SHA-256 and length of the output's bytes. */
export interface OutputIdentity {
  readonly outputDigest: Digest
  readonly outputLength: number
}

export interface TaskProofV2 extends OutputIdentity {
  readonly taskId: TaskId
  readonly seed: bigint
}

export interface TaskProofV3 extends OutputIdentity {
  readonly taskId: TaskId
  readonly deliveryId: DeliveryId
  readonly workerId: WorkerId
  readonly position: BlockPosition
  /** Poseidon commitments to the block's operands, and to the sums before and after it (spec E13). */
  readonly commitA: bigint
  readonly commitB: bigint
  readonly commitIn: bigint
  readonly commitOut: bigint
}

/** taskId, seed, outputLen, resultDigest. */
export function taskProofV2Signals(
  { taskId, seed, outputLength, outputDigest }: TaskProofV2,
  sha256: Sha256,
): readonly bigint[] {
  const resultDigest = foldDigest(outputDigest, outputLength, sha256)
  return [idSignal(taskId), seedSignal(seed), BigInt(outputLength), resultDigest]
}

/** taskId, deliveryId, workerHigh, workerLow, resultDigest, position, commitA, commitB, commitIn, commitOut. */
export function taskProofV3Signals(
  { taskId, deliveryId, workerId, outputDigest, outputLength, position, ...commitments }: TaskProofV3,
  sha256: Sha256,
): readonly bigint[] {
  const { commitA, commitB, commitIn, commitOut } = commitments
  for (const commitment of [commitA, commitB, commitIn, commitOut])
    if (!isFieldElement(commitment)) throw new RangeError(`${commitment} is no commitment`)
  return [
    idSignal(taskId),
    idSignal(deliveryId),
    ...workerSignals(workerId),
    foldDigest(outputDigest, outputLength, sha256),
    packPosition(position),
    commitA,
    commitB,
    commitIn,
    commitOut,
  ]
}

/** An id of 16 bytes as a number of 128 bits, highest byte first. */
export function idSignal(id: TaskId | DeliveryId): bigint {
  return bigEndian(bytesOf(id, 16))
}

export function seedSignal(seed: bigint): bigint {
  if (seed < 0n || seed >= 2n ** 64n) throw new RangeError(`${seed} is not 64 bits`)
  return seed
}

/** A worker's id has more bits than an element, so its halves are two: high, low. */
export function workerSignals(workerId: WorkerId): readonly [high: bigint, low: bigint] {
  const bytes = bytesOf(workerId, 32)
  return [bigEndian(bytes.subarray(0, 16)), bigEndian(bytes.subarray(16))]
}

function bytesOf(id: string, length: number): Uint8Array {
  const bytes = decodeHex(id)
  if (bytes?.length !== length) throw new TypeError(`${id} is no id of ${length} bytes`)
  return bytes
}
