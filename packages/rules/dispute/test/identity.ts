/** Names for tests: a worker is called `ann`; its key, its id and its signatures follow from the name. */
import { createHash } from 'node:crypto'
import {
  type Attestation,
  batchStatements,
  type DeliveryId,
  type Digest,
  type ProgramId,
  type PublicKey,
  type Signature,
  type Statement,
  type TaskId,
  type TimeMs,
  type WorkerId,
} from '@shardy/protocol'

export const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest())

const hashed = (text: string): string => createHash('sha256').update(text).digest('hex')

export const digestOf = (bytes: Uint8Array): Digest => Buffer.from(sha256(bytes)).toString('hex') as Digest

export const publicKeyOf = (name: string): PublicKey =>
  Uint8Array.from([4, ...sha256(Buffer.from(name)), ...sha256(Buffer.from(`${name}'s`))]) as PublicKey

export const workerIdOf = (name: string): WorkerId => digestOf(publicKeyOf(name)) as string as WorkerId
export const taskIdOf = (name: string): TaskId => hashed(`task ${name}`).slice(0, 32) as TaskId
export const deliveryIdOf = (name: string): DeliveryId =>
  hashed(`delivery ${name}`).slice(0, 32) as DeliveryId

/** Of a signature's form. Whoever knows the key can make one, which no test does who must not. */
export function sign(publicKey: PublicKey, payload: Uint8Array): Signature {
  const r = sha256(Buffer.concat([Buffer.from('r'), publicKey, payload]))
  const s = sha256(Buffer.concat([Buffer.from('s'), publicKey, payload]))
  r[0] = (r[0] ?? 0) >> 1
  s[0] = (s[0] ?? 0) >> 2
  return Uint8Array.from([...r, ...s]) as Signature
}

export const verify = (publicKey: PublicKey, payload: Uint8Array, signature: Signature): boolean =>
  Buffer.from(sign(publicKey, payload)).equals(Buffer.from(signature))

export function attest(name: string, statement: Statement): Attestation {
  const { payload, attest: attestAll } = batchStatements([statement], sha256)
  const [only] = attestAll(sign(publicKeyOf(name), payload))
  if (only === undefined) throw new Error('a batch of one has one attestation')
  return only
}

export const startMs = 1_800_000_000_000 as TimeMs

export function resultOf(
  name: string,
  about: { readonly programId: ProgramId; readonly inputDigest: Digest },
  outputDigest: Digest,
  traceRoot: Digest | undefined,
): Statement {
  return {
    role: 'result',
    taskId: taskIdOf('t'),
    deliveryId: deliveryIdOf(name),
    seed: 7n,
    workerId: workerIdOf(name),
    deadlineMs: (startMs + 60_000) as TimeMs,
    ...about,
    outputDigest,
    traceRoot,
  }
}
