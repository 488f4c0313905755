/** Names for tests: a worker is called `ann`, an answer `x`, and the ids and digests follow from the names. */
import { createHash } from 'node:crypto'
import {
  type Attestation,
  commitTo,
  type DeliveryId,
  type Digest,
  type PublicKey,
  type RequesterId,
  type Signature,
  type TaskId,
  type WorkerId,
} from '@shardy/protocol'

export const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest())

const hashed = (text: string): string => createHash('sha256').update(text).digest('hex')

export const digestOf = (name: string): Digest => hashed(`digest ${name}`) as Digest
export const taskIdOf = (name: string): TaskId => hashed(`task ${name}`).slice(0, 32) as TaskId
export const requesterIdOf = (name: string): RequesterId => hashed(`requester ${name}`) as RequesterId

const names = new Map<WorkerId, string>()

/** Ids sort as the names do. */
export function workerIdOf(name: string): WorkerId {
  const workerId = (Buffer.from(name).toString('hex') + hashed(`worker ${name}`)).slice(0, 64) as WorkerId
  names.set(workerId, name)
  return workerId
}

export const nameOf = (workerId: WorkerId): string => names.get(workerId) ?? workerId

/** The forms of a key and of a signature; dispatch verifies neither. */
export const publicKeyOf = (name: string): PublicKey =>
  Uint8Array.from([4, ...sha256(Buffer.from(name)), ...sha256(Buffer.from(`${name}'s`))]) as PublicKey

export const attestation: Attestation = {
  signature: new Uint8Array(64).fill(1) as Signature,
  index: 0,
  count: 1,
  path: [],
}

export const saltOf = (deliveryId: DeliveryId): string => hashed(`salt ${deliveryId}`)

/** An answer `x+t` is `x` with the trace `t`. */
export function answerOf(text: string): {
  readonly outputDigest: Digest
  readonly traceRoot: Digest | undefined
} {
  const [name = '', trace] = text.split('+')
  return { outputDigest: digestOf(name), traceRoot: trace === undefined ? undefined : digestOf(trace) }
}

export function commitmentOf(
  workerId: WorkerId,
  deliveryId: DeliveryId,
  answer: ReturnType<typeof answerOf>,
): Digest {
  return commitTo({ workerId, deliveryId, ...answer, salt: saltOf(deliveryId) }, sha256)
}
