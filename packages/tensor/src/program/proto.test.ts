/** The `.proto` file speaks for our bytes: another implementation of protobuf reads and writes the same. */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { encodeHex } from '@shardy/protocol'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { drawProgram } from '../../test/drawProgram.ts'
import { sha256 } from '../../test/sha256.ts'
import { dtypes } from '../tensor.ts'
import { encodeProgram, programMessages } from './encoding.ts'
import type { Program } from './program.ts'
import { protoFile } from './proto.ts'

const theirs = protobuf.parse(protoFile()).root.lookupType('shardy.tensor.v1.Program')

test('the committed file is the one that the definitions make', () => {
  const committed = path.join(import.meta.dir, '../../proto/program.proto')
  expect(readFileSync(committed, 'utf8')).toBe(protoFile())
})

test('every message is defined once, before those that hold it', () => {
  const names: string[] = programMessages.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const [index, { fields }] of programMessages.entries()) {
    for (const { codec } of fields) {
      if (!/^[a-z]/.test(codec.proto.type)) expect(names.slice(0, index)).toContain(codec.proto.type)
    }
  }
})

/** What is left of a value when its defaults are left out, as their reader sees it. */
function nodesOf({ nodes }: Program): unknown {
  return nodes.map(({ op, ...content }) => {
    const fields = Object.entries(content).map(([name, given]) => [name, wordless(op, name, given)])
    return { [op]: Object.fromEntries(fields.filter(([, given]) => given !== undefined)) }
  })
}

/** Words count from 1; zero, false and empty lists are no fields. */
function wordless(op: string, name: string, given: unknown): unknown {
  if (given === 0 || given === false || (Array.isArray(given) && given.length === 0)) return undefined
  if (typeof given !== 'string') return given
  const definition = programMessages.find((message) => message.name.toLowerCase() === op.toLowerCase())
  const note = definition?.fields.find((one) => one.name === name)?.codec.proto.note ?? ''
  return Number(note.match(`(\\d+) ${given}\\b`)?.[1])
}

test('protobufjs reads our bytes and writes the same', () => {
  fc.assert(
    fc.property(fc.gen(), (gen) => {
      const draw = (min: number, max: number) => gen(fc.integer, { min, max })
      const { program } = drawProgram(draw, { sha256, nodes: 8 })
      const bytes = encodeProgram(program)
      const read = theirs.decode(bytes)
      expect(encodeHex(theirs.encode(read).finish())).toBe(encodeHex(bytes))
      const plain = theirs.toObject(read, { longs: Number })
      expect(plain.nodes).toEqual(nodesOf(program))
      expect(plain.outputs).toEqual(program.outputs)
      for (const [index, { dtype, shape, min, max }] of program.inputs.entries()) {
        const wanted = { dtype: dtypes.indexOf(dtype) + 1, shape, min, max }
        expect({ min: 0, max: 0, ...plain.inputs[index] }).toEqual(wanted)
      }
    }),
    { numRuns: 150 },
  )
})
