/**
 * What is written into the book (spec L6–L15): one union on `kind`, with one encoding each. On the wire an entry is the message
 * `BookEntry`, of whose fields exactly one is there.
 */
import {
  choice,
  type Decoded,
  deliveriesPerTaskMax,
  field,
  type Infer,
  list,
  message,
  optional,
  values,
} from '@shardy/protocol'
import { normalisedWork } from './work.ts'

export const issueEntry = message('BookIssue', {
  requesterId: field(1, values.requesterId),
  amount: field(2, values.microCredit),
})
export const escrowEntry = message('BookEscrow', {
  taskId: field(1, values.taskId),
  requesterId: field(2, values.requesterId),
  amount: field(3, values.microCredit),
})
export const payout = message('BookPayout', {
  deliveryId: field(1, values.deliveryId),
  workerId: field(2, values.workerId),
  amount: field(3, values.microCredit),
})
export type Payout = Infer<typeof payout>

export const verdictEntry = message('BookVerdict', {
  taskId: field(1, values.taskId),
  requesterId: field(2, values.requesterId),
  payouts: field(3, list(payout.codec, deliveriesPerTaskMax)),
  spent: field(4, normalisedWork),
})
/** Of a task that is dead or cancelled: a verdict that pays nobody. */
export const refundEntry = message('BookRefund', {
  taskId: field(1, values.taskId),
  requesterId: field(2, values.requesterId),
})
export const depositSources = ['issuance', 'requester', 'earnings'] as const
export const depositEntry = message(
  'BookDeposit',
  {
    workerId: field(1, values.workerId),
    source: field(2, choice(depositSources)),
    requesterId: field(3, optional(values.requesterId)),
    amount: field(4, values.microCredit),
  },
  ({ source, requesterId }) =>
    (source === 'requester') === (requesterId !== undefined)
      ? undefined
      : { field: 'requesterId', rule: 'a requester is named where it pays, and nowhere else' },
)
/** Asks stake back; it comes after the delay. */
export const unstakeEntry = message('BookUnstake', {
  workerId: field(1, values.workerId),
  amount: field(2, values.microCredit),
})
/** Free earnings go to a requester's account, to be spent there. */
export const withdrawEntry = message('BookWithdraw', {
  workerId: field(1, values.workerId),
  requesterId: field(2, values.requesterId),
  amount: field(3, values.microCredit),
})
/** Releases what is due; every other entry about the worker does so too. */
export const vestEntry = message('BookVest', { workerId: field(1, values.workerId) })
export const slashEntry = message('BookSlash', {
  workerId: field(1, values.workerId),
  deliveryId: field(2, values.deliveryId),
  /** Of the evidence's bytes, with which anyone can repeat why. */
  evidenceDigest: field(3, values.digest),
  amount: field(4, values.microCredit),
})

const bodies = {
  issue: issueEntry,
  escrow: escrowEntry,
  verdict: verdictEntry,
  refund: refundEntry,
  deposit: depositEntry,
  unstake: unstakeEntry,
  withdraw: withdrawEntry,
  vest: vestEntry,
  slash: slashEntry,
} as const
export type EntryKind = keyof typeof bodies
export type EntryOf<Kind extends EntryKind> = { readonly kind: Kind } & Infer<(typeof bodies)[Kind]>
export type BookEntry = { readonly [Kind in EntryKind]: EntryOf<Kind> }[EntryKind]

export const entryKinds = Object.keys(bodies) as readonly EntryKind[]

export const bookEntry = message(
  'BookEntry',
  {
    issue: field(1, optional(issueEntry.codec)),
    escrow: field(2, optional(escrowEntry.codec)),
    verdict: field(3, optional(verdictEntry.codec)),
    refund: field(4, optional(refundEntry.codec)),
    deposit: field(5, optional(depositEntry.codec)),
    unstake: field(6, optional(unstakeEntry.codec)),
    withdraw: field(7, optional(withdrawEntry.codec)),
    vest: field(8, optional(vestEntry.codec)),
    slash: field(9, optional(slashEntry.codec)),
  },
  (entry) => {
    const present = entryKinds.filter((kind) => entry[kind] !== undefined)
    return present.length === 1
      ? undefined
      : { field: present[1] ?? 'issue', rule: 'an entry is of exactly one kind' }
  },
)
type Wrapped = Infer<typeof bookEntry>

const blank = Object.fromEntries(entryKinds.map((kind) => [kind, undefined])) as unknown as Wrapped

const wrap = (entry: BookEntry): Wrapped => ({ ...blank, [entry.kind]: entry })

function unwrap(wrapped: Wrapped): BookEntry {
  for (const kind of entryKinds) {
    const body = wrapped[kind]
    if (body !== undefined) return { kind, ...body } as BookEntry
  }
  throw new Error('an entry of no kind passed the decoder')
}

export function encodeEntry(entry: BookEntry): Uint8Array {
  return bookEntry.encode(wrap(entry))
}

export function decodeEntry(bytes: Uint8Array): Decoded<BookEntry> {
  const decoded = bookEntry.decode(bytes)
  return decoded.ok ? { ok: true, value: unwrap(decoded.value) } : decoded
}

/** Entries in one row of an outbox. */
export const outboxEntriesMax = 65_536

export const bookEntries = message('BookEntries', {
  entries: field(1, list(bookEntry.codec, outboxEntriesMax)),
})

export function encodeEntries(entries: readonly BookEntry[]): Uint8Array {
  return bookEntries.encode({ entries: entries.map(wrap) })
}

export function decodeEntries(bytes: Uint8Array): Decoded<readonly BookEntry[]> {
  const decoded = bookEntries.decode(bytes)
  return decoded.ok ? { ok: true, value: decoded.value.entries.map(unwrap) } : decoded
}
