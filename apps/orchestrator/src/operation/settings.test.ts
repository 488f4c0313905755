import { expect, test } from 'bun:test'
import { readOperationSettings } from './settings.ts'

test('what is not said has its default', () => {
  const settings = { lowBytes: 268_435_456, reserveBytes: 16_777_216, retentionMs: undefined, standby: 'off' }
  expect(readOperationSettings({})).toEqual({ ok: true, settings } as never)
})

test('sizes and times have units', () => {
  const env = {
    SHARDY_LOW_SPACE: '2GiB',
    SHARDY_RESERVE: '0',
    SHARDY_RETENTION: '36h',
    SHARDY_STANDBY: 'log',
  }
  const settings = { lowBytes: 2 ** 31, reserveBytes: 0, retentionMs: 129_600_000, standby: 'log' }
  expect(readOperationSettings(env)).toEqual({ ok: true, settings } as never)
})

test.each([
  ['SHARDY_LOW_SPACE', '-1'],
  ['SHARDY_LOW_SPACE', '1GB'],
  ['SHARDY_LOW_SPACE', '01'],
  ['SHARDY_LOW_SPACE', '999999999999999GiB'],
  ['SHARDY_RESERVE', 'constructor'],
  ['SHARDY_RESERVE', '1.5MiB'],
  ['SHARDY_RETENTION', '30'],
  ['SHARDY_RETENTION', '0d'],
  ['SHARDY_RETENTION', '3651d'],
  ['SHARDY_RETENTION', '1constructor'],
  ['SHARDY_STANDBY', 'yes'],
])('%s as %s is refused by name', (name, value) => {
  expect(readOperationSettings({ [name]: value })).toMatchObject({ ok: false, name, value })
})
