/** The shapes of what manages access: keys, the audit log, and the policy on what may be run. */
import { programBytesMax, values } from '@shardy/protocol'
import { type Static, Type } from '@sinclair/typebox'
import { auditActions, auditDetailMax, auditSubjectMax } from './auditRecord.ts'
import { roles, scopes } from './scopes.ts'
import { words } from './shapes.ts'

const closed = { additionalProperties: false }
const hex32 = (description: string) => Type.String({ pattern: '^[0-9a-f]{64}$', description })
const printable = (most: number, least = 0) =>
  Type.String({ pattern: `^[\\x20-\\x7e]{${least},${most}}$`, maxLength: most })
const timeMs = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

export const keyId = hex32('the hash of the key')
export const keyName = printable(64, 1)
const roleList = Type.Array(words(roles), { minItems: 1, maxItems: roles.length, uniqueItems: true })
const scopeList = Type.Array(words(scopes), { minItems: 1, maxItems: scopes.length, uniqueItems: true })

export const keyOrder = Type.Object(
  {
    name: keyName,
    roles: roleList,
    scopes: Type.Optional(scopeList),
    requesterId: Type.Optional(
      hex32('another key of a requester that has one; a new requester unless given'),
    ),
    expiresAtMs: Type.Optional(timeMs),
  },
  closed,
)
export type KeyOrder = Static<typeof keyOrder>

const keyFields = {
  keyId,
  requesterId: hex32('whose tasks are asked for with it'),
  name: Type.String(),
  roles: Type.Array(words(roles)),
  scopes: Type.Array(words(scopes), { description: 'what it may do in the end' }),
  createdAtMs: timeMs,
  createdBy: Type.Optional(keyId),
  expiresAtMs: Type.Optional(timeMs),
  revokedAtMs: Type.Optional(timeMs),
  revokedBy: Type.Optional(keyId),
  state: words(['active', 'expired', 'revoked']),
}
export const keyView = Type.Object(keyFields)
export type KeyView = Static<typeof keyView>

/** The only place where a key itself is ever said. */
export const newKey = Type.Object({ ...keyFields, key: Type.String({ description: 'shown once' }) })
export type NewKey = Static<typeof newKey>

export const keyPage = Type.Object({ keys: Type.Array(keyView), nextCursor: Type.Optional(Type.String()) })
export type KeyPage = Static<typeof keyPage>

export const auditPage = Type.Object({
  records: Type.Array(
    Type.Object(
      {
        sequence: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
        previous: hex32('the hash of the record before'),
        atMs: timeMs,
        actor: Type.Optional(keyId),
        action: words(auditActions),
        subject: printable(auditSubjectMax),
        detail: printable(auditDetailMax),
        address: printable(64),
        hash: hex32('of this record'),
      },
      closed,
    ),
  ),
  head: Type.Object({
    sequence: Type.Integer({ minimum: 0 }),
    hash: hex32('of the last record; note it elsewhere'),
  }),
  nextCursor: Type.Optional(Type.String()),
})
export type AuditPage = Static<typeof auditPage>

/** Below 2^53 with room for sums. */
const work = Type.Integer({ minimum: 1, maximum: 10 ** 15 })

export const policyRules = Type.Object(
  {
    enforced: Type.Boolean({ description: 'the switch: nothing below counts while it is off' }),
    kindsOff: Type.Array(words(values.taskKinds), { maxItems: values.taskKinds.length, uniqueItems: true }),
    programBytesMax: Type.Integer({ minimum: 1, maximum: programBytesMax }),
    complexityMax: work,
    complexityPerMinuteMax: work,
  },
  closed,
)
export type PolicyRules = Static<typeof policyRules>
export const policyView = Type.Object({ ...policyRules.properties, deniedCount: Type.Integer() })
export type PolicyView = Static<typeof policyView>

export const programId = hex32("hash of the program's canonical bytes")
export const denial = Type.Object({ programId, reason: printable(256, 1) }, closed)
export type Denial = Static<typeof denial>
export const denialView = Type.Object({ ...denial.properties, deniedAtMs: timeMs })
export type DenialView = Static<typeof denialView>
export const denialPage = Type.Object({
  denied: Type.Array(denialView),
  nextCursor: Type.Optional(Type.String()),
})
export type DenialPage = Static<typeof denialPage>
