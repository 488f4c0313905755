/** Commands about API keys. They take a key that may manage keys. */
import { type KeyView, type Role, roles, type Scope, scopes } from '@shardy/sdk'
import type { Command, Options } from '../command.ts'
import { Failure } from '../failure.ts'
import { printable, table } from '../wording.ts'

/** Words with commas between, each from the list. */
function wordsOf<Word extends string>(
  options: Options,
  name: string,
  known: readonly Word[],
): Word[] | undefined {
  return options
    .text(name)
    ?.split(',')
    .map((given) => {
      const word = known.find((each) => each === given)
      if (word !== undefined) return word
      throw new Failure('usage', `--${name} has '${given}'; it must be of ${known.join(', ')}`)
    })
}

const unitsMs: Readonly<Record<string, number>> = { min: 60_000, h: 3_600_000, d: 86_400_000 }

function expiryOf(options: Options, nowMs: number): number | undefined {
  const text = options.text('expires')
  if (text === undefined) return undefined
  const [, count, unit = ''] = /^([1-9]\d{0,4})(min|h|d)$/.exec(text) ?? []
  const unitMs = unitsMs[unit]
  if (unitMs !== undefined) return nowMs + Number(count) * unitMs
  throw new Failure('usage', `--expires is '${text}'; it must be such as 90min, 12h or 30d`)
}

function idOf(word: string, what: string): string {
  if (/^[0-9a-f]{64}$/.test(word)) return word
  throw new Failure('usage', `'${word}' is no ${what}; one has 64 characters 0-9 and a-f`, {
    next: '`npx shardy key list` shows them.',
  })
}

const dateOf = (ms: number | undefined): string =>
  ms === undefined ? '-' : new Date(ms).toISOString().slice(0, 16)

function describeKey(key: KeyView): string {
  return [
    `  id         ${key.keyId}`,
    `  name       ${printable(key.name)}`,
    `  roles      ${key.roles.join(', ')}`,
    `  may        ${key.scopes.join(', ')}`,
    `  requester  ${key.requesterId}`,
    `  expires    ${key.expiresAtMs === undefined ? 'never' : dateOf(key.expiresAtMs)}`,
  ].join('\n')
}

export const keyCreate: Command = {
  name: 'key create',
  summary: 'make an API key and print it, once',
  operands: ['NAME'],
  options: {
    role: { value: 'ROLES', what: `${roles.join(', ')}, with commas between; requester unless given` },
    scope: { value: 'SCOPES', what: 'only these of what the roles may, with commas between' },
    requester: { value: 'REQUESTER_ID', what: 'another key of that requester, who keeps its tasks' },
    expires: { value: 'TIME', what: 'when it ends by itself: 90min, 12h, 30d; never unless given' },
  },
  more: `\nScopes: ${scopes.join(', ')}.`,
  async run({ operands: [name = ''], options, operator, world }) {
    if (!/^[\x20-\x7e]{1,64}$/.test(name)) {
      throw new Failure('usage', `NAME is '${name}'; it must be 1 to 64 printable ASCII characters`)
    }
    const narrower: Scope[] | undefined = wordsOf(options, 'scope', scopes)
    const held: Role[] = wordsOf(options, 'role', roles) ?? ['requester']
    const requester = options.text('requester')
    const requesterId = requester === undefined ? undefined : idOf(requester, 'requester id')
    const expiresAtMs = expiryOf(options, world.nowMs())
    const made = await operator.createKey({
      name,
      roles: held,
      ...(narrower !== undefined && { scopes: narrower }),
      ...(requesterId !== undefined && { requesterId }),
      ...(expiresAtMs !== undefined && { expiresAtMs }),
    })
    const { key, ...view } = made
    const text = `${printable(key)}\n\nThat is the key. It is shown this once and kept nowhere.\n${describeKey(view)}`
    return { json: made, text }
  },
}

export const keyList: Command = {
  name: 'key list',
  summary: 'show the API keys, without themselves',
  operands: [],
  options: {},
  async run({ operator }) {
    const keys = await operator.keys()
    const rows = keys.map((key) => [
      key.keyId,
      key.state,
      printable(key.name),
      key.roles.join(','),
      dateOf(key.createdAtMs),
      dateOf(key.expiresAtMs),
    ])
    const text = table([['KEY_ID', 'STATE', 'NAME', 'ROLES', 'CREATED', 'EXPIRES'], ...rows])
    return { json: { keys }, text }
  },
}

export const keyRevoke: Command = {
  name: 'key revoke',
  summary: 'revoke an API key at once and for good; its tasks stay',
  operands: ['KEY_ID'],
  options: {},
  async run({ operands: [word = ''], operator }) {
    const key = await operator.revokeKey(idOf(word, 'key id'))
    return { json: key, text: `Key ${key.keyId} (${printable(key.name)}) is revoked.` }
  },
}
