/** The `.proto` file speaks for our bytes: another implementation of protobuf reads and writes the same. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { cases } from '../test/arbitraries.ts'
import { keptSignature, readKept, readKeys } from '../test/vectorFiles.ts'
import { makeVectors } from '../test/vectors.ts'
import * as protocol from './index.ts'
import { encodeFieldElement } from './proof/field.ts'
import { definitions, protoFile } from './proto.ts'
import { encodeHex } from './schema/hex.ts'
import type { Message } from './schema/message.ts'

const root = protobuf.parse(protoFile()).root
const kept = readKept()
const { golden } = await makeVectors(await readKeys(), async (key, payload) => {
  const signature = await keptSignature(kept, key, payload)
  if (signature === undefined) throw new Error(`no signature is kept for ${key.name}`)
  return signature
})

test('the committed file is the one that the definitions make', () => {
  const committed = path.join(import.meta.dir, '../proto/shardy.proto')
  expect(readFileSync(committed, 'utf8')).toBe(protoFile())
})

test('names every message of the package, once, and nothing that it does not define', () => {
  const names = definitions.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  const exported = Object.values<unknown>(protocol).filter(isMessage)
  expect(exported.filter(({ name }) => !names.includes(name))).toEqual([])
  expect(cases.map(({ message }) => message.name).toSorted()).toEqual(names.toSorted())
  for (const [index, { fields }] of definitions.entries()) {
    for (const { codec } of fields) {
      const isBasic = /^[a-z]/.test(codec.proto.type)
      if (!isBasic) expect(names.slice(0, index)).toContain(codec.proto.type)
    }
  }
})

function isMessage(value: unknown): value is Message<unknown> {
  return typeof value === 'object' && value !== null && 'decodeAt' in value
}

type Codec = Message<unknown>['fields'][number]['codec']

/** Our value as protobufjs has it: defaults left out, ids as bytes, words as numbers, 64-bit numbers as text. */
function toTheirs(
  definition: { fields: Message<unknown>['fields'] },
  value: unknown,
): Record<string, unknown> {
  const record = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    definition.fields
      .filter(({ name, codec }) => !codec.isDefault(record[name]))
      .map(({ name, codec }) => {
        const content = record[name]
        return [
          name,
          Array.isArray(content) ? content.map((one) => theirs(codec, one)) : theirs(codec, content),
        ]
      }),
  )
}

function theirs(codec: Codec, content: unknown): unknown {
  const { type, note } = codec.proto
  const nested = definitions.find(({ name }) => name === type)
  if (nested !== undefined) return toTheirs(nested, content)
  if (type === 'bytes') {
    if (typeof content === 'bigint') return Buffer.from(encodeFieldElement(content))
    return typeof content === 'string' ? Buffer.from(content, 'hex') : Buffer.from(content as Uint8Array)
  }
  if (type === 'uint64' || type === 'fixed64') return String(content)
  if (type === 'uint32' && typeof content === 'string') return Number(note.match(`(\\d+) ${content}\\b`)?.[1])
  return content
}

function agree(message: Message<unknown>, value: unknown): void {
  const type = root.lookupType(`shardy.v1.${message.name}`)
  const bytes = message.encode(value)
  const wanted = toTheirs(message, value)
  const read = type.toObject(type.decode(bytes), { longs: String, bytes: Buffer })
  expect(read).toEqual(wanted)
  expect(encodeHex(type.encode(type.fromObject(wanted)).finish())).toBe(encodeHex(bytes))
}

describe('protobufjs reads our bytes and writes the same', () => {
  for (const { message, values } of cases) {
    test(message.name, () => {
      const mine = golden.filter((one) => one.message === message)
      expect(mine.length).toBeGreaterThan(0)
      for (const { value } of mine) agree(message, value)
      fc.assert(
        fc.property(values, (value) => agree(message, value)),
        { numRuns: 40 },
      )
    })
  }
})
