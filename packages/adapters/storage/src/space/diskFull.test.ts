/**
 * A disk that is really full: a store on a small file system of its own, in a mount namespace that ends with the
 * process. Where such a mount is not allowed the test is skipped, and says so.
 */
import { describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DiskFullFindings } from './diskFullWriter.ts'

const writer = new URL('./diskFullWriter.ts', import.meta.url).pathname
const inMount = (folder: string, then: string, size = '24m'): string[] => [
  'unshare',
  '--user',
  '--map-root-user',
  '--mount',
  'sh',
  '-c',
  `mount -t tmpfs -o size=${size} tmpfs '${folder}' && ${then}`,
]
const canMount =
  process.platform === 'linux' &&
  Bun.which('unshare') !== null &&
  Bun.spawnSync(inMount(tmpdir(), 'true'), { stderr: 'ignore' }).exitCode === 0
const because = canMount ? '' : ' (skipped: no mount namespaces here)'

/** Of different sizes, so that RocksDB runs out of space in its log as well as in a table. */
for (const [kind, size] of [
  ['sqlite', '24m'],
  ['rocksdb', '24m'],
  ['rocksdb', '90m'],
  ['rocksdb', '110m'],
] as const) {
  describe.skipIf(!canMount)(`${kind} store on a full disk of ${size}${because}`, () => {
    test('refuses by name, stays readable, and takes writes again once there is room', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'shardy-full-'))
      try {
        const command = inMount(folder, `exec '${process.execPath}' '${writer}' ${kind} '${folder}'`, size)
        const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'inherit' })
        const found = JSON.parse(await new Response(child.stdout).text()) as DiskFullFindings
        expect(found.acknowledgedRows).toBeGreaterThan(100)
        expect(found).toMatchObject({
          refusal: 'diskFull',
          refusedAgain: 'diskFull',
          rowsWhileFull: found.acknowledgedRows,
          getWhileFull: true,
          afterRoom: '',
          oldSnapshot: kind === 'rocksdb' ? 'closed' : '',
          tornBatches: 0,
        })
        // A refused batch may turn out to be there, whole; an acknowledged one is never missing.
        expect(found.rowsAfterRoom).toBeGreaterThanOrEqual(found.acknowledgedRows + 4)
        expect(found.rowsReopened).toBe(found.rowsAfterRoom)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    }, 60_000)
  })
}
