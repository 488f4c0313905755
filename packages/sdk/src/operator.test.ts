import { afterEach, describe, expect, test } from 'bun:test'
import { type AuditHead, type AuditView, auditStart, auditToJson, type KeyId } from '@shardy/api'
import { serveRoutes, type TestServer, testApiKey } from '@shardy/api/testing'
import { sha256 } from '@shardy/crypto/native'
import type { Digest, TimeMs } from '@shardy/protocol'
import { createOperator, type Operator } from './operator.ts'

let server: TestServer
afterEach(() => server.close())

function chainOf(length: number, word = 'task'): AuditView[] {
  const records: AuditView[] = []
  for (let sequence = 1; sequence <= length; sequence++) {
    const previous = (records.at(-1)?.hash ?? auditStart) as Digest
    const by = { actor: 'ab'.repeat(32) as KeyId, address: '203.0.113.9' }
    const what = { action: 'taskForgotten', subject: `${word} ${sequence}`, detail: '' } as const
    records.push(auditToJson({ sequence, previous, atMs: 1_000 as TimeMs, ...by, ...what }, sha256))
  }
  return records
}

const headOf = (records: readonly AuditView[]): AuditHead => {
  const { sequence, hash } = records.at(-1) ?? { sequence: 0, hash: auditStart }
  return { sequence, hash }
}

/** An orchestrator that gives these records, in pages of three whatever was asked for. */
function serveLog(records: readonly AuditView[], head: AuditHead = headOf(records)): Operator {
  server = serveRoutes({
    audit({ query: { cursor = '0' } }) {
      const behind = records.filter(({ sequence }) => sequence > Number(cursor))
      const shown = behind.slice(0, 3)
      const nextCursor = behind.length > 3 ? { nextCursor: String(shown.at(-1)?.sequence) } : {}
      return { status: 200, json: { records: shown, head, ...nextCursor } }
    },
  })
  return createOperator({ url: server.url, apiKey: testApiKey, sha256 })
}

describe('a log', () => {
  for (const length of [0, 1, 3, 10]) {
    test(`of ${length} that nobody touched holds to its head`, async () => {
      const records = chainOf(length)
      expect(await serveLog(records).verifyAudit()).toEqual({ ok: true, head: headOf(records) })
    })
  }

  test('that was changed in the middle is broken there', async () => {
    const records = chainOf(10)
    const forged = records.map((each) => (each.sequence === 5 ? { ...each, subject: 'task 55' } : each))
    expect(await serveLog(forged).verifyAudit()).toMatchObject({
      ok: false,
      broken: { kind: 'changed', sequence: 5 },
    })
  })

  test('in which a record is missing is broken there', async () => {
    const records = chainOf(10).filter(({ sequence }) => sequence !== 7)
    expect(await serveLog(records).verifyAudit()).toMatchObject({
      ok: false,
      broken: { kind: 'gap', sequence: 7 },
    })
  })

  test('that ends before it says is cut', async () => {
    const records = chainOf(10)
    const verdict = await serveLog(records.slice(0, 6), headOf(records)).verifyAudit()
    expect(verdict).toMatchObject({ ok: false, kind: 'cut', head: headOf(records.slice(0, 6)) })
  })

  test('that was cut or written anew is not the one that was noted', async () => {
    const noted = headOf(chainOf(8))
    expect(await serveLog(chainOf(10)).verifyAudit({ noted })).toMatchObject({ ok: true })
    server.close()
    expect(await serveLog(chainOf(7)).verifyAudit({ noted })).toMatchObject({
      ok: false,
      kind: 'notAsNoted',
      noted,
    })
    server.close()
    const anew = await serveLog(chainOf(10, 'other')).verifyAudit({ noted })
    expect(anew).toMatchObject({ ok: false, kind: 'notAsNoted', noted })
  })
})

test('lists are read to their end', async () => {
  const ids = ['11', '22', '33', '44'].map((byte) => byte.repeat(32))
  server = serveRoutes({
    listDenied({ query: { cursor = '' } }) {
      const behind = ids.filter((id) => id > cursor)
      const denied = behind.slice(0, 3).map((programId) => ({ programId, reason: 'x', deniedAtMs: 1 }))
      return { status: 200, json: { denied, ...(behind.length > 3 && { nextCursor: behind[2] }) } }
    },
  })
  const operator = createOperator({ url: server.url, apiKey: testApiKey, sha256 })
  expect((await operator.denied()).map(({ programId }) => programId)).toEqual(ids)
})
