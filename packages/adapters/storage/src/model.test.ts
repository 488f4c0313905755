/** Each store against the simplest thing that could be right: a map, copied for every snapshot. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { bytes, openings, read, type Table, text } from './conformance.ts'
import type { StoreKind } from './openStore.ts'
import type { Operation, Reader, Snapshot } from './store.ts'

type Model = ReadonlyMap<string, string>

const table = fc.constantFrom<Table>('left', 'right')
/** Few and awkward bytes, so that keys collide, share prefixes and sit at the edges. */
const key = fc
  .array(fc.constantFrom('\x00', '\x01', 'a', '\xfe', '\xff'), { minLength: 1, maxLength: 3 })
  .map(join)
const bound = fc.option(key, { nil: undefined })
const operation = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), table, key, value: fc.string({ maxLength: 4 }) }),
  fc.record({ kind: fc.constant('delete' as const), table, key }),
  fc.record({ kind: fc.constant('deleteRange' as const), table, gte: bound, lt: bound }),
)
const command = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('write' as const),
      batch: fc.array(operation, { maxLength: 8 }),
      sync: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('snapshot' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constant('read' as const),
      table,
      key,
      gte: bound,
      lt: bound,
      reverse: fc.boolean(),
      limit: fc.option(fc.nat(5), { nil: undefined }),
      /** Which of the snapshots taken so far, or, past them, the store. */
      reader: fc.nat(4),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('reopen' as const) }) },
)
type Command = typeof command extends fc.Arbitrary<infer Value> ? Value : never
type Read = Extract<Command, { act: 'read' }>

for (const [kind, columns, numRuns] of [
  ['memory', ['right'], 200],
  ['sqlite', ['right'], 40],
  ['rocksdb', [], 20],
  ['rocksdb', ['right'], 30],
  ['rocksdb', ['left', 'right'], 20],
] as const) {
  describe(`${kind} store against a model, apart: [${columns}]`, () => {
    const { open, freshPath } = openings(kind, columns)
    test('the same after any commands', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) =>
          follow(kind, commands, open, await freshPath()),
        ),
        { numRuns },
      )
    })
  })
}

async function follow(
  kind: StoreKind,
  commands: readonly Command[],
  open: ReturnType<typeof openings>['open'],
  path: string,
) {
  let store = await open(path)
  let model: Model = new Map()
  let snapshots: { snapshot: Snapshot<Table>; model: Model }[] = []
  for (const command of commands) {
    if (command.act === 'write') {
      await store.write(command.batch.map(toOperation), { sync: command.sync })
      model = apply(model, command.batch)
    } else if (command.act === 'snapshot') {
      snapshots.push({ snapshot: await store.snapshot(), model })
    } else if (command.act === 'read') {
      const held = snapshots[command.reader]
      await compare(held?.snapshot ?? store, held?.model ?? model, command)
    } else if (kind !== 'memory') {
      await store.close()
      snapshots = []
      store = await open(path)
    }
  }
  await store.close()
}

async function compare(reader: Reader<Table>, model: Model, command: Read): Promise<void> {
  const { table, key, gte, lt, reverse, limit } = command
  const found = await reader.get(table, bytes(key))
  expect(found && text(found)).toBe(model.get(`${table}/${key}`))
  const rows = await read(reader, table, {
    gte: gte === undefined ? undefined : bytes(gte),
    lt: lt === undefined ? undefined : bytes(lt),
    reverse,
    limit,
  })
  const prefix = `${table}/`
  // One character is one byte, so the order of strings is the order of bytes.
  const expected = [...model]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => ({ key: name.slice(prefix.length), value }))
    .filter((row) => (gte === undefined || row.key >= gte) && (lt === undefined || row.key < lt))
    .sort((left, right) => (left.key < right.key ? -1 : 1))
  if (reverse) expected.reverse()
  expect(rows).toEqual(expected.slice(0, limit).map((row) => `${row.key}=${row.value}`))
}

function apply(model: Model, batch: Extract<Command, { act: 'write' }>['batch']): Model {
  const next = new Map(model)
  for (const operation of batch) {
    if (operation.kind === 'deleteRange') {
      const { table, gte, lt } = operation
      for (const name of [...next.keys()]) {
        const key = name.slice(table.length + 1)
        if (!name.startsWith(`${table}/`) || (gte !== undefined && key < gte)) continue
        if (lt === undefined || key < lt) next.delete(name)
      }
      continue
    }
    const name = `${operation.table}/${operation.key}`
    if (operation.kind === 'put') next.set(name, operation.value)
    else next.delete(name)
  }
  return next
}

function toOperation(operation: Extract<Command, { act: 'write' }>['batch'][number]): Operation<Table> {
  const { table } = operation
  if (operation.kind === 'deleteRange') {
    const gte = operation.gte === undefined ? undefined : bytes(operation.gte)
    return {
      kind: 'deleteRange',
      table,
      gte,
      lt: operation.lt === undefined ? undefined : bytes(operation.lt),
    }
  }
  const key = bytes(operation.key)
  if (operation.kind === 'delete') return { kind: 'delete', table, key }
  return { kind: 'put', table, key, value: bytes(operation.value) }
}

function join(parts: readonly string[]): string {
  return parts.join('')
}
