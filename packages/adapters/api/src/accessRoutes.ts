/** The routes of who may do what: keys, the audit log, and the policy on what may be run. */
import { Type } from '@sinclair/typebox'
import * as shapes from './accessShapes.ts'
import { route } from './route.ts'

const limit = Type.Optional(Type.String({ pattern: '^([1-9]|[1-9][0-9]|[1-9][0-9][0-9]|1000)$' }))
const idCursor = Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' }))

export const accessRoutes = {
  createKey: route({
    method: 'POST',
    path: '/v1/keys',
    summary: 'Make an API key. The answer is the only place where the key itself is ever said.',
    scope: 'keys:manage',
    body: shapes.keyOrder,
    responses: { 201: shapes.newKey },
    errors: ['scopeExceeded', 'unknownRequester', 'tooManyKeys', 'storageFailed'],
  }),
  listKeys: route({
    method: 'GET',
    path: '/v1/keys',
    summary: 'API keys by id, revoked and expired ones included.',
    scope: 'keys:manage',
    query: Type.Object({ limit, cursor: idCursor }),
    responses: { 200: shapes.keyPage },
    errors: [],
  }),
  revokeKey: route({
    method: 'POST',
    path: '/v1/keys/:keyId/revoke',
    summary: 'Revoke an API key at once and for good. Its requester and tasks stay.',
    scope: 'keys:manage',
    params: Type.Object({ keyId: shapes.keyId }),
    responses: { 200: shapes.keyView },
    errors: ['unknownKey', 'keyRevoked', 'lastAdminKey', 'storageFailed'],
  }),
  audit: route({
    method: 'GET',
    path: '/v1/audit',
    summary: 'What was done with more than a requester’s rights, oldest first, as a chain of hashes.',
    scope: 'audit:read',
    query: Type.Object({
      limit,
      /** The number of the last record that is known already. */
      cursor: Type.Optional(Type.String({ pattern: '^(0|[1-9][0-9]{0,14})$' })),
    }),
    responses: { 200: shapes.auditPage },
    errors: [],
  }),
  policy: route({
    method: 'GET',
    path: '/v1/policy',
    summary: 'What may be run here, and how much of it.',
    scope: 'policy:read',
    responses: { 200: shapes.policyView },
    errors: [],
  }),
  setPolicy: route({
    method: 'PUT',
    path: '/v1/policy',
    summary: 'Replace the policy. Accepted tasks go on; the deny list stays as it is.',
    scope: 'policy:write',
    body: shapes.policyRules,
    responses: { 200: shapes.policyView },
    errors: ['storageFailed'],
  }),
  denyProgram: route({
    method: 'POST',
    path: '/v1/policy/deny',
    summary: 'Take no more tasks of a program or shader. Accepted ones go on.',
    scope: 'policy:write',
    body: shapes.denial,
    responses: { 200: shapes.denialView },
    errors: ['denyListFull', 'storageFailed'],
  }),
  listDenied: route({
    method: 'GET',
    path: '/v1/policy/deny',
    summary: 'Programs of which no tasks are taken, by id.',
    scope: 'policy:read',
    query: Type.Object({ limit, cursor: idCursor }),
    responses: { 200: shapes.denialPage },
    errors: [],
  }),
  allowProgram: route({
    method: 'DELETE',
    path: '/v1/policy/deny/:programId',
    summary: 'Take tasks of a program again.',
    scope: 'policy:write',
    params: Type.Object({ programId: shapes.programId }),
    responses: { 204: 'none' },
    errors: ['notDenied', 'storageFailed'],
  }),
} as const
