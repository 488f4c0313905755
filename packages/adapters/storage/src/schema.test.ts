import { describe, expect, test } from 'bun:test'
import { expectKind } from './conformance.ts'
import type { Engine } from './engine.ts'
import { openMemoryEngine } from './memory.ts'
import { encodeOperations } from './operations.ts'
import { agreeOnSchema, schemaKey } from './schema.ts'

const schema = { version: 3, tables: ['tasks', 'events'] }

async function write(engine: Engine, tableId: number, key: string, value: string): Promise<void> {
  const encoder = new TextEncoder()
  const operation = {
    kind: 'put',
    table: 'any',
    key: encoder.encode(key),
    value: encoder.encode(value),
  } as const
  await engine.commit([encodeOperations([operation], () => tableId)], true)
}

describe('schema record', () => {
  test('numbers are given once and stay, whatever the order of the list', async () => {
    const engine = openMemoryEngine()
    expect([...(await agreeOnSchema(engine, schema))]).toEqual([
      ['tasks', 1],
      ['events', 2],
    ])
    const more = await agreeOnSchema(engine, { version: 3, tables: ['blobs', 'events', 'tasks'] })
    expect([...more]).toEqual([
      ['tasks', 1],
      ['events', 2],
      ['blobs', 3],
    ])
  })

  test('those apart are numbered by themselves, above all others', async () => {
    const engine = openMemoryEngine()
    const apart = { ...schema, columns: ['events'] }
    const numbers: [string, number][] = [
      ['tasks', 1],
      ['events', 251],
    ]
    expect([...(await agreeOnSchema(engine, apart))]).toEqual(numbers)
    // It stays there, whatever is asked for later.
    expect([...(await agreeOnSchema(engine, schema))]).toEqual(numbers)
    const more = await agreeOnSchema(engine, { version: 3, tables: ['tasks', 'events', 'a'], columns: ['a'] })
    expect(more.get('a')).toBe(252)
    const third = { version: 3, tables: ['tasks', 'events', 'a', 'b'], columns: ['b'] }
    await expectKind(agreeOnSchema(engine, third), 'schemaMismatch')
  })

  test('a record without columns is as it was before there were any', async () => {
    const engine = openMemoryEngine()
    await agreeOnSchema(engine, schema)
    const [record] = await engine.getMany([schemaKey])
    expect(new TextDecoder().decode(record)).toBe('{"version":3,"tables":["tasks","events"]}')
  })

  for (const number of [1, 251]) {
    test(`rows of table ${number} without a record are damage`, async () => {
      const engine = openMemoryEngine()
      await write(engine, number, 'a', '1')
      await expectKind(agreeOnSchema(engine, schema), 'corrupt')
    })
  }

  for (const record of [
    '',
    'null',
    '{',
    '{"version":"3","tables":[]}',
    '{"version":3,"tables":[1]}',
    '[]',
    '{"version":3,"tables":["a"],"columns":"b"}',
  ]) {
    test(`the record ${record || 'of no bytes'} is damage`, async () => {
      const engine = openMemoryEngine()
      await write(engine, 0, 'schema', record)
      await expectKind(agreeOnSchema(engine, schema), 'corrupt')
    })
  }
})
