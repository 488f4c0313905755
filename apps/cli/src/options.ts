/** From the words of a command line to a command with its operands and options, or a failure that names the word. */
import { parseArgs } from 'node:util'
import type { Command, Option, Options } from './command.ts'
import { Failure } from './failure.ts'

/** What every command takes. */
export const commonOptions: Readonly<Record<string, Option>> = {
  json: { what: 'print one JSON value instead of words' },
  url: { value: 'URL', what: 'the orchestrator (SHARDY_URL, else http://127.0.0.1:7700)' },
  key: {
    value: 'KEY',
    what: 'the API key (SHARDY_API_KEY, else the file api-key in SHARDY_DATA or .shardy)',
  },
  help: { what: 'say how a command is used' },
}

export type Parsed =
  | { readonly kind: 'help'; readonly command: Command | undefined }
  | {
      readonly kind: 'call'
      readonly command: Command
      readonly operands: readonly string[]
      readonly options: Options
    }

/** `--json` even when the rest cannot be understood, so that the complaint has the right form. */
export const wantsJson = (words: readonly string[]): boolean => words.includes('--json')

export function parseCommandLine(words: readonly string[], commands: readonly Command[]): Parsed {
  const { tokens, command } = readTokens(words, commands)
  const positionals = positionalsOf(tokens)
  const given = new Map<string, string | true>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const { name, rawName, value } = token
    const isSpelled = rawName.startsWith('--') || rawName === '-h'
    const option = !isSpelled
      ? undefined
      : Object.hasOwn(commonOptions, name)
        ? commonOptions[name]
        : command && Object.hasOwn(command.options, name)
          ? command.options[name]
          : undefined
    if (option === undefined) throw unknownOption(rawName, command)
    if (given.has(name)) throw usage(`${rawName} is given twice`, command)
    if (option.value === undefined && value !== undefined) throw usage(`${rawName} takes no value`, command)
    // `--to --json` has forgotten a word; a value that does begin with a dash is written `--to=-x`.
    const isForgotten = !token.inlineValue && value?.startsWith('-') === true
    if (option.value !== undefined && (value === undefined || value === '' || isForgotten)) {
      throw usage(`${rawName} needs a value: ${rawName} ${option.value}`, command)
    }
    given.set(name, value ?? true)
  }
  if (given.has('help') || positionals[0] === 'help') {
    const asked = positionals[0] === 'help' ? positionals.slice(1) : positionals
    return { kind: 'help', command: commandOf(asked, commands) }
  }
  if (command === undefined) throw unknownCommand(positionals, commands)
  const operands = positionals.slice(command.name.split(' ').length)
  const missing = command.operands[operands.length]
  if (missing !== undefined && operands.length < command.operands.length) {
    throw usage(`${missing.replace('…', '')} is missing`, command)
  }
  const isOpen = command.operands.at(-1)?.endsWith('…') === true
  const surplus = isOpen ? undefined : operands[command.operands.length]
  if (surplus !== undefined) throw usage(`'${surplus}' is one word too many`, command)
  return { kind: 'call', command, operands, options: readingOf(given, command) }
}

type Known = Readonly<Record<string, Option>>

function tokensOf(words: readonly string[], known: Known) {
  const types = Object.entries(known).map(([name, { value }]) => [
    name,
    { type: value === undefined ? 'boolean' : 'string' },
  ])
  return parseArgs({
    args: [...words],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: { ...Object.fromEntries(types), help: { type: 'boolean', short: 'h' } },
  }).tokens
}

type Tokens = ReturnType<typeof tokensOf>

const positionalsOf = (tokens: Tokens): string[] =>
  tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []))

/** One command's switch may be another's option with a value, so the command is found first and then read by its own. */
function readTokens(words: readonly string[], commands: readonly Command[]) {
  const entries = [...commands.map(({ options }) => options), commonOptions].flatMap((each) =>
    Object.entries(each),
  )
  const switches = entries.filter(([, { value }]) => value === undefined)
  const valued = entries.filter(([, { value }]) => value !== undefined)
  const all: Known = Object.fromEntries([...switches, ...valued])
  for (const known of [{ ...all, ...Object.fromEntries(switches) }, all]) {
    const command = commandOf(positionalsOf(tokensOf(words, known)), commands)
    if (command === undefined) continue
    return { command, tokens: tokensOf(words, { ...all, ...command.options, ...commonOptions }) }
  }
  return { command: undefined, tokens: tokensOf(words, all) }
}

/** The longest name wins: `receipt check` is not `receipt` of a task called `check`. */
function commandOf(positionals: readonly string[], commands: readonly Command[]): Command | undefined {
  return commands
    .filter(({ name }) => name.split(' ').every((word, index) => word === positionals[index]))
    .sort((left, right) => right.name.length - left.name.length)[0]
}

function usage(message: string, command: Command | undefined): Failure {
  const about = command === undefined ? 'npx shardy --help' : `npx shardy ${command.name} --help`
  return new Failure('usage', message, { next: `\`${about}\` says how it is used.` })
}

function unknownOption(rawName: string, command: Command | undefined): Failure {
  if (command === undefined) return usage(`${rawName} is no option`, command)
  const names = Object.keys({ ...command.options, ...commonOptions }).map((name) => `--${name}`)
  return usage(`${rawName} is no option of \`shardy ${command.name}\`; it takes ${names.join(' ')}`, command)
}

function unknownCommand(positionals: readonly string[], commands: readonly Command[]): Failure {
  const [first] = positionals
  const begun = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name)
  if (first === undefined) return usage('no command is given', undefined)
  if (begun.length > 0)
    return usage(`'${positionals.join(' ')}' is no command; did you mean ${begun.join(', ')}?`, undefined)
  return usage(`'${first}' is no command`, undefined)
}

function readingOf(given: ReadonlyMap<string, string | true>, command: Command): Options {
  const text = (name: string): string | undefined => {
    const value = given.get(name)
    return value === true ? undefined : value
  }
  const decimal = (name: string, min: bigint, max: bigint): bigint | undefined => {
    const value = text(name)
    if (value === undefined) return undefined
    if (/^(0|[1-9][0-9]{0,19})$/.test(value) && BigInt(value) >= min && BigInt(value) <= max)
      return BigInt(value)
    throw usage(`--${name} is '${value}'; it must be a whole number from ${min} to ${max}`, command)
  }
  return {
    has: (name) => given.has(name),
    text,
    decimal: (name, max) => decimal(name, 0n, max),
    whole(name, min, max) {
      const value = decimal(name, BigInt(min), BigInt(max))
      return value === undefined ? undefined : Number(value)
    },
  }
}
