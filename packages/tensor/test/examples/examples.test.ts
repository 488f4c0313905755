import { describe, expect, test } from 'bun:test'
import { encodeHex } from '@shardy/protocol'
import { decodeProgram, encodeProgram, programId } from '../../src/program/encoding.ts'
import { evaluate } from '../../src/program/evaluate.ts'
import { constantDigests } from '../../src/program/size.ts'
import { sha256 } from '../sha256.ts'
import { createExample, type ExampleName, exampleNames } from './index.ts'

/** The first bytes of each program's id and of its output's digest: whatever moves them changes what programs mean. */
const golden: Readonly<Record<ExampleName, { readonly id: string; readonly output: string }>> = {
  mlp: { id: '743d652e60061431', output: 'cd0091f13aebadf2' },
  cnn: { id: '51d714fc47e634d5', output: '4c34a2edf124dec0' },
  transformer: { id: 'b759879543cda58b', output: 'fdf26e47a637368c' },
  preprocessing: { id: 'e8fcf1f49dd8019b', output: '05bd056cbe017109' },
  longProduct: { id: '008c224570844956', output: '20d9fe87dc5438f8' },
}

describe('examples', () => {
  for (const name of exampleNames) {
    test(`${name} is a program with all that it needs, and means what it did`, () => {
      const { program, input, blobs } = createExample(name, sha256)
      expect(decodeProgram(encodeProgram(program))).toEqual({ ok: true, value: program })
      expect(new Set(constantDigests(program))).toEqual(new Set(blobs.keys()))
      const output = encodeHex(sha256(evaluate(program, input, blobs))).slice(0, 16)
      expect({ id: programId(program, sha256).slice(0, 16), output }).toEqual(golden[name])
    })
  }
})
