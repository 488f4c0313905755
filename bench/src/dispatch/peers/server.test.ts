// Servers that are there, and servers that are not.

import { afterAll, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { NotMeasured } from '../figure.ts'
import { refusalOf } from './jetstream.ts'
import { defaultSearchPath, findServer, freePort, newestFirst, versionOf } from './server.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'shardy-bench-server-'))
afterAll(() => rmSync(folder, { recursive: true }))

function program(name: string, says: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, `#!/bin/sh\necho '${says}'\n`)
  chmodSync(file, 0o755)
  return file
}

test('a server that is not installed is named', () => {
  const find = () => findServer('nats-server', folder)
  expect(find).toThrow(NotMeasured)
  expect(find).toThrow('notInstalled: nats-server is not on PATH')
})

test('a server is found where it lies', () => {
  const file = program('redis-server', '')
  expect(findServer('redis-server', `/no/such/folder:${folder}`)).toBe(file)
  expect(defaultSearchPath().split(':')).toContain('/usr/sbin')
})

test('the newest PostgreSQL comes first, and what is no version not at all', () => {
  expect(newestFirst(['9.6', '15', 'common', '17', '8.4', '.'])).toEqual(['17', '15', '9.6', '8.4'])
})

test.each([
  ['nats-server: v2.9.10', 'nats-server: v2.9.10'],
  ['Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64', 'Redis server v=7.0.15'],
  ['postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', 'postgres (PostgreSQL) 15.18'],
  ['no number', 'no number'],
])('of %j the release is kept', (says, version) => {
  expect(versionOf(program('talks', says))).toBe(version)
})

test('a refused setting is told without the path of its file', () => {
  const config = '/tmp/gone/nats.conf'
  const said = `nats-server: ${config}:4:3: unknown field "sync_interval"\n`
  expect(refusalOf(said, config)).toBe('unknown field "sync_interval"')
  expect(refusalOf('nats-server: out of luck\n', config)).toBe('nats-server: out of luck')
})

test('a free port can be taken', async () => {
  const port = await freePort()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const server = createServer().once('error', reject).listen(port, '127.0.0.1', resolve)
  await promise
  server.close()
})
