// Installing the clients: whole or not at all.

import { afterAll, expect, test } from 'bun:test'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { NotMeasured } from '../figure.ts'
import { importClient, installClients, reasonOf } from './clients.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'shardy-bench-clients-'))
afterAll(() => rmSync(folder, { recursive: true }))

function manifests(name: string, files: Readonly<Record<string, unknown>>): string {
  const from = path.join(folder, name)
  cpSync(path.join(import.meta.dir, 'clients'), from, { recursive: true })
  for (const [file, content] of Object.entries(files))
    writeFileSync(path.join(from, file), JSON.stringify(content))
  return from
}

const empty = { name: 'none', version: '1.0.0' }
const emptyLock = { ...empty, lockfileVersion: 3, requires: true, packages: { '': empty } }

test('an install is made once for one lockfile', async () => {
  const cache = path.join(folder, 'once')
  const from = manifests('empty', { 'package.json': empty, 'package-lock.json': emptyLock })
  const first = await installClients(cache, from)
  expect(readdirSync(first)).toContain('package-lock.json')
  writeFileSync(path.join(first, 'mark'), '')
  expect(await installClients(cache, from)).toBe(first)
  expect(existsSync(path.join(first, 'mark'))).toBe(true)
  const other = manifests('other', { 'package.json': empty, 'package-lock.json': { ...emptyLock, a: 1 } })
  expect(await installClients(cache, other)).not.toBe(first)
  expect(readdirSync(cache)).toHaveLength(2)
})

test('an install that fails leaves nothing that looks like one', async () => {
  const cache = path.join(folder, 'fails')
  const wanting = { ...empty, dependencies: { ioredis: '6.0.0' } }
  const from = manifests('wanting', { 'package.json': wanting, 'package-lock.json': emptyLock })
  const installing = installClients(cache, from)
  await expect(installing).rejects.toThrow(NotMeasured)
  await expect(installing).rejects.toThrow(/^notInstalled: npm ci for the clients: .*in sync/)
  expect(readdirSync(cache)).toEqual([])
})

test('a client is looked for in its folder only', async () => {
  await expect(importClient(folder, 'bullmq')).rejects.toThrow('bullmq')
})

test.each([
  ['npm error code EUSAGE\nnpm error\nnpm error not in sync\n', 'code EUSAGE not in sync'],
  ['npm error code ENOTFOUND\nnpm error A complete log of this run can be found in: /x', 'code ENOTFOUND'],
  ['', 'it failed without a word'],
  ['x'.repeat(1_000), 'x'.repeat(300)],
])('of what npm said, %j, the reason is kept', (said, reason) => {
  expect(reasonOf(said)).toBe(reason)
})
