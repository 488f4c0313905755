/**
 * The audit log: every action that takes more than a requester's rights, and every task that was made to be
 * forgotten. A record is on disk before the action is answered; where the action is a write to our own store, both are
 * one batch. Records that wait together share one sync. Nothing is ever taken out.
 */
import {
  type AuditAction,
  type AuditHead,
  type AuditRecord,
  auditDetailMax,
  auditHash,
  auditRecord,
  auditStart,
  auditSubjectMax,
  type KeyId,
} from '@shardy/api'
import type { Digest, Sha256 } from '@shardy/protocol'
import type { Operation, Store } from '@shardy/storage'
import type { Clock } from '../clock.ts'
import { numberKey, type Table } from '../tables.ts'
import { decodeRecord } from '../tasks/archive.ts'

/** Who acts: a key from an address, or the orchestrator itself. */
export interface Actor {
  readonly keyId?: KeyId | undefined
  readonly address?: string | undefined
}

export interface AuditEntry {
  readonly action: AuditAction
  readonly subject?: string
  readonly detail?: string
  readonly by: Actor
}

export interface Audit {
  /** Resolves when the record and the writes that go with it are on disk; rejects with none of them there. */
  append(entry: AuditEntry, writes?: readonly Operation<Table>[]): Promise<void>
  head(): AuditHead
  /** Oldest first, behind the record of that number. */
  page(after: number, limit: number): Promise<readonly AuditRecord[]>
}

interface Waiting {
  readonly entry: AuditEntry
  readonly writes: readonly Operation<Table>[]
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

/** In one sync. */
const entriesAtOnceMax = 1_000

const plain = (text: string, most: number): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, most)

export async function openAudit(store: Store<Table>, clock: Clock, sha256: Sha256): Promise<Audit> {
  let head: AuditHead = { sequence: 0, hash: auditStart }
  for await (const { value } of store.iterate('audit', { reverse: true, limit: 1 })) {
    const last = decodeRecord(auditRecord, value)
    head = { sequence: last.sequence, hash: auditHash(last, sha256) }
  }

  const waiting: Waiting[] = []
  let writing = false

  function recordOf({ action, subject = '', detail = '', by }: AuditEntry, before: AuditHead): AuditRecord {
    return {
      sequence: before.sequence + 1,
      previous: before.hash as Digest,
      atMs: clock.nowMs(),
      actor: by.keyId,
      action,
      subject: plain(subject, auditSubjectMax),
      detail: plain(detail, auditDetailMax),
      address: plain(by.address ?? '', 64),
    }
  }

  async function writeSome(some: readonly Waiting[]): Promise<void> {
    let next = head
    const writes: Operation<Table>[] = []
    for (const { entry, writes: own } of some) {
      const record = recordOf(entry, next)
      next = { sequence: record.sequence, hash: auditHash(record, sha256) }
      const value = auditRecord.encode(record)
      writes.push(...own, { kind: 'put', table: 'audit', key: numberKey(record.sequence), value })
    }
    await store.write(writes, { sync: true })
    head = next
  }

  async function writeAll(): Promise<void> {
    writing = true
    while (waiting.length > 0) {
      const some = waiting.splice(0, entriesAtOnceMax)
      try {
        await writeSome(some)
        for (const { done } of some) done()
      } catch (error) {
        for (const { failed } of some) failed(error)
      }
    }
    writing = false
  }

  return {
    append: (entry, writes = []) =>
      new Promise((done, failed) => {
        waiting.push({ entry, writes, done, failed })
        if (!writing) void writeAll()
      }),
    head: () => head,
    async page(after, limit) {
      const records: AuditRecord[] = []
      for await (const { value } of store.iterate('audit', { gte: numberKey(after + 1), limit })) {
        records.push(decodeRecord(auditRecord, value))
      }
      return records
    },
  }
}
