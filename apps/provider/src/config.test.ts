import { expect, test } from 'bun:test'
import { readConfig } from './config.ts'

test('nothing set', () => {
  expect(readConfig({})).toEqual({
    ok: true,
    value: {
      url: 'http://127.0.0.1:7700',
      data: '.shardy',
      executor: 'auto',
      slots: 2,
      region: '',
      operator: '',
      askMicroCredit: 0n as never,
      endWithParent: false,
    },
  })
})

test('everything set', () => {
  const environment = {
    SHARDY_URL: 'https://mesh.example',
    SHARDY_DATA: '/srv/shardy',
    SHARDY_EXECUTOR: 'webgpu',
    SHARDY_SLOTS: '64',
    SHARDY_REGION: 'eu-west',
    SHARDY_OPERATOR: 'somebody',
    SHARDY_ASK: '2500',
    SHARDY_PARENT: 'pipe',
  }
  expect(readConfig(environment)).toEqual({
    ok: true,
    value: {
      url: 'https://mesh.example',
      data: '/srv/shardy',
      executor: 'webgpu',
      slots: 64,
      region: 'eu-west',
      operator: 'somebody',
      askMicroCredit: 2_500n as never,
      endWithParent: true,
    },
  })
})

test('set to nothing is not set', () => {
  expect(readConfig({ SHARDY_URL: '', SHARDY_SLOTS: '' })).toEqual(readConfig({}))
})

test.each([
  [
    { SHARDY_URL: 'nowhere' },
    "SHARDY_URL is 'nowhere'; it must be the http or https address of an orchestrator",
  ],
  [
    { SHARDY_URL: 'ftp://a' },
    "SHARDY_URL is 'ftp://a'; it must be the http or https address of an orchestrator",
  ],
  [{ SHARDY_EXECUTOR: 'gpu' }, "SHARDY_EXECUTOR is 'gpu'; it must be one of auto, webgpu, cpu"],
  [{ SHARDY_SLOTS: '0' }, "SHARDY_SLOTS is '0'; it must be a whole number from 1 to 64"],
  [{ SHARDY_SLOTS: '65' }, "SHARDY_SLOTS is '65'; it must be a whole number from 1 to 64"],
  [{ SHARDY_SLOTS: '1e1' }, "SHARDY_SLOTS is '1e1'; it must be a whole number from 1 to 64"],
  [
    { SHARDY_REGION: 'a-region-too-long' },
    "SHARDY_REGION is 'a-region-too-long'; it must be at most 16 letters, digits or signs of ASCII",
  ],
  [
    { SHARDY_OPERATOR: 'Zoë' },
    "SHARDY_OPERATOR is 'Zoë'; it must be at most 64 letters, digits or signs of ASCII",
  ],
  [
    { SHARDY_ASK: '0.5' },
    "SHARDY_ASK is '0.5'; it must be a whole number of micro-credits for 10^9 operations, of 15 digits at most",
  ],
  [{ SHARDY_PARENT: 'yes' }, "SHARDY_PARENT is 'yes'; it must be pipe, or not set"],
])('refuses %o', (environment, message) => {
  expect(readConfig(environment)).toEqual({ ok: false, message })
})
