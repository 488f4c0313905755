/** Help, written from the table of commands. */
import type { Command, Option } from './command.ts'
import { exits } from './exit.ts'
import { commonOptions } from './options.ts'
import { table } from './wording.ts'

const spelled = ([name, { value, what }]: readonly [string, Option]): readonly string[] => [
  `  --${name}${value === undefined ? '' : ` ${value}`}`,
  what,
]

const callOf = ({ name, operands }: Command): string => [name, ...operands].join(' ')

export function helpOf(command: Command): string {
  const options = Object.entries(command.options).map(spelled)
  const common = Object.entries(commonOptions).map(spelled)
  const usage = `npx shardy ${callOf(command)}${options.length > 0 ? ' [options]' : ''}`
  return [
    `${usage}\n\n${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}.`,
    ...(command.more === undefined ? [] : [command.more]),
    ...(command.example === undefined ? [] : ['', 'Example:', `  npx shardy ${command.example}`]),
    ...(options.length === 0 ? [] : ['', 'Options:', table(options)]),
    '',
    'For every command:',
    table(common),
  ].join('\n')
}

export function helpOfAll(commands: readonly Command[]): string {
  return [
    'shardy: submit work to the network, and check what came back',
    '',
    'Commands (npx shardy COMMAND --help says more):',
    table(commands.map((command) => [`  ${callOf(command)}`, command.summary])),
    '',
    'For every command:',
    table(Object.entries(commonOptions).map(spelled)),
    '',
    'Begin with:',
    '  npm start                                     in another terminal',
    '  npx shardy submit matmul --size 64 --wait',
    '',
    'Exit codes:',
    table(Object.values(exits).map(({ code, meaning }) => [`  ${String(code).padStart(3)}`, meaning])),
  ].join('\n')
}
