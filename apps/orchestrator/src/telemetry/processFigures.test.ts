import { expect, test } from 'bun:test'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseExposition } from '../../test/exposition.ts'
import { createMetrics } from './metrics.ts'
import { watchProcess } from './processFigures.ts'

test('memory, disk, store and the event loop are told, and the folder is not walked each time', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'shardy-figures-'))
  await mkdir(path.join(folder, 'store'))
  await writeFile(path.join(folder, 'store', 'a'), new Uint8Array(1000))
  await writeFile(path.join(folder, 'b'), new Uint8Array(24))
  const failed: unknown[] = []
  const metrics = createMetrics((error) => failed.push(error))
  let atMs = 0
  const figures = watchProcess(metrics, folder, () => atMs)
  const read = async (name: string) =>
    parseExposition(await metrics.scrape('prometheus'), false).get(name)?.samples[0]?.value ?? Number.NaN
  expect(await read('shardy_store_bytes')).toBe(1024)
  await writeFile(path.join(folder, 'c'), new Uint8Array(1))
  expect(await read('shardy_store_bytes')).toBe(1024)
  atMs = 60_000
  expect(await read('shardy_store_bytes')).toBe(1025)
  expect(await read('process_resident_memory_bytes')).toBeGreaterThan(1_000_000)
  expect(await read('shardy_disk_free_bytes')).toBeGreaterThan(0)
  expect(await read('shardy_event_loop_lag_p99_seconds')).toBeGreaterThanOrEqual(0)
  expect(failed).toEqual([])
  // A folder that is gone is a figure that is missing, and no more.
  await rm(folder, { recursive: true })
  await metrics.scrape('prometheus')
  expect(failed).toHaveLength(1)
  figures.stop()
  await metrics.scrape('prometheus')
  expect(failed).toHaveLength(1)
})
