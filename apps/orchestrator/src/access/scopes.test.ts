/** Every route × every role, over HTTP: what the table says, and nothing more. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  type Problem,
  type Role,
  type Route,
  roles,
  orchestratorRoutes as routes,
  scopes,
  scopesOf,
} from '@shardy/api'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'

let network: TestNetwork
const keys = new Map<Role, string>()

beforeAll(async () => {
  network = await startTestNetwork()
  for (const role of roles) keys.set(role, await network.orchestrator.services.apiKeys.create(role, [role]))
})
afterAll(() => network.stop())

/** Who may come to which route, spelled out: a change of the table has to be meant. */
const allowed: Readonly<Record<keyof typeof routes, readonly Role[] | 'public'>> = {
  submitTask: ['requester'],
  submitTasks: ['requester'],
  listTasks: ['requester'],
  getTask: ['requester'],
  cancelTask: ['requester'],
  forgetTask: ['requester'],
  taskEvents: ['requester'],
  taskReceipt: ['requester'],
  taskOutput: ['requester'],
  taskInput: ['requester'],
  createCampaign: ['requester'],
  listCampaigns: ['requester'],
  getCampaign: ['requester'],
  pauseCampaign: ['requester'],
  resumeCampaign: ['requester'],
  cancelCampaign: ['requester'],
  campaignResults: ['requester'],
  campaignEvents: ['requester'],
  campaignWebhooks: ['requester'],
  forgetWebhookSecret: ['requester'],
  putBlob: ['requester'],
  getBlob: ['requester'],
  headBlob: ['requester'],
  deliveryConstant: 'public',
  backup: ['admin'],
  followLog: ['admin'],
  logBlob: ['admin'],
  acknowledgeLog: ['admin'],
  fenceLog: ['admin'],
  workers: ['requester', 'operator', 'auditor', 'admin'],
  metrics: ['operator', 'auditor', 'admin'],
  health: 'public',
  createKey: ['admin'],
  listKeys: ['admin'],
  revokeKey: ['admin'],
  audit: ['auditor', 'admin'],
  policy: ['operator', 'auditor', 'admin'],
  setPolicy: ['operator', 'admin'],
  denyProgram: ['operator', 'admin'],
  listDenied: ['operator', 'auditor', 'admin'],
  allowProgram: ['operator', 'admin'],
  events: ['requester', 'operator', 'auditor', 'admin'],
  eventsSocket: ['requester', 'operator', 'auditor', 'admin'],
  listDeadLetters: ['operator', 'admin'],
  getDeadLetter: ['operator', 'admin'],
  requeueDeadLetter: ['operator', 'admin'],
  purgeDeadLetter: ['operator', 'admin'],
  dispatch: ['operator', 'auditor', 'admin'],
  operateDispatch: ['operator', 'admin'],
  getWorker: ['requester', 'operator', 'auditor', 'admin'],
  operateWorker: ['operator', 'admin'],
  listOffences: ['auditor', 'admin'],
  getOffence: ['auditor', 'admin'],
  balance: ['requester', 'operator', 'auditor', 'admin'],
  quote: ['requester', 'operator', 'auditor', 'admin'],
}

for (const [name, route] of Object.entries(routes) as [keyof typeof routes, Route][]) {
  describe(name, () => {
    for (const role of roles) {
      const may = allowed[name] === 'public' || allowed[name].includes(role)
      test(`${may ? 'lets' : 'does not let'} the role ${role} in`, async () => {
        // Events that are live never end.
        const path = route.path.replace(/:\w+/g, '0'.repeat(64)) + (name === 'events' ? '?live=no' : '')
        const answer = await network.request(path, { method: route.method, apiKey: keys.get(role) ?? '' })
        // Past the gate it may fail for any other reason: nothing was sent along.
        if (route.method === 'HEAD') return expect(answer.status !== 403).toBe(may)
        const { code, bound } = (await answer.json().catch(() => ({}))) as Partial<Problem>
        expect(code !== 'missingScope').toBe(may)
        if (!may) expect([answer.status, bound as string]).toEqual([403, route.scope])
      })
    }
  })
}

test('every scope belongs to some role, and a narrower key holds no more than its roles', () => {
  expect(new Set(roles.flatMap((role) => [...scopesOf([role])]))).toEqual(new Set(scopes))
  expect([...scopesOf(['requester'], ['tasks:read', 'keys:manage'])]).toEqual(['tasks:read'])
  expect(scopesOf([], ['keys:manage']).size).toBe(0)
})
