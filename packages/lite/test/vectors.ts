/** What `vectors/lite` holds, made from the definition. */
import { encodeHex } from '@shardy/protocol'
import { type AnyLiteProgram, encodeLite } from '../src/index.ts'
import { define } from './definition.ts'

export interface LiteCase {
  readonly name: string
  readonly kind: AnyLiteProgram['kind']
  readonly inputLength: number
  readonly rounds: number
  readonly lanes?: number
  readonly program: string
  readonly input: string
  readonly output: string
}

const foobar = new TextEncoder().encode('foobar')
const numbered = (length: number) => Uint8Array.from({ length }, (_, index) => (index * 167 + 13) & 0xff)
const zeros = (length: number) => new Uint8Array(length)

const programs: readonly (readonly [name: string, program: AnyLiteProgram, input: Uint8Array])[] = [
  ['plain FNV-1a of 32 bits', { kind: 'superLite', inputLength: 6, rounds: 1 }, foobar],
  ['two rounds', { kind: 'superLite', inputLength: 6, rounds: 2 }, foobar],
  ['the shortest input', { kind: 'superLite', inputLength: 4, rounds: 300 }, zeros(4)],
  ['a round number beyond 16 bits', { kind: 'superLite', inputLength: 5, rounds: 70_000 }, numbered(5)],
  ['an input with a tail of one', { kind: 'superLite', inputLength: 257, rounds: 9 }, numbered(257)],
  [
    'plain FNV-1a of 64 bits',
    { kind: 'lite', inputLength: 12, rounds: 1, lanes: 1 },
    new Uint8Array([...foobar, ...foobar]),
  ],
  ['one lane, two rounds', { kind: 'lite', inputLength: 13, rounds: 2, lanes: 1 }, numbered(13)],
  ['slices of two lengths', { kind: 'lite', inputLength: 29, rounds: 5, lanes: 3 }, numbered(29)],
  ['equal slices, lanes that differ', { kind: 'lite', inputLength: 32, rounds: 3, lanes: 4 }, zeros(32)],
  ['many lanes', { kind: 'lite', inputLength: 2_400, rounds: 2, lanes: 300 }, numbered(2_400)],
  ['many rounds', { kind: 'lite', inputLength: 8, rounds: 66_000, lanes: 1 }, numbered(8)],
]

interface RefusedCase {
  readonly name: string
  readonly kind: AnyLiteProgram['kind']
  readonly program: string
  readonly refusal: string
  readonly field: string
}

const refused: readonly RefusedCase[] = [
  { name: 'no bytes', kind: 'superLite', program: '', refusal: 'missing', field: 'SuperLiteProgram.version' },
  {
    name: 'version 2',
    kind: 'superLite',
    program: '080210041801',
    refusal: 'outOfRange',
    field: 'SuperLiteProgram.version',
  },
  {
    name: 'no rounds',
    kind: 'superLite',
    program: '08011004',
    refusal: 'missing',
    field: 'SuperLiteProgram.rounds',
  },
  {
    name: 'zero rounds',
    kind: 'superLite',
    program: '080110041800',
    refusal: 'outOfRange',
    field: 'SuperLiteProgram.rounds',
  },
  {
    name: 'three input bytes',
    kind: 'superLite',
    program: '080110031801',
    refusal: 'outOfRange',
    field: 'SuperLiteProgram.inputLength',
  },
  {
    name: 'a lite program',
    kind: 'superLite',
    program: '0801100818012001',
    refusal: 'unknownField',
    field: 'SuperLiteProgram',
  },
  {
    name: 'a super-lite program',
    kind: 'lite',
    program: '080110081801',
    refusal: 'missing',
    field: 'LiteProgram.lanes',
  },
  {
    name: 'fewer than eight bytes for a lane',
    kind: 'lite',
    program: '0801100f18012002',
    refusal: 'inconsistent',
    field: 'LiteProgram.lanes',
  },
  {
    name: 'one byte step too many',
    kind: 'superLite',
    program: '0801100518b4e6cc9903',
    refusal: 'inconsistent',
    field: 'SuperLiteProgram.rounds',
  },
  {
    name: 'a longer spelling of a number',
    kind: 'superLite',
    program: '08011004188100',
    refusal: 'nonCanonical',
    field: 'SuperLiteProgram',
  },
  {
    name: 'cut short',
    kind: 'superLite',
    program: '0801100418',
    refusal: 'truncated',
    field: 'SuperLiteProgram.rounds',
  },
]

export function makeVectors() {
  const cases = programs.map(([name, program, input]): LiteCase => {
    const { kind, ...counts } = program
    return {
      name,
      kind,
      ...counts,
      program: encodeHex(encodeLite(program)),
      input: encodeHex(input),
      output: encodeHex(define(program, input)),
    }
  })
  return { 'programs.json': { cases }, 'refused.json': { cases: refused } }
}
