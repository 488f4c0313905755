/** The orchestrator's HTTP interface. */
import { Type } from '@sinclair/typebox'
import { accessRoutes } from './accessRoutes.ts'
import { campaignRoutes } from './campaignRoutes.ts'
import { ledgerRoutes } from './ledgerRoutes.ts'
import { operationRoutes } from './operationRoutes.ts'
import { route } from './route.ts'
import * as shapes from './shapes.ts'
import { streamRoutes } from './streamEvent.ts'

const taskParams = Type.Object({ taskId: shapes.taskId })
const blobParams = Type.Object({ digest: shapes.digest })
const wholeText = (most: number) => Type.String({ pattern: `^(0|[1-9][0-9]{0,${most}})$` })

export const orchestratorRoutes = {
  submitTask: route({
    method: 'POST',
    path: '/v1/tasks',
    summary: 'Submit a task; answered once it is durable. 200 repeats an earlier answer to the same key.',
    scope: 'tasks:submit',
    headers: Type.Object({
      'idempotency-key': Type.Optional(Type.String({ pattern: '^[\\x20-\\x7e]{1,128}$' })),
    }),
    body: shapes.submission,
    responses: { 201: shapes.taskView, 200: shapes.taskView },
    errors: [
      'inputMissing',
      'constantMissing',
      'idempotencyConflict',
      'quotaExceeded',
      'kindOff',
      'programDenied',
      'programTooLarge',
      'taskTooComplex',
      'workRateLimited',
      'insufficientFunds',
      'tooManyLive',
      'tooVaried',
      'draining',
      'overloaded',
      'storageFailed',
    ],
  }),
  submitTasks: route({
    method: 'POST',
    path: '/v1/tasks/batch',
    summary:
      'Submit up to 1000 tasks as the message BatchSubmission (application/vnd.shardy.tasks); answered with BatchOutcome, an ' +
      'entry for each task, once those that were taken are durable.',
    scope: 'tasks:submit',
    body: 'bytes',
    responses: { 200: 'bytes' },
    errors: [
      'malformedMessage',
      'unsupportedMediaType',
      'bodyTooLarge',
      'invalidField',
      'overloaded',
      'storageFailed',
    ],
  }),
  listTasks: route({
    method: 'GET',
    path: '/v1/tasks',
    summary: 'Tasks, newest first.',
    scope: 'tasks:read',
    query: Type.Object({
      status: Type.Optional(shapes.status),
      limit: Type.Optional(Type.String({ pattern: '^([1-9]|[1-9][0-9]|1[0-9][0-9]|200)$' })),
      cursor: Type.Optional(Type.String({ pattern: '^[0-9a-f]{48}$' })),
    }),
    responses: { 200: shapes.taskPage },
    errors: [],
  }),
  getTask: route({
    method: 'GET',
    path: '/v1/tasks/:taskId',
    summary: 'One task, with what it is waiting for.',
    scope: 'tasks:read',
    params: taskParams,
    responses: { 200: shapes.taskView },
    errors: ['unknownTask'],
  }),
  cancelTask: route({
    method: 'POST',
    path: '/v1/tasks/:taskId/cancel',
    summary: 'Cancel a task that has not ended.',
    scope: 'tasks:cancel',
    params: taskParams,
    responses: { 200: shapes.taskView },
    errors: ['unknownTask', 'taskEnded', 'overloaded', 'storageFailed'],
  }),
  forgetTask: route({
    method: 'DELETE',
    path: '/v1/tasks/:taskId',
    summary: 'Forget an ended task and let go of its blobs.',
    scope: 'tasks:forget',
    params: taskParams,
    responses: { 204: 'none' },
    errors: ['unknownTask', 'taskNotEnded', 'campaignTask'],
  }),
  taskEvents: route({
    method: 'GET',
    path: '/v1/tasks/:taskId/events',
    summary: 'What happened to a task and what happens next, as server-sent events; ends after the last one.',
    scope: 'tasks:read',
    params: taskParams,
    query: Type.Object({ after: Type.Optional(wholeText(14)) }),
    headers: Type.Object({ 'last-event-id': Type.Optional(wholeText(14)) }),
    responses: { 200: 'events' },
    errors: ['unknownTask', 'overloaded'],
  }),
  taskReceipt: route({
    method: 'GET',
    path: '/v1/tasks/:taskId/receipt',
    summary: 'Who did what, with both sides’ signatures. Check it yourself: `npx shardy receipt check`.',
    scope: 'tasks:read',
    params: taskParams,
    responses: { 200: shapes.receiptView },
    errors: ['unknownTask', 'taskNotVerified'],
  }),
  taskOutput: route({
    method: 'GET',
    path: '/v1/tasks/:taskId/output',
    summary: 'The agreed output.',
    scope: 'tasks:read',
    params: taskParams,
    responses: { 200: 'bytes', 206: 'bytes' },
    errors: ['unknownTask', 'taskNotVerified', 'outputNotKept', 'rangeNotSatisfiable'],
  }),
  putBlob: route({
    method: 'PUT',
    path: '/v1/blobs/:digest',
    summary: 'Upload bytes under their SHA-256. With Content-Range an upload goes on where it stopped.',
    scope: 'blobs:write',
    params: blobParams,
    headers: Type.Object({
      'content-range': Type.Optional(Type.String({ pattern: '^bytes [0-9]{1,12}-[0-9]{1,12}/[0-9]{1,12}$' })),
    }),
    body: 'bytes',
    responses: { 201: shapes.kept, 200: shapes.kept, 202: shapes.received },
    errors: [
      'offsetMismatch',
      'uploadInProgress',
      'digestMismatch',
      'blobTooLarge',
      'quotaExceeded',
      'storageFailed',
    ],
  }),
  getBlob: route({
    method: 'GET',
    path: '/v1/blobs/:digest',
    summary: 'The bytes, whole or a range.',
    scope: 'blobs:read',
    params: blobParams,
    responses: { 200: 'bytes', 206: 'bytes' },
    errors: ['unknownBlob', 'rangeNotSatisfiable'],
  }),
  headBlob: route({
    method: 'HEAD',
    path: '/v1/blobs/:digest',
    summary: 'Whether the blob is here. 404 says in Upload-Offset where an unfinished upload goes on.',
    scope: 'blobs:read',
    params: blobParams,
    responses: { 200: 'none' },
    errors: ['unknownBlob'],
  }),
  deliveryConstant: route({
    method: 'GET',
    path: '/v1/deliveries/:deliveryId/constants/:digest',
    summary:
      'A constant of the program that a delivery runs. The id of an open delivery is what gives access.',
    scope: 'public',
    params: Type.Object({ deliveryId: shapes.deliveryId, digest: shapes.digest }),
    responses: { 200: 'bytes', 206: 'bytes' },
    errors: ['unknownDelivery', 'unknownBlob', 'rangeNotSatisfiable'],
  }),
  workers: route({
    method: 'GET',
    path: '/v1/workers',
    summary: 'Workers and what they have done.',
    scope: 'workers:read',
    responses: { 200: shapes.workers },
    errors: [],
  }),
  metrics: route({
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics for Prometheus, or as OpenMetrics. An operator may open them to everybody.',
    scope: 'metrics:read',
    responses: { 200: 'text' },
    errors: [],
  }),
  health: route({
    method: 'GET',
    path: '/v1/health',
    summary: 'Whether it works, and who it is.',
    scope: 'public',
    responses: { 200: shapes.health },
    errors: [],
  }),
  ...accessRoutes,
  ...operationRoutes,
  ...ledgerRoutes,
  ...campaignRoutes,
  ...streamRoutes,
} as const
