/** `shardy key …` and `shardy audit` against a real server with canned answers. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import type { Digest, TimeMs } from '@shardy/protocol'
import { type AuditView, auditToJson, type KeyView } from '@shardy/sdk'
import { serveRoutes, type TestServer, testApiKey } from '@shardy/sdk/testing'
import { shardy } from '../test/terminal.ts'

const id = 'ab'.repeat(32)
const key: KeyView = {
  keyId: id,
  requesterId: 'cd'.repeat(32),
  name: 'ci',
  roles: ['requester'],
  scopes: ['tasks:read'],
  createdAtMs: 1_760_000_000_000,
  state: 'active',
}
let server: TestServer
let asked: unknown
let records: AuditView[] = []
const cli = (...words: string[]) => shardy(words, { SHARDY_URL: server.url, SHARDY_API_KEY: testApiKey })

function write(...subjects: string[]): void {
  records = []
  for (const [index, subject] of subjects.entries()) {
    const previous = (records.at(-1)?.hash ?? '0'.repeat(64)) as Digest
    const about = {
      action: 'keyRevoked',
      subject,
      detail: '',
      address: '203.0.113.9',
      actor: undefined,
    } as const
    records.push(auditToJson({ sequence: index + 1, previous, atMs: 1_000 as TimeMs, ...about }, sha256))
  }
}

beforeAll(() => {
  server = serveRoutes({
    createKey({ body }) {
      asked = body
      return { status: 201, json: { ...key, key: 'shardy_secret' } }
    },
    listKeys: () => ({
      status: 200,
      json: { keys: [key, { ...key, name: 'x\u001b[2J', state: 'revoked' }] },
    }),
    revokeKey({ params }) {
      asked = params
      return { status: 200, json: { ...key, state: 'revoked' } }
    },
    audit({ query: { cursor = '0', limit = '100' } }) {
      const shown = records.filter(({ sequence }) => sequence > Number(cursor)).slice(0, Number(limit))
      const { sequence, hash } = records.at(-1) ?? { sequence: 0, hash: '0'.repeat(64) }
      return { status: 200, json: { records: shown, head: { sequence, hash } } }
    },
  })
})
afterAll(() => server.close())

describe('key create', () => {
  test('prints the key once, on the first line', async () => {
    const { exit, stdout } = await cli('key', 'create', 'ci')
    expect([exit, stdout.split('\n')[0]]).toEqual(['done', 'shardy_secret'])
    expect(asked).toEqual({ name: 'ci', roles: ['requester'] })
  })

  test('asks for what was typed', async () => {
    await cli(
      'key',
      'create',
      'x',
      '--role',
      'admin,auditor',
      '--scope',
      'audit:read',
      '--expires',
      '2h',
      '--requester',
      id,
    )
    const expiresAtMs = 1_760_000_060_000 + 7_200_000
    expect(asked).toEqual({
      name: 'x',
      roles: ['admin', 'auditor'],
      scopes: ['audit:read'],
      requesterId: id,
      expiresAtMs,
    })
  })

  test('gives programs the whole', async () => {
    const { stdout } = await cli('key', 'create', 'ci', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ key: 'shardy_secret', keyId: id })
  })

  const wrong: readonly (readonly [readonly string[], string])[] = [
    [['ci', '--role', 'root'], "--role has 'root'"],
    [['ci', '--role', 'admin,'], "--role has ''"],
    [['ci', '--scope', 'all'], "--scope has 'all'"],
    [['ci', '--expires', '5'], "--expires is '5'"],
    [['ci', '--expires', '0d'], "--expires is '0d'"],
    [['ci', '--requester', 'me'], "'me' is no requester id"],
    [['ключ'], 'NAME is'],
    [[], 'NAME is missing'],
  ]
  for (const [words, said] of wrong) {
    test(`${words.join(' ') || 'nothing'} is refused before anything is sent`, async () => {
      const { exit, stderr } = await cli('key', 'create', ...words)
      expect([exit, stderr.includes(said)]).toEqual(['usage', true])
    })
  }
})

test('key list shows every key, and nothing that moves a cursor', async () => {
  const { stdout } = await cli('key', 'list')
  expect(stdout).toContain(id)
  expect(stdout).not.toContain('\u001b')
})

test('key revoke names the key', async () => {
  expect((await cli('key', 'revoke', id)).stdout).toContain(`${id} (ci) is revoked`)
  expect(asked).toEqual({ keyId: id })
  expect((await cli('key', 'revoke', 'ab')).exit).toBe('usage')
})

describe('audit', () => {
  test('shows the last records', async () => {
    write(...Array.from({ length: 30 }, (_, index) => `subject ${index + 1}`))
    const { stdout } = await cli('audit', '--limit', '2')
    expect(stdout).toContain('subject 29')
    expect(stdout).toContain('subject 30')
    expect(stdout).not.toContain('subject 28')
    expect((await cli('audit', '--cursor', '0', '--limit', '1')).stdout).toContain('subject 1\n')
    write()
    expect((await cli('audit')).stdout).toContain('no record')
  })

  test('--verify says that the chain holds, and gives its head to note', async () => {
    write('one', 'two')
    const head = `2:${records[1]?.hash}`
    const { exit, stdout } = await cli('audit', '--verify')
    expect([exit, stdout.includes(head)]).toEqual(['done', true])
    expect((await cli('audit', '--verify', '--noted', head)).exit).toBe('done')
    write('one', 'other')
    const anew = await cli('audit', '--verify', '--noted', head)
    expect([anew.exit, anew.stdout.includes('not the one that was noted')]).toEqual(['badAudit', true])
  })

  test('--verify ends otherwise when a record was changed or is missing', async () => {
    write('one', 'two', 'three')
    records = records.map((record, index) => (index === 1 ? { ...record, subject: 'forged' } : record))
    const changed = await cli('audit', '--verify')
    expect([changed.exit, changed.stdout.includes('Record 2 was changed')]).toEqual(['badAudit', true])
    write('one', 'two', 'three')
    records = records.filter((_, index) => index !== 1)
    const gap = await cli('audit', '--verify', '--json')
    expect(JSON.parse(gap.stdout)).toMatchObject({ ok: false, broken: { kind: 'gap', sequence: 2 } })
  })

  test('refuses a head that is none', async () => {
    for (const noted of ['5', `0:${id}`, `5:${id.slice(1)}`, id]) {
      expect((await cli('audit', '--verify', '--noted', noted)).exit).toBe('usage')
    }
    expect((await cli('audit', '--noted', `1:${id}`)).exit).toBe('usage')
  })
})
