import { describe, expect, test } from 'bun:test'
import { expectKind } from './conformance.ts'
import type { Engine } from './engine.ts'
import { openMemoryEngine } from './memory.ts'
import { encodeOperations } from './operations.ts'
import { agreeOnSchema } from './schema.ts'

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

  test('rows without a record are damage', async () => {
    const engine = openMemoryEngine()
    await write(engine, 1, 'a', '1')
    await expectKind(agreeOnSchema(engine, schema), 'corrupt')
  })

  for (const record of ['', 'null', '{', '{"version":"3","tables":[]}', '{"version":3,"tables":[1]}', '[]']) {
    test(`the record ${record || 'of no bytes'} is damage`, async () => {
      const engine = openMemoryEngine()
      await write(engine, 0, 'schema', record)
      await expectKind(agreeOnSchema(engine, schema), 'corrupt')
    })
  }
})
