import { beforeEach, describe, expect, test } from 'bun:test'
import { type AuditView, auditRecord, auditStart, auditToJson, followChain, type KeyId } from '@shardy/api'
import { sha256 } from '@shardy/crypto/native'
import fc from 'fast-check'
import { createFailingStore, type FailingStore } from '../../test/failingStore.ts'
import { createManualClock } from '../../test/manualClock.ts'
import { openMemoryStore } from '../../test/network.ts'
import { numberKey } from '../tables.ts'
import { type Audit, openAudit } from './audit.ts'

let store: FailingStore
let audit: Audit
const clock = createManualClock()
const by = { keyId: 'ab'.repeat(32) as KeyId, address: '203.0.113.9' }
const start = { sequence: 0, hash: auditStart }

beforeEach(async () => {
  store = createFailingStore(await openMemoryStore())
  audit = await openAudit(store, clock, sha256)
})

const append = (subject: string) => audit.append({ action: 'taskForgotten', subject, by })
const views = async (): Promise<AuditView[]> =>
  (await audit.page(0, 1_000)).map((record) => auditToJson(record, sha256))

describe('the log', () => {
  test('holds what was done, by whom, from where, in order, and goes on after a restart', async () => {
    await append('one')
    audit = await openAudit(store, clock, sha256)
    await audit.append({ action: 'policyChanged', detail: 'all', by: {} })
    const [one, two] = await views()
    expect(one).toMatchObject({ sequence: 1, previous: auditStart, actor: by.keyId, address: by.address })
    expect(two).toMatchObject({
      sequence: 2,
      previous: one?.hash as string,
      action: 'policyChanged',
      detail: 'all',
    })
    expect(two).not.toHaveProperty('actor')
    expect(followChain(start, await views(), sha256)).toEqual({ ok: true, head: audit.head() })
  })

  test('has each record on disk before its action is answered, and many in one write', async () => {
    let writes = 0
    store.onWrite = async () => void writes++
    await Promise.all(Array.from({ length: 100 }, (_, index) => append(String(index))))
    expect(writes).toBe(2)
    expect((await views()).map(({ subject }) => subject)).toEqual(
      Array.from({ length: 100 }, (_, each) => `${each}`),
    )
  })

  test('takes no action that it cannot hold, and goes on without a gap', async () => {
    await append('before')
    store.fail('diskFull', 'audit')
    const own = { kind: 'put', table: 'policy', key: numberKey(7), value: new Uint8Array(1) } as const
    expect(audit.append({ action: 'policyChanged', by }, [own])).rejects.toThrow()
    expect(append('lost')).rejects.toThrow()
    await append('lost too').catch(() => {})
    store.mend()
    expect(await store.get('policy', numberKey(7))).toBeUndefined()
    await append('after')
    expect((await views()).map(({ subject }) => subject)).toEqual(['before', 'after'])
    expect(followChain(start, await views(), sha256).ok).toBe(true)
  })

  test('holds any text as what can be shown', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 3_000 }), async (text) => {
        await audit.append({ action: 'taskPurged', subject: text, detail: text, by: { address: text } })
        const [record] = await audit.page(audit.head().sequence - 1, 1)
        expect(record?.detail).toMatch(/^[\x20-\x7e]{0,1024}$/)
        expect(record?.subject).toMatch(/^[\x20-\x7e]{0,128}$/)
      }),
      { numRuns: 50 },
    )
  })
})

describe('the chain', () => {
  async function chain(): Promise<AuditView[]> {
    await Promise.all(['a', 'b', 'c', 'd'].map(append))
    return views()
  }
  const check = (records: readonly AuditView[]) => followChain(start, records, sha256)

  test('breaks at whatever is changed, field by field', async () => {
    const records = await chain()
    const changes: Partial<AuditView>[] = [
      { atMs: 1 },
      { actor: 'cd'.repeat(32) },
      { action: 'keyRevoked' },
      { subject: 'x' },
      { detail: 'x' },
      { address: '10.0.0.1' },
      { hash: 'cd'.repeat(32) },
    ]
    for (const change of changes) {
      const changed = records.map((record, index) => (index === 1 ? { ...record, ...change } : record))
      expect(check(changed)).toMatchObject({ ok: false, broken: { kind: 'changed', sequence: 2 } })
    }
    const { actor: _, ...nobody } = records[1] as AuditView
    expect(check(records.with(1, nobody))).toMatchObject({ ok: false, broken: { sequence: 2 } })
  })

  test('breaks where a record is taken out, put in, swapped, or hashed anew', async () => {
    const [one, two, three, four] = (await chain()) as [AuditView, AuditView, AuditView, AuditView]
    expect(check([one, three, four])).toMatchObject({ broken: { kind: 'gap', sequence: 2 } })
    expect(check([one, two, two, three])).toMatchObject({ broken: { kind: 'gap', sequence: 3 } })
    expect(check([two, one])).toMatchObject({ broken: { kind: 'gap' } })
    const { hash: _, ...record } = { ...two, subject: 'forged' }
    const decoded = { ...record, actor: by.keyId } as never
    const forged = auditToJson(decoded, sha256)
    expect(check([one, forged, three])).toMatchObject({ broken: { kind: 'brokenLink', sequence: 3 } })
  })

  test('tells what was noted elsewhere from a log that was cut or written anew', async () => {
    const records = await chain()
    const noted = audit.head()
    expect(check(records)).toEqual({ ok: true, head: noted })
    const cut = check(records.slice(0, 2))
    expect(cut.ok && cut.head).not.toEqual(noted)
  })

  test('in the store is the same chain: a byte changed on disk shows', async () => {
    await chain()
    const stored = await store.get('audit', numberKey(2))
    const decoded = auditRecord.decode(stored ?? new Uint8Array(0))
    if (!decoded.ok) throw new Error('not a record')
    const value = auditRecord.encode({ ...decoded.value, subject: 'tampered' })
    await store.write([{ kind: 'put', table: 'audit', key: numberKey(2), value }], { sync: true })
    expect(check(await views())).toMatchObject({ ok: false, broken: { sequence: 3, kind: 'brokenLink' } })
  })
})
