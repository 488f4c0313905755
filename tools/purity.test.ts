// What floors 0 and 1 may not use, and the innocent lines that only look like it.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the tested sources are templates.

import { describe, expect, test } from 'bun:test'
import { impurities } from './purity.mjs'
import { tokenize } from './tokens.mjs'

const findings = (source: string) =>
  impurities(tokenize(source)).map(({ line, message }) => `${line} ${message}`)

describe('refused', () => {
  const refused: ReadonlyArray<readonly [string, string]> = [
    ['const now = Date.now()', '`Date` is a clock'],
    ['const now = new Date', '`Date` is a clock'],
    ['const f = (time = Date) => time', '`Date` is a clock'],
    ['const a = isOld ? Date : other', '`Date` is a clock'],
    ['const a = isOld\n  ? Date\n  : other', '`Date` is a clock'],
    ['switch (a) {\n  case\n    Date: break\n}', '`Date` is a clock'],
    ['const a = `at ${Date.now()} ms`', '`Date` is a clock'],
    ['const at = performance.now()', '`performance` is a clock'],
    ['Temporal.Now.instant()', '`Temporal` is a clock'],
    ['const x = Math.random()', '`Math.random` is randomness'],
    ['const x = Math?.random()', '`Math.random` is randomness'],
    ["const x = Math['random']()", '`Math` may only be used as'],
    ['const { random } = Math', '`Math` may only be used as'],
    ['setTimeout(f, 1)', '`setTimeout` is a timer'],
    ['setInterval(f, 1)', '`setInterval` is a timer'],
    ['setImmediate(f)', '`setImmediate` is a timer'],
    ['queueMicrotask(f)', '`queueMicrotask` is a timer'],
    ['fetch(url)', '`fetch` is I/O'],
    ['console.log(1)', '`console` is I/O'],
    ['async function f() {}', '`async` is asynchronous'],
    ['await f()', '`await` is asynchronous'],
    ['type A = Promise<number>', '`Promise` is asynchronous'],
    ['crypto.subtle', '`crypto` is a host interface'],
    ['process.env', '`process` is a host interface'],
    ['Bun.hash(1)', '`Bun` is a host interface'],
    ['globalThis.a', '`globalThis` is a host interface'],
    ["eval('1')", '`eval` is code'],
    ['new WeakRef(a)', '`WeakRef` is decided by'],
    ['\\u0044ate.now()', 'hides a name behind an escape'],
    ['const list = [...fetch]', '`fetch` is I/O'],
    ['const a = 1 / 2; Date.now() / 3', '`Date` is a clock'],
  ]
  for (const [source, message] of refused) {
    test(source, () => {
      const found = findings(source)
      expect(found).toHaveLength(1)
      expect(found[0]).toContain(message)
    })
  }
})

describe('allowed', () => {
  const allowed = [
    '// new Date() is refused here',
    '/* Date\n * Math.random */',
    "const text = 'Date.now()'",
    'const text = "it\\"s a Date"',
    'const text = `Date ${1 + 2} fetch`',
    'const text = `a ${`nested ${"}"} Date`} fetch`',
    'const pattern = /Date["\'`]/g.test(text)',
    'const half = (total) / 2 // Date / 2',
    'const a = list[0] / 2 / 3',
    'const name = task.process',
    'const name = task?.performance',
    'type Field = { readonly fetch: number; process?: string\n  crypto: Bytes }',
    'const step = (performance: number) => 1',
    'const value = { process: 1, fetch: 2 }',
    'const low = Math.min(1, Math.floor(2))',
    'const isUpdated = updateDate',
  ]
  for (const source of allowed) test(source, () => expect(findings(source)).toEqual([]))
})

test('a finding names the line, also after comments and templates of several lines', () => {
  expect(findings('/*\n*/ const a = `\n${1}\n`\nDate')).toEqual([
    '5 `Date` is a clock; take the time as an input',
  ])
})
