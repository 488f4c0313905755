import { describe, expect, test } from 'bun:test'
import { ann, rita, t } from '../test/scene.ts'
import { type Account, accountKey, decodeAccount } from './account.ts'

const accounts: readonly Account[] = [
  { kind: 'escrow', taskId: t },
  { kind: 'fees' },
  { kind: 'issuance' },
  { kind: 'requester', requesterId: rita },
  { kind: 'slashed' },
  { kind: 'stake', workerId: ann },
  { kind: 'vesting', workerId: ann },
  { kind: 'worker', workerId: ann },
]

describe('account keys', () => {
  test('name every kind, and come back', () => {
    for (const account of accounts) expect(decodeAccount(accountKey(account))).toEqual(account)
  })

  test('sort by kind', () => {
    const keys: readonly string[] = accounts.map(accountKey)
    expect(keys.toSorted()).toEqual([...keys])
  })

  const refused = [
    '',
    'fees/',
    'Fees',
    'fees\n',
    'worker',
    'worker/',
    `worker/${t}`,
    `escrow/${ann}`,
    `worker/${ann}\n`,
    `worker/${ann}0`,
    ` worker/${ann}`,
    `worker/${ann.toUpperCase()}`,
    `Worker/${ann}`,
    `issuance/${ann}`,
    `worker//${ann}`,
    `escrow/${t.slice(1)}g`,
    `requester/${rita}/x`,
  ]
  for (const text of refused) {
    test(`${JSON.stringify(text)} is none`, () => expect(decodeAccount(text)).toBeUndefined())
  }
})
