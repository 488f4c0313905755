/**
 * What operators have put dispatch into (spec D35), as it is kept: whoever paused it and restarts must not find it running. The
 * row goes to the disk with the order's record in the audit log, before dispatch hears of it.
 */
import type { DispatchMode } from '@shardy/dispatch'
import { choice, field, message } from '@shardy/protocol'
import type { Store } from '@shardy/storage'
import type { Table } from '../tables.ts'
import { decodeRecord, type TableOperation } from './archive.ts'

const modeKey = new TextEncoder().encode('dispatchMode')
const modes = ['running', 'paused', 'draining'] as const satisfies readonly DispatchMode[]
const dispatchModeRecord = message('DispatchModeRecord', { mode: field(1, choice(modes)) })

/** It runs where nobody ever said otherwise. */
export async function readDispatchMode(store: Store<Table>): Promise<DispatchMode> {
  const kept = await store.get('counters', modeKey)
  return kept === undefined ? 'running' : decodeRecord(dispatchModeRecord, kept).mode
}

export function dispatchModeOperation(mode: DispatchMode): TableOperation {
  return { kind: 'put', table: 'counters', key: modeKey, value: dispatchModeRecord.encode({ mode }) }
}
