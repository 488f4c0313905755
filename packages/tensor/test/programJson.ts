/** A program as a person would write it in JSON, which `parseProgram` reads. */
import { encodeHex } from '@shardy/protocol'
import type { Program } from '../src/program/program.ts'

export function toJson({ inputs, constants, nodes, outputs }: Program): unknown {
  const plain = constants.map(({ type, data, digest }) =>
    data === undefined ? { type, digest } : { type, data: encodeHex(data) },
  )
  return JSON.parse(JSON.stringify({ inputs, constants: plain, nodes, outputs }))
}
