/**
 * Schema 5 to 6: a delivery may have the proof that came with its answer. Those of before have none, and read as they are; the
 * number keeps a program that knows no proofs from opening a store that has them.
 */
import type { Migration } from '@shardy/storage'

export const from5to6: Migration = { from: 5, to: 6, async migrate() {} }
