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
    SHARDY_PARENT: 'pipe',
  }
  expect(readConfig(environment)).toEqual({
    ok: true,
    value: {
      url: 'https://mesh.example',
      data: '/srv/shardy',
      executor: 'webgpu',
      slots: 64,
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
  [{ SHARDY_PARENT: 'yes' }, "SHARDY_PARENT is 'yes'; it must be pipe, or not set"],
])('refuses %o', (environment, message) => {
  expect(readConfig(environment)).toEqual({ ok: false, message })
})
