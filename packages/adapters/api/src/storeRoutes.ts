/** The routes by which a store is copied: as a backup, and as a log that a standby follows. Whoever has them has everything. */
import { Type } from '@sinclair/typebox'
import { route } from './route.ts'
import { digest } from './shapes.ts'

const whole = Type.String({ pattern: '^(0|[1-9][0-9]{0,14})$' })

const position = Type.Object(
  {
    epoch: Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 }),
    sequence: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    chain: digest,
  },
  { additionalProperties: false },
)

export const storeRoutes = {
  backup: route({
    method: 'GET',
    path: '/v1/backup',
    summary: 'All that is stored, as of now, blobs included. The orchestrator’s identity is not in it.',
    scope: 'store:copy',
    responses: { 200: 'bytes' },
    errors: ['overloaded', 'storageFailed'],
  }),
  followLog: route({
    method: 'GET',
    path: '/v1/log',
    summary: 'The log of writes from a position on, or a snapshot and what comes after; it does not end.',
    scope: 'store:copy',
    query: Type.Object({
      epoch: Type.Optional(whole),
      sequence: Type.Optional(whole),
      chain: Type.Optional(digest),
    }),
    responses: { 200: 'bytes' },
    errors: ['noLog', 'deposed'],
  }),
  logBlob: route({
    method: 'GET',
    path: '/v1/log/blobs/:digest',
    summary: 'A blob that the log names.',
    scope: 'store:copy',
    params: Type.Object({ digest }),
    responses: { 200: 'bytes' },
    errors: ['unknownBlob'],
  }),
  acknowledgeLog: route({
    method: 'POST',
    path: '/v1/log/acknowledge',
    summary: 'A standby has everything up to there on its disk.',
    scope: 'store:copy',
    body: position,
    responses: { 204: 'none' },
    errors: ['noLog', 'deposed', 'otherHistory', 'unacknowledged'],
  }),
  fenceLog: route({
    method: 'POST',
    path: '/v1/log/fence',
    summary:
      'Another orchestrator was promoted, in that epoch. One of an earlier epoch takes no more writes, for good.',
    scope: 'store:copy',
    body: Type.Object(
      { epoch: Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 }) },
      { additionalProperties: false },
    ),
    responses: { 200: Type.Object({ deposed: Type.Boolean() }) },
    errors: ['noLog', 'storageFailed'],
  }),
} as const
