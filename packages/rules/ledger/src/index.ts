export { type Account, type AccountKey, accountKey, decodeAccount } from './account.ts'
export { type Book, createBook, OutboxGap, type RefusedEntry } from './book.ts'
export * from './cost.ts'
export {
  type BookEntry,
  decodeEntries,
  decodeEntry,
  type EntryKind,
  type EntryOf,
  encodeEntries,
  encodeEntry,
  entryKinds,
  outboxEntriesMax,
  type Payout,
} from './entry.ts'
export { type BookParameters, bookParameters, defaultParameters } from './parameters.ts'
export { accountsOf } from './reach.ts'
export { type BookRefusal, describeBookRefusal } from './refusal.ts'
export { type Restored, type RestoreProblem, restoreBook } from './restoration.ts'
export type { Row } from './row.ts'
export { balanceMax, feeOf, Unbalanced } from './sheet.ts'
export { type NormalisedWork, normalisedWork } from './work.ts'
