import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { encodeOperations, readOperations } from './operations.ts'
import type { Operation } from './store.ts'

const someBytes = fc.uint8Array({ maxLength: 40 })
const table = fc.constantFrom('left', 'right')
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), table, key: someBytes, value: someBytes }),
  fc.record({ kind: fc.constant('delete' as const), table, key: someBytes }),
  fc.record({
    kind: fc.constant('deleteRange' as const),
    table,
    gte: fc.option(someBytes, { nil: undefined }),
    lt: fc.option(someBytes, { nil: undefined }),
  }),
)

test('what is encoded is read back in order, under the number of its table', () => {
  fc.assert(
    fc.property(fc.array(operation), (batch) => {
      const ids = new Map([
        ['left', 1],
        ['right', 2],
      ])
      const seen: { key: number[]; value?: number[]; lt?: number[] }[] = []
      readOperations(
        encodeOperations(batch, (name) => ids.get(name) ?? 0),
        {
          put: (key, value) => seen.push({ key: [...key], value: [...value] }),
          delete: (key) => seen.push({ key: [...key] }),
          deleteRange: (gte, lt) => seen.push({ key: [...gte], lt: [...lt] }),
        },
      )
      const expected = batch.map((each) => {
        const id = ids.get(each.table) ?? 0
        if (each.kind === 'deleteRange') {
          return { key: [id, ...(each.gte ?? [])], lt: each.lt === undefined ? [id + 1] : [id, ...each.lt] }
        }
        const key = [id, ...each.key]
        return each.kind === 'put' ? { key, value: [...each.value] } : { key }
      })
      expect(seen).toEqual(expected)
    }),
  )
})
