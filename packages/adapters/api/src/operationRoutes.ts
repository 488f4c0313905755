/** The routes of who runs the network: dead letters, the dispatch itself, and evidence against workers. */
import { Type } from '@sinclair/typebox'
import * as shapes from './operationShapes.ts'
import { route } from './route.ts'
import { deliveryId, taskId } from './shapes.ts'

const limit = Type.Optional(Type.String({ pattern: '^([1-9]|[1-9][0-9]|1[0-9][0-9]|200)$' }))
const idCursor = Type.Optional(Type.String({ pattern: '^[0-9a-f]{32}$' }))
const taskParams = Type.Object({ taskId })
const workerParams = Type.Object({ workerId: shapes.workerId })

export const operationRoutes = {
  listDeadLetters: route({
    method: 'GET',
    path: '/v1/dead-letters',
    summary: 'Everybody’s tasks that died, by id.',
    scope: 'dispatch:operate',
    query: Type.Object({ limit, cursor: idCursor }),
    responses: { 200: shapes.deadLetterPage },
    errors: [],
  }),
  getDeadLetter: route({
    method: 'GET',
    path: '/v1/dead-letters/:taskId',
    summary: 'One of them, with everything that happened to it.',
    scope: 'dispatch:operate',
    params: taskParams,
    responses: { 200: shapes.deadLetter },
    errors: ['unknownTask', 'taskNotDead'],
  }),
  requeueDeadLetter: route({
    method: 'POST',
    path: '/v1/dead-letters/:taskId/requeue',
    summary: 'Put a dead task back to work. Its reward, refunded at its death, is put in escrow again.',
    scope: 'dispatch:operate',
    params: taskParams,
    body: shapes.requeueOrder,
    responses: { 200: shapes.deadLetter },
    errors: [
      'unknownTask',
      'taskNotDead',
      'campaignTask',
      'revivalsSpent',
      'insufficientFunds',
      'overloaded',
      'storageFailed',
      'storageFull',
    ],
  }),
  purgeDeadLetter: route({
    method: 'DELETE',
    path: '/v1/dead-letters/:taskId',
    summary: 'Forget a dead task with its history and let go of its blobs.',
    scope: 'dispatch:operate',
    params: taskParams,
    responses: { 204: 'none' },
    errors: ['unknownTask', 'taskNotDead', 'taskBeingChecked', 'campaignTask', 'storageFailed'],
  }),
  dispatch: route({
    method: 'GET',
    path: '/v1/dispatch',
    summary: 'What waits, by what it asks of workers, and who has nothing to do.',
    scope: 'metrics:read',
    responses: { 200: shapes.dispatchView },
    errors: [],
  }),
  operateDispatch: route({
    method: 'POST',
    path: '/v1/dispatch/:order',
    summary: 'Pause (nothing is given out), drain (no new task is taken) or resume. It outlasts a restart.',
    scope: 'dispatch:operate',
    params: Type.Object({ order: shapes.dispatchOrder }),
    responses: { 200: shapes.dispatchView },
    errors: ['overloaded', 'storageFailed'],
  }),
  getWorker: route({
    method: 'GET',
    path: '/v1/workers/:workerId',
    summary:
      'One worker: what was measured, how it has done, what it has to lose, and why it has nothing to do.',
    scope: 'workers:read',
    params: workerParams,
    responses: { 200: shapes.workerView },
    errors: ['unknownWorker'],
  }),
  operateWorker: route({
    method: 'POST',
    path: '/v1/workers/:workerId/:order',
    summary: 'Drain a connected worker (it gets nothing new and finishes what it has), or undrain it.',
    scope: 'dispatch:operate',
    params: Type.Object({ workerId: shapes.workerId, order: shapes.workerOrder }),
    responses: { 200: shapes.workerView },
    errors: ['unknownWorker', 'overloaded', 'storageFailed'],
  }),
  listOffences: route({
    method: 'GET',
    path: '/v1/offences',
    summary: 'Wrong answers to exact tasks, by delivery.',
    scope: 'audit:read',
    query: Type.Object({ limit, cursor: idCursor }),
    responses: { 200: shapes.offencePage },
    errors: [],
  }),
  getOffence: route({
    method: 'GET',
    path: '/v1/offences/:deliveryId',
    summary:
      'What a stranger needs to repeat the finding: both signed statements, program and input. `npx shardy evidence check`.',
    scope: 'audit:read',
    params: Type.Object({ deliveryId }),
    responses: { 200: shapes.offenceEvidence },
    errors: ['unknownOffence', 'unknownTask'],
  }),
} as const
