/**
 * The golden vectors of the book: every kind of entry in bytes, one history with its refusals and the rows that are left,
 * and what work costs. All of it follows from the names in `scene.ts`.
 */
import { encodeHex } from '@shardy/protocol'
import {
  accountKey,
  type BookEntry,
  type BookParameters,
  bookParameters,
  type CostModel,
  costModel,
  costModelId,
  createBook,
  decodeEntry,
  defaultCostModel,
  defaultParameters,
  encodeEntries,
  encodeEntry,
  quote,
  type Work,
} from '../src/index.ts'
import {
  ann,
  at,
  bob,
  deposit,
  escrow,
  issue,
  parameters,
  payout,
  refund,
  rita,
  rolf,
  sha256,
  slash,
  t,
  taskIdOf,
  unstake,
  verdict,
  vest,
  withdraw,
} from './scene.ts'

/** Amounts are decimal text, since JSON numbers are not exact. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return encodeHex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([name, inner]) => [name, plain(inner)]),
  )
}

const u = taskIdOf('u')
const v = taskIdOf('v')

const entries: readonly BookEntry[] = [
  issue(1),
  issue(2n ** 63n - 1n),
  escrow(0),
  escrow(1_000_000),
  verdict([]),
  verdict([payout('1', 0), payout('2', 500, bob)]),
  refund(),
  deposit(5),
  { ...deposit(5), source: 'requester', requesterId: rita },
  { ...deposit(5), source: 'earnings' },
  unstake(127),
  withdraw(128),
  vest(),
  slash('1', 16_384),
]

/** Each turn is a row of the outbox; together they show every rule and every refusal. */
const history: readonly { readonly atMs: number; readonly entries: readonly BookEntry[] }[] = [
  { atMs: 1_000, entries: [issue(10_000), issue(500, rolf), issue(0), issue(2n ** 63n - 1n)] },
  { atMs: 1_010, entries: [escrow(3_000), escrow(1), escrow(600, u, rolf), escrow(1_000, v), escrow(0, u)] },
  { atMs: 1_020, entries: [verdict([payout('1', 1_000), payout('2', 501, bob)]), verdict([])] },
  {
    atMs: 1_030,
    entries: [escrow(100), verdict([payout('1', 1)]), verdict([payout('3', 1), payout('3', 1)])],
  },
  { atMs: 1_090, entries: [verdict([payout('4', 96)]), verdict([payout('4', 95, bob)]), refund(v, rolf)] },
  {
    atMs: 1_100,
    entries: [deposit(300), { ...deposit(50), source: 'earnings' }, unstake(200), unstake(151)],
  },
  { atMs: 1_110, entries: [{ ...deposit(70, bob), source: 'requester', requesterId: rolf }, withdraw(451)] },
  { atMs: 1_150, entries: [slash('1', 620), slash('1', 5), refund(taskIdOf('none')), vest()] },
  { atMs: 1_000, entries: [refund(v), withdraw(20), slash('9', 1, 'e'.repeat(64) as typeof ann)] },
  { atMs: 2_100, entries: [vest(bob), unstake(30, bob), withdraw(600), escrow(9, v)] },
  { atMs: 3_400, entries: [escrow(20), verdict([payout('1', 10)]), withdraw(1, bob)] },
]

const works: readonly Work[] = [
  {
    complexity: 32_768,
    inputLength: 2048,
    outputLength: 4096,
    constantBytes: 0,
    replicas: 1,
    verify: 'checked',
    proof: 'none',
  },
  {
    complexity: 1,
    inputLength: 0,
    outputLength: 1,
    constantBytes: 1,
    replicas: 3,
    verify: 'quorum',
    proof: 'v2',
  },
  {
    complexity: 68_719_476_736,
    inputLength: 33_554_432,
    outputLength: 67_108_864,
    constantBytes: 1_073_741_824,
    replicas: 2,
    verify: 'audited',
    proof: 'v3',
  },
  {
    complexity: 1_000_001,
    inputLength: 11,
    outputLength: 11,
    constantBytes: 101,
    replicas: 0,
    verify: 'adaptive',
    proof: 'none',
  },
]

/** Rates that leave a rest in every division. */
const oddModel: CostModel = {
  ...defaultCostModel,
  version: 2,
  note: 'odd rates, for tests',
  unitsPerMillionOperations: 333,
  unitsPerMillionInputBytes: 7,
  unitsPerMillionOutputBytes: 1_234_567,
  unitsPerMillionConstantBytes: 0,
  unitsPerDelivery: 0,
  quorumPermille: 1,
  microCreditPerMillionUnits: 37,
}

const turned = (bytes: Uint8Array, change: (bytes: number[]) => void) => {
  const copy = [...bytes]
  change(copy)
  return new Uint8Array(copy)
}

const refused: readonly { readonly name: string; readonly bytes: Uint8Array }[] = [
  { name: 'no entry', bytes: new Uint8Array(0) },
  { name: 'two entries in one', bytes: new Uint8Array([...encodeEntry(issue(1)), ...encodeEntry(vest())]) },
  { name: 'an unknown kind', bytes: new Uint8Array([0x52, 0]) },
  { name: 'cut short', bytes: encodeEntry(vest()).slice(0, -1) },
  { name: 'a byte too many', bytes: new Uint8Array([...encodeEntry(vest()), 0]) },
  {
    name: 'an amount of nothing, spelled out',
    bytes: turned(encodeEntry(vest()), (bytes) => {
      bytes[0] = 0x32
      bytes[1] = 0x24
      bytes.push(0x10, 0)
    }),
  },
  {
    name: 'an amount past 2^63 - 1',
    bytes: turned(encodeEntry(issue(2n ** 63n - 1n)), (bytes) => {
      bytes[1] = (bytes[1] ?? 0) + 1
      bytes[bytes.length - 1] = 0xff
      bytes.push(1)
    }),
  },
  {
    name: 'a requester pays and is not named',
    bytes: turned(encodeEntry(deposit(5)), (bytes) => {
      bytes[37] = 2
    }),
  },
  {
    name: 'a source that does not exist',
    bytes: turned(encodeEntry(deposit(5)), (bytes) => {
      bytes[37] = 4
    }),
  },
]

function madeHistory(ownParameters: BookParameters) {
  const book = createBook(ownParameters)
  const turns = history.map(({ atMs, entries: own }, index) => ({
    sequence: index + 1,
    atMs,
    entries: own,
    bytes: encodeEntries(own),
    refused: book.apply(index + 1, at(atMs), own),
    locked: { ann: book.locked(ann, at(atMs)), bob: book.locked(bob, at(atMs)) },
  }))
  return { parameters: ownParameters, turns, rows: book.rows() }
}

export function makeVectors(): Readonly<Record<string, unknown>> {
  const file = (content: object) => plain(content)
  return {
    'entries.json': file({
      cases: entries.map((entry) => ({ entry, bytes: encodeEntry(entry) })),
    }),
    'refused.json': file({
      cases: refused.map(({ name, bytes }) => {
        const decoded = decodeEntry(bytes)
        if (decoded.ok) throw new Error(`${name} is accepted`)
        return { name, bytes, kind: decoded.refusal.kind, field: decoded.refusal.field }
      }),
    }),
    'accounts.json': file({
      keys: [
        { kind: 'escrow', taskId: t },
        { kind: 'fees' },
        { kind: 'issuance' },
        { kind: 'requester', requesterId: rita },
        { kind: 'slashed' },
        { kind: 'stake', workerId: ann },
        { kind: 'vesting', workerId: ann },
        { kind: 'worker', workerId: ann },
      ].map((account) => ({ account, key: accountKey(account as Parameters<typeof accountKey>[0]) })),
      refused: ['', 'Fees', 'fees/', 'fees\n', `worker/${t}`, `escrow/${ann}`, `worker/${ann.toUpperCase()}`],
    }),
    'book.json': file(madeHistory(parameters)),
    'parameters.json': file({
      cases: [parameters, defaultParameters].map((own) => ({
        parameters: own,
        bytes: bookParameters.encode(own),
      })),
    }),
    'cost.json': file({
      models: [defaultCostModel, oddModel].map((model) => ({
        model,
        bytes: costModel.encode(model),
        id: costModelId(model, sha256),
        feePermille: 50,
        cases: works.map((work) => {
          const quoted = quote(work, model, 50)
          if (!quoted.ok) throw new Error(quoted.refusal.kind)
          return { work, cost: quoted.cost }
        }),
      })),
    }),
  }
}
