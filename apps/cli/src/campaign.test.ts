/** `shardy campaign …` against a real server with canned answers. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { CampaignView } from '@shardy/sdk'
import { serveRoutes, type TestServer, testApiKey } from '@shardy/sdk/testing'
import { shardy } from '../test/terminal.ts'
import { progressLine } from './commands/campaign.ts'

const campaignId = 'ab'.repeat(16)
const running: CampaignView = {
  campaignId,
  name: 'a sweep',
  kind: 'superLite',
  programId: 'cd'.repeat(32),
  status: 'running',
  total: 1_000,
  open: 100,
  verified: 340,
  accepted: 0,
  dead: 5,
  refused: 0,
  cancelled: 0,
  remaining: 555,
  window: 100,
  rewardMicroCredit: '100',
  budgetMicroCredit: '1000000',
  spentMicroCredit: '34000',
  reservedMicroCredit: '10000',
  heldUpBy: { kind: 'window', detail: '100 items are open' },
  itemsPerSecond: 12.345,
  etaMs: 53_000,
  createdAtMs: 1_760_000_000_000,
  deadlineMs: 1_760_000_900_000,
}
const ended: CampaignView = { ...running, status: 'ended', reason: 'completed', open: 0, remaining: 0 }

let server: TestServer
let folder: string
let asked: unknown
let view = running
const cli = (...words: string[]) =>
  shardy(['campaign', ...words], { SHARDY_URL: server.url, SHARDY_API_KEY: testApiKey })
const ok = (json: unknown) => ({ status: 200, json })

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardy-campaign-'))
  server = serveRoutes({
    createCampaign({ body }) {
      asked = body
      return { status: 201, json: view }
    },
    getCampaign: () => ok(view),
    listCampaigns: () => ok({ campaigns: [{ ...view, name: 'x\u001b[2J' }], nextCursor: '0f' }),
    pauseCampaign: () => ok({ ...view, status: 'paused', reason: 'asked' }),
    resumeCampaign: () => ok(view),
    cancelCampaign: () => ok({ ...view, status: 'stopping', reason: 'cancelled' }),
    campaignResults({ query: { from = '0' } }) {
      asked = from
      const lines = [0, 1, 2].filter((index) => index >= Number(from))
      const text = lines.map(
        (index) => `${JSON.stringify({ index, status: 'verified', attempts: 1, costMicroCredit: '1' })}\n`,
      )
      return new Response(text.join(''), { headers: { 'shardy-next-index': '3' } })
    },
    campaignEvents() {
      const { total, open, verified, accepted, dead, refused, cancelled } = view
      const counts = { total, open, verified, accepted, dead, refused, cancelled, spentMicroCredit: '1' }
      const data = JSON.stringify({
        sequence: 1,
        atMs: 1,
        type: 'campaign_ended',
        status: 'ended',
        ...counts,
      })
      return new Response(`id: 1\ndata: ${data}\n\n`)
    },
  })
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

describe('campaign create', () => {
  test('sends the manifest as it stands, with a deadline from now and a secret', async () => {
    const [file, secret] = [path.join(folder, 'a.json'), path.join(folder, 'secret')]
    await writeFile(file, '{"name": "a", "odd": 1}')
    await writeFile(secret, 'x'.repeat(16))
    const { exit, stdout } = await cli('create', file, '--deadline', '2h', '--secret', secret)
    expect(exit).toBe('done')
    expect(stdout).toContain(`Campaign ${campaignId} is running.`)
    expect(stdout).toContain(`Next:\n  npx shardy campaign watch ${campaignId}`)
    const manifest = { name: 'a', odd: 1, deadlineMs: 1_760_000_060_000 + 7_200_000 }
    expect(asked).toEqual({ manifest, webhookSecret: Buffer.from('x'.repeat(16)).toString('base64') })
  })

  test('complains about a file that is none, and a deadline that cannot be', async () => {
    const file = path.join(folder, 'b.json')
    await writeFile(file, '[1]')
    expect(await cli('create', file)).toMatchObject({
      exit: 'usage',
      stderr: expect.stringContaining('is no manifest'),
    })
    await writeFile(file, '{')
    expect((await cli('create', file)).stderr).toContain('is no JSON')
    expect((await cli('create', path.join(folder, 'none'))).exit).toBe('file')
    await writeFile(file, '{}')
    expect((await cli('create', file, '--deadline', 'soon')).stderr).toContain("--deadline is 'soon'")
  })
})

test('campaign watch says on one line how far it is, and ends as the campaign did', async () => {
  view = running
  expect(progressLine(running)).toBe(
    'campaign abababababab… running; 345 of 1000 (34 %); 340 verified, 5 dead; 12.3 items/s; about 53 s left',
  )
  const watched = await cli('watch', campaignId)
  expect(watched.stderr).toBe(`${progressLine(running)}\n`)
  view = { ...ended, verified: 1_000, dead: 0 }
  expect((await cli('watch', campaignId)).exit).toBe('done')
  view = { ...ended, verified: 990, accepted: 10, dead: 0 }
  const accepted = await cli('watch', campaignId)
  expect([accepted.exit, accepted.stdout]).toEqual([
    'accepted',
    expect.stringContaining('neither checked, agreed on'),
  ])
  view = { ...ended, verified: 990, dead: 10 }
  expect((await cli('watch', campaignId)).exit).toBe('notVerified')
  view = running
})

test('campaign results are printed, or written to a file', async () => {
  const printed = await cli('results', campaignId, '--from', '1')
  expect(
    printed.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).index),
  ).toEqual([1, 2])
  const file = path.join(folder, 'results.ndjson')
  expect((await cli('results', campaignId, '--to', file)).stdout).toContain('3 results are in')
  expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(4)
})

test('campaign list, show, pause, resume, cancel', async () => {
  const { stdout } = await cli('list')
  expect(stdout).toContain('345/1000')
  expect(stdout).not.toContain('\u001b')
  expect(stdout).toContain('campaign list --cursor 0f')
  for (const [word, status] of [
    ['show', 'running'],
    ['pause', 'paused (asked)'],
    ['resume', 'running'],
    ['cancel', 'stopping (cancelled)'],
  ] as const) {
    expect((await cli(word, campaignId)).stdout).toContain(`is ${status}.`)
  }
  expect(await cli('show', 'x')).toMatchObject({
    exit: 'usage',
    stderr: expect.stringContaining("'x' is no campaign id"),
  })
})
