/** What a task runs, by the hash of its bytes (spec W20): every kind has a domain of its own, so none can pass for another. */
import type { Sha256 } from './hash.ts'
import type { ProgramId } from './ids.ts'
import { domainPayload } from './payload.ts'
import { encodeHex } from './schema/hex.ts'
import type { TaskKind } from './values.ts'

export function programIdOf(kind: TaskKind, bytes: Uint8Array, sha256: Sha256): ProgramId {
  return encodeHex(sha256(domainPayload(kind, bytes))) as ProgramId
}
