/** Bytes that are no program, each with the refusal that every implementation gives. */
import { type Digest, encodeHex } from '@shardy/protocol'
import type { Node } from '../src/operations/index.ts'
import { decodeProgram, writeProgram } from '../src/program/encoding.ts'
import { type Program, tensorType } from '../src/program/program.ts'

export interface RefusedCase {
  readonly name: string
  readonly program: string
  readonly kind: string
  readonly field: string
}

const relu: Program = {
  inputs: [tensorType('i8', [4])],
  constants: [],
  nodes: [{ op: 'relu', x: 0 }],
  outputs: [1],
}
const digest = 'ab'.repeat(32) as Digest
const huge = 2 ** 31 - 1
const written = (part: Partial<Program>) => encodeHex(writeProgram({ ...relu, ...part }))
const reluHex = written({})

function doubling(count: number): Partial<Program> {
  return {
    nodes: Array.from({ length: count }, (_, index): Node => ({ op: 'add', x: index, y: index })),
    outputs: [count],
  }
}

const step = { strideH: 1, strideW: 1, padTop: 0, padLeft: 0, padBottom: 0, padRight: 0 }

const hostile: readonly { readonly name: string; readonly program: string }[] = [
  { name: 'no bytes', program: '' },
  { name: 'another version', program: reluHex.replace(/^0801/, '0802') },
  { name: 'an operation that does not exist', program: '08012203da01002801' },
  { name: 'a node without an operation', program: '080122002801' },
  { name: 'a node with two operations', program: '080122044a0052002801' },
  { name: 'a default spelled out', program: reluHex.replace('22024a00', '22044a020800') },
  { name: 'fields out of order', program: `2801${reluHex.slice(0, -4)}` },
  { name: 'bytes cut short', program: reluHex.slice(0, -2) },
  { name: 'something after the end', program: `${reluHex}00` },
  { name: 'a node that takes itself', program: written({ nodes: [{ op: 'relu', x: 1 }] }) },
  { name: 'no output', program: written({ outputs: [] }) },
  { name: 'an input as output', program: written({ outputs: [0] }) },
  { name: 'an output twice', program: written({ outputs: [1, 1] }) },
  { name: 'rank 0', program: written({ inputs: [tensorType('i8', [])] }) },
  {
    name: 'an input of 2^186 entries',
    program: written({ inputs: [tensorType('i8', Array(6).fill(huge))] }),
  },
  { name: 'an empty range', program: written({ inputs: [tensorType('i8', [4], { min: 1, max: 0 })] }) },
  {
    name: 'a range beyond its kind',
    program: written({ inputs: [tensorType('u8', [4], { min: -1, max: 0 })] }),
  },
  {
    name: 'a constant of 2 GB',
    program: written({ constants: [{ type: tensorType('i8', [huge]), digest }], outputs: [2] }),
  },
  {
    name: 'a constant cut short',
    program: written({ constants: [{ type: tensorType('i8', [2]), data: Uint8Array.of(1) }], outputs: [2] }),
  },
  {
    name: 'a constant with data and a digest',
    program: written({
      constants: [{ type: tensorType('i8', [1]), digest, data: Uint8Array.of(1) } as never],
      outputs: [2],
    }),
  },
  {
    name: 'a constant out of its range',
    program: written({
      constants: [{ type: tensorType('i8', [1], { min: 0, max: 0 }), data: Uint8Array.of(1) }],
      outputs: [2],
    }),
  },
  { name: 'sums that overflow', program: written(doubling(25)) },
  {
    name: 'rows one too long for the check',
    program: written({
      inputs: [tensorType('i8', [1, 65_794]), tensorType('i8', [65_794, 1])],
      nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: false }],
      outputs: [2],
    }),
  },
  {
    name: 'rows of u8 one too long for the check',
    program: written({
      inputs: [tensorType('u8', [1, 33_026]), tensorType('i8', [33_026, 1])],
      nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: false }],
      outputs: [2],
    }),
  },
  {
    name: 'indices that could leave the table',
    program: written({
      inputs: [tensorType('i8', [4, 2]), tensorType('u8', [1], { min: 0, max: 4 })],
      nodes: [{ op: 'gather', table: 0, indices: 1 }],
      outputs: [2],
    }),
  },
  {
    name: 'groups that do not divide the channels',
    program: written({
      inputs: [tensorType('i8', [1, 1, 1, 3]), tensorType('i8', [2, 1, 1, 1])],
      nodes: [{ op: 'conv2d', x: 0, w: 1, ...step, dilationH: 1, dilationW: 1, groups: 2, padValue: 0 }],
      outputs: [2],
    }),
  },
  {
    name: 'padding as large as the window',
    program: written({
      inputs: [tensorType('i8', [1, 4, 4, 1])],
      nodes: [{ op: 'maxPool', x: 0, windowH: 2, windowW: 2, ...step, padTop: 2 }],
    }),
  },
]

export function refusedPrograms(): readonly RefusedCase[] {
  return hostile.map(({ name, program }) => {
    const decoded = decodeProgram(Uint8Array.fromHex(program))
    if (decoded.ok) throw new Error(`${name} is a program`)
    return { name, program, kind: decoded.refusal.kind, field: decoded.refusal.field }
  })
}
