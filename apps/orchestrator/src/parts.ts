/** The parts that a simulation drives without sockets: what decides, what is kept, what is paid and what is checked. */

export type { BlobKeeper } from './blobs/keeper.ts'
export { type Bookkeeper, type BookkeeperParts, openBookkeeper, type Posting } from './book/bookkeeper.ts'
export { type Checker, createChecker } from './checks/checker.ts'
export { openLocalThread } from './checks/openThread.ts'
export { createPool, type OpenThread } from './checks/pool.ts'
export type { Clock } from './clock.ts'
export { createIncoming } from './gateway/incoming.ts'
export { describe } from './gateway/outgoing.ts'
export type { Log } from './log.ts'
export { noProofs } from './proofs/proofs.ts'
export { payloadKey, schemaVersion, type Table, tables } from './tables.ts'
export { type Archive, createArchive } from './tasks/archive.ts'
export { createCommit } from './tasks/commit.ts'
export { openCounters } from './tasks/counters.ts'
export {
  type Begun,
  type Changes,
  createDispatcher,
  type Dispatcher,
  type DispatcherParts,
  type Happening,
} from './tasks/dispatcher.ts'
export { offenceRecord } from './tasks/offences.ts'
export { createPayloads, type Payloads } from './tasks/payloads.ts'
export { newTask, type Request, taskIdOf } from './tasks/submission.ts'
export { defaultEventLogPolicy, openEventLog } from './telemetry/eventLog.ts'
export { createTurns } from './turns.ts'
