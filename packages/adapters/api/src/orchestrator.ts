/** The orchestrator's HTTP interface. */
import { Type } from '@sinclair/typebox'
import { route } from './route.ts'
import * as shapes from './shapes.ts'

const taskParams = Type.Object({ taskId: shapes.taskId })
const blobParams = Type.Object({ digest: shapes.digest })
const wholeText = (most: number) => Type.String({ pattern: `^(0|[1-9][0-9]{0,${most}})$` })

export const orchestratorRoutes = {
  submitTask: route({
    method: 'POST',
    path: '/v1/tasks',
    summary: 'Submit a task; answered once it is durable. 200 repeats an earlier answer to the same key.',
    auth: true,
    headers: Type.Object({
      'idempotency-key': Type.Optional(Type.String({ pattern: '^[\\x20-\\x7e]{1,128}$' })),
    }),
    body: shapes.submission,
    responses: { 201: shapes.taskView, 200: shapes.taskView },
    errors: ['inputMissing', 'idempotencyConflict', 'quotaExceeded', 'overloaded', 'storageFailed'],
  }),
  listTasks: route({
    method: 'GET',
    path: '/v1/tasks',
    summary: 'Tasks, newest first.',
    auth: true,
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
    auth: true,
    params: taskParams,
    responses: { 200: shapes.taskView },
    errors: ['unknownTask'],
  }),
  cancelTask: route({
    method: 'POST',
    path: '/v1/tasks/:taskId/cancel',
    summary: 'Cancel a task that has not ended.',
    auth: true,
    params: taskParams,
    responses: { 200: shapes.taskView },
    errors: ['unknownTask', 'taskEnded', 'overloaded', 'storageFailed'],
  }),
  forgetTask: route({
    method: 'DELETE',
    path: '/v1/tasks/:taskId',
    summary: 'Forget an ended task and let go of its blobs.',
    auth: true,
    params: taskParams,
    responses: { 204: 'none' },
    errors: ['unknownTask', 'taskNotEnded'],
  }),
  taskEvents: route({
    method: 'GET',
    path: '/v1/tasks/:taskId/events',
    summary: 'What happened to a task and what happens next, as server-sent events; ends after the last one.',
    auth: true,
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
    auth: true,
    params: taskParams,
    responses: { 200: shapes.receiptView },
    errors: ['unknownTask', 'taskNotVerified'],
  }),
  taskOutput: route({
    method: 'GET',
    path: '/v1/tasks/:taskId/output',
    summary: 'The agreed output.',
    auth: true,
    params: taskParams,
    responses: { 200: 'bytes', 206: 'bytes' },
    errors: ['unknownTask', 'taskNotVerified', 'outputNotKept', 'rangeNotSatisfiable'],
  }),
  putBlob: route({
    method: 'PUT',
    path: '/v1/blobs/:digest',
    summary: 'Upload bytes under their SHA-256. With Content-Range an upload goes on where it stopped.',
    auth: true,
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
    summary: 'The bytes, whole or a range. HEAD of an unfinished upload answers 404 with Upload-Offset.',
    auth: true,
    params: blobParams,
    responses: { 200: 'bytes', 206: 'bytes' },
    errors: ['unknownBlob', 'rangeNotSatisfiable'],
  }),
  workers: route({
    method: 'GET',
    path: '/v1/workers',
    summary: 'Workers and what they have done.',
    auth: true,
    responses: { 200: shapes.workers },
    errors: [],
  }),
  health: route({
    method: 'GET',
    path: '/v1/health',
    summary: 'Whether it works, and who it is.',
    auth: false,
    responses: { 200: shapes.health },
    errors: [],
  }),
} as const
