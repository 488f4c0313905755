/** What can be typed, and how each slip is named. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { commands } from './commands.ts'
import { Failure } from './failure.ts'
import { type Parsed, parseCommandLine } from './options.ts'

const parse = (line: string): Parsed => parseCommandLine(line.split(' ').filter(Boolean), commands)

function complaintOf(line: string): string {
  try {
    parse(line)
  } catch (error) {
    if (error instanceof Failure) return `${error.exit}: ${error.message}`
    throw error
  }
  return 'nothing'
}

describe('understood', () => {
  const lines: readonly (readonly [string, string, readonly string[]])[] = [
    ['submit matmul --size 64 --wait', 'submit matmul', []],
    ['submit --json matmul --size=64', 'submit matmul', []],
    ['--url http://x list', 'list', []],
    ['wait abc', 'wait', ['abc']],
    ['wait abc def', 'wait', ['abc', 'def']],
    ['dead-letters', 'dead-letters', []],
    ['dead-letters purge a b c', 'dead-letters purge', ['a', 'b', 'c']],
    ['submit matmul --verify checked --size 3', 'submit matmul', []],
    ['submit --verify checked matmul', 'submit matmul', []],
    ['audit --verify', 'audit', []],
    ['audit --verify --noted x', 'audit', []],
    ['submit matmul --size 3 --no-wait', 'submit matmul', []],
    ['receipt abc --to file', 'receipt', ['abc']],
    ['receipt check file --recompute', 'receipt check', ['file']],
    ['output abc --to=-odd-name', 'output', ['abc']],
  ]
  for (const [line, name, operands] of lines) {
    test(line, () => {
      const parsed = parse(line)
      expect(parsed.kind === 'call' && [parsed.command.name, parsed.operands]).toEqual([name, operands])
    })
  }

  const helps: readonly (readonly [string, string | undefined])[] = [
    ['--help', undefined],
    ['-h', undefined],
    ['help', undefined],
    ['help receipt check', 'receipt check'],
    ['receipt --help', 'receipt'],
    ['receipt check -h', 'receipt check'],
    ['submit matmul --size 3 --help', 'submit matmul'],
  ]
  for (const [line, name] of helps) {
    test(`${line} asks for help`, () => {
      const parsed = parse(line)
      expect(parsed.kind === 'help' && [parsed.command?.name]).toEqual([name])
    })
  }
})

describe('refused by name', () => {
  const lines: readonly (readonly [string, RegExp])[] = [
    ['', /^usage: no command is given$/],
    ['frobnicate', /'frobnicate' is no command/],
    [
      'submit',
      /'submit' is no command; did you mean submit matmul, submit program, submit shader, submit lite\?/,
    ],
    ['submit vector', /did you mean submit matmul/],
    ['list --frob 3', /--frob is no option of `shardy list`; it takes --status --limit/],
    ['list --size 3', /--size is no option of `shardy list`/],
    ['list -x', /-x is no option/],
    ['submit matmul -m 3', /-m is no option of `shardy submit matmul`/],
    ['--frob', /--frob is no option/],
    ['list --__proto__ 3', /--__proto__ is no option/],
    ['list --constructor', /--constructor is no option/],
    ['list --toString=3', /--toString is no option/],
    ['wait', /TASK_ID is missing/],
    ['receipt check', /FILE is missing/],
    ['get a b', /'b' is one word too many/],
    ['cancel', /TASK_ID is missing/],
    ['dead-letters requeue', /TASK_ID is missing/],
    ['list --limit', /--limit needs a value: --limit N/],
    ['list --limit=', /--limit needs a value/],
    ['list --status --json', /--status needs a value/],
    ['list --json=yes', /--json takes no value/],
    ['list --limit 1 --limit 2', /--limit is given twice/],
  ]
  for (const [line, message] of lines) {
    test(`'${line}'`, () => expect(complaintOf(line)).toMatch(message))
  }
})

describe('numbers', () => {
  const wholeOf = (text: string) => {
    const parsed = parse(`list --limit=${text}`)
    return parsed.kind === 'call' ? parsed.options.whole('limit', 1, 200) : undefined
  }
  test('are read within their bounds', () => {
    expect([wholeOf('1'), wholeOf('200')]).toEqual([1, 200])
  })
  for (const text of ['0', '201', '-1', '1.5', '1e2', '0x10', '01', '१', '99999999999999999999999', 'NaN']) {
    test(`${text} is refused with the bounds`, () => {
      expect(() => wholeOf(text)).toThrow(`--limit is '${text}'; it must be a whole number from 1 to 200`)
    })
  }
})

test('any words give a command, help, or a failure with an exit of its own', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'submit',
      'matmul',
      'list',
      'wait',
      'receipt',
      'check',
      '--size',
      '--to',
      '--json',
      '--',
      '-',
      '--=',
    ),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (words) => {
      try {
        expect(['call', 'help']).toContain(parseCommandLine(words, commands).kind)
      } catch (error) {
        expect(error).toBeInstanceOf(Failure)
        expect((error as Failure).exit).toBe('usage')
      }
    }),
    { numRuns: 500 },
  )
})
