import { sha256 } from '@shardy/crypto/native'
import {
  describeProgram,
  describeType,
  inferProgram,
  operandsOf,
  programId,
  type Value,
} from '@shardy/tensor'
import type { Command } from '../command.ts'
import { readProgram } from '../programs.ts'
import { printable, table } from '../wording.ts'

function typeText(value: Value): string {
  return describeType(value)
}

function rangeText({ min, max }: Value): string {
  return `${min} to ${max}`
}

export const programShow: Command = {
  name: 'program show',
  summary: 'say what a program means: every value, its shape and its range',
  operands: ['PROGRAM'],
  options: {},
  more: 'Asks nobody. A program that could overflow, or that no check could be sound for, is refused with its node.',
  async run({ operands }) {
    const [name = ''] = operands
    const program = await readProgram(name)
    const { values, work } = inferProgram(program)
    const id = programId(program, sha256)
    const { inputs, constants, nodes, outputs } = program
    const rows = values.map((value, index) => {
      const node = nodes[index - inputs.length - constants.length]
      const constant = constants[index - inputs.length]
      const what =
        index < inputs.length
          ? 'input'
          : node === undefined
            ? `constant${constant?.digest === undefined ? '' : `, blob ${constant.digest.slice(0, 12)}…`}`
            : `${node.op} ${operandsOf(node).join(', ')}`
      return [String(index), what, typeText(value), rangeText(value), outputs.includes(index) ? 'output' : '']
    })
    const shown = table([['VALUE', 'FROM', 'TYPE', 'RANGE', ''], ...rows])
    const json = {
      programId: id,
      summary: describeProgram(program),
      work,
      values: values.map(({ dtype, shape, min, max }) => ({ dtype, shape, min, max })),
      outputs,
    }
    const head = `Program ${id}\n  ${describeProgram(program)}\n  ${work} multiply-adds or steps\n`
    return { json, text: `${head}${shown.split('\n').map(printable).join('\n')}` }
  },
}
