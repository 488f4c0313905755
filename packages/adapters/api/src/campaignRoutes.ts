/** The routes of campaigns. What may be done with tasks may be done with many of them: the scopes are those of tasks. */
import { Type } from '@sinclair/typebox'
import * as shapes from './campaignShapes.ts'
import { route } from './route.ts'

const params = Type.Object({ campaignId: shapes.campaignId })
const wholeText = Type.String({ pattern: '^(0|[1-9][0-9]{0,14})$' })
const formats = Type.Unsafe<'ndjson' | 'binary'>(Type.Union([Type.Literal('ndjson'), Type.Literal('binary')]))

export const campaignRoutes = {
  createCampaign: route({
    method: 'POST',
    path: '/v1/campaigns',
    summary: 'Begin a campaign; answered once it is durable. 200 repeats an earlier answer to the same key.',
    scope: 'tasks:submit',
    headers: Type.Object({
      'idempotency-key': Type.Optional(Type.String({ pattern: '^[\\x20-\\x7e]{1,128}$' })),
    }),
    body: shapes.campaignOrder,
    responses: { 201: shapes.campaignView, 200: shapes.campaignView },
    errors: [
      'inputMissing',
      'constantMissing',
      'idempotencyConflict',
      'kindOff',
      'programDenied',
      'programTooLarge',
      'taskTooComplex',
      'secretMissing',
      'secretConflict',
      'quotaExceeded',
      'webhookRefused',
      'tooManyCampaigns',
      'overloaded',
      'storageFailed',
      'storageFull',
    ],
  }),
  listCampaigns: route({
    method: 'GET',
    path: '/v1/campaigns',
    summary: 'Campaigns, newest first.',
    scope: 'tasks:read',
    query: Type.Object({
      limit: Type.Optional(Type.String({ pattern: '^([1-9]|[1-9][0-9]|100)$' })),
      cursor: Type.Optional(Type.String({ pattern: '^[0-9a-f]{48}$' })),
    }),
    responses: { 200: shapes.campaignPage },
    errors: [],
  }),
  getCampaign: route({
    method: 'GET',
    path: '/v1/campaigns/:campaignId',
    summary: 'One campaign: how far it is, how fast, what holds it up, what it has cost.',
    scope: 'tasks:read',
    params,
    responses: { 200: shapes.campaignView },
    errors: ['unknownCampaign'],
  }),
  pauseCampaign: route({
    method: 'POST',
    path: '/v1/campaigns/:campaignId/pause',
    summary: 'Submit nothing more; what is computed already goes on, and is paid. Pausing twice is no error.',
    scope: 'tasks:cancel',
    params,
    responses: { 200: shapes.campaignView },
    errors: ['unknownCampaign', 'campaignEnded', 'campaignWorn', 'storageFailed'],
  }),
  resumeCampaign: route({
    method: 'POST',
    path: '/v1/campaigns/:campaignId/resume',
    summary: 'Go on. Resuming what runs is no error.',
    scope: 'tasks:submit',
    params,
    responses: { 200: shapes.campaignView },
    errors: ['unknownCampaign', 'campaignEnded', 'campaignWorn', 'storageFailed'],
  }),
  cancelCampaign: route({
    method: 'POST',
    path: '/v1/campaigns/:campaignId/cancel',
    summary: 'Submit nothing more and cancel what is open; results that come in time are taken and paid.',
    scope: 'tasks:cancel',
    params,
    responses: { 200: shapes.campaignView },
    errors: ['unknownCampaign', 'campaignEnded', 'storageFailed'],
  }),
  campaignResults: route({
    method: 'GET',
    path: '/v1/campaigns/:campaignId/results',
    summary:
      'Results in order of index, up to the first item that has none yet; Shardy-Next-Index says where to go on.',
    scope: 'tasks:read',
    params,
    query: Type.Object({ from: Type.Optional(wholeText), format: Type.Optional(formats) }),
    responses: { 200: 'bytes' },
    errors: ['unknownCampaign'],
  }),
  campaignEvents: route({
    method: 'GET',
    path: '/v1/campaigns/:campaignId/events',
    summary:
      'What happened to a campaign and what happens next, as server-sent events; ends after the last one.',
    scope: 'tasks:read',
    params,
    query: Type.Object({ after: Type.Optional(wholeText) }),
    headers: Type.Object({ 'last-event-id': Type.Optional(wholeText) }),
    responses: { 200: 'events' },
    errors: ['unknownCampaign', 'overloaded'],
  }),
  campaignWebhooks: route({
    method: 'GET',
    path: '/v1/campaigns/:campaignId/webhooks',
    summary: 'What was sent to the webhook, what waits to be sent, and what was given up.',
    scope: 'tasks:read',
    params,
    responses: { 200: shapes.webhookPage },
    errors: ['unknownCampaign'],
  }),
  forgetWebhookSecret: route({
    method: 'DELETE',
    path: '/v1/webhook-secrets/:secretName',
    summary: 'Forget a secret. What is still to be signed with it is given up.',
    scope: 'tasks:forget',
    params: Type.Object({ secretName: Type.String({ pattern: '^[\\x20-\\x7e]{1,64}$' }) }),
    responses: { 204: 'none' },
    errors: ['unknownSecret', 'storageFailed'],
  }),
} as const
