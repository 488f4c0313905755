import { afterEach, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectKind } from '../conformance.ts'
import { freeBytes } from './freeBytes.ts'
import { openSpaceGuard, type SpaceGuard } from './spaceGuard.ts'
import { nextSpaceState, type SpaceState } from './spaceState.ts'

const folders: string[] = []
const guards: SpaceGuard[] = []
afterEach(async () => {
  for (const guard of guards.splice(0)) await guard.close()
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

describe('space state', () => {
  const limits = { lowBytes: 1_000, reserveBytes: 500 }
  const table: readonly [SpaceState, number, SpaceState][] = [
    ['enough', 1_000, 'enough'],
    ['enough', 999, 'low'],
    ['enough', 250, 'low'],
    ['enough', 249, 'spent'],
    ['low', 1_000, 'low'],
    ['low', 1_249, 'low'],
    ['low', 1_250, 'enough'],
    ['low', 249, 'spent'],
    ['spent', 249, 'spent'],
    // Its own reserve came free: no reason to take new work.
    ['spent', 1_250, 'spent'],
    ['spent', 1_749, 'spent'],
    ['spent', 1_750, 'enough'],
  ]
  test.each(table)('%s with %d bytes free is then %s', (state, free, expected) => {
    expect(nextSpaceState(state, free, limits)).toBe(expected)
  })

  test('taking the reserve again never leads back at once', () => {
    for (let free = 0; free < 4_000; free += 1) {
      if (nextSpaceState('spent', free, limits) !== 'enough') continue
      expect(nextSpaceState('enough', free - limits.reserveBytes, limits)).toBe('enough')
    }
  })
})

describe('space guard', () => {
  const openGuard = async (folder: string) => {
    const disk = { free: 10_000_000 }
    const changes: SpaceState[] = []
    const reserveFile = join(folder, 'reserve')
    const guard = await openSpaceGuard({
      reserveFile,
      lowBytes: 4_000_000,
      reserveBytes: 2_500_000,
      everyMs: 3_600_000,
      onChange: (state) => changes.push(state),
      measure: async () => disk.free,
    })
    guards.push(guard)
    return { guard, disk, changes, reserveFile }
  }
  const freshFolder = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'shardy-space-'))
    folders.push(folder)
    return folder
  }

  test('holds its reserve, gives it up when space is spent, and takes it again', async () => {
    const { guard, disk, changes, reserveFile } = await openGuard(await freshFolder())
    expect(guard.state).toBe('enough')
    const { size, blocks } = await stat(reserveFile)
    expect(size).toBe(2_500_000)
    expect(blocks * 512).toBeGreaterThanOrEqual(2_500_000)
    disk.free = 3_000_000
    expect(await guard.look()).toBe('low')
    expect(existsSync(reserveFile)).toBe(true)
    disk.free = 900_000
    expect(await guard.look()).toBe('spent')
    expect(existsSync(reserveFile)).toBe(false)
    disk.free = 5_000_000
    expect(await guard.look()).toBe('spent')
    disk.free = 9_000_000
    expect(await guard.look()).toBe('enough')
    expect(existsSync(reserveFile)).toBe(true)
    expect(changes).toEqual(['enough', 'low', 'spent', 'enough'])
    expect(guard.freeBytes).toBe(9_000_000)
  })

  test('a reserve that an earlier run spent is not taken for held', async () => {
    const folder = await freshFolder()
    const first = await openGuard(folder)
    first.disk.free = 900_000
    await first.guard.look()
    await first.guard.close()
    const measure = async () => 5_000_000
    const again = await openSpaceGuard({
      reserveFile: first.reserveFile,
      lowBytes: 4_000_000,
      reserveBytes: 2_500_000,
      everyMs: 1_000,
      measure,
    })
    guards.push(again)
    expect(again.state).toBe('spent')
  })

  test('limits that make no sense are refused by name', async () => {
    const reserveFile = join(await freshFolder(), 'reserve')
    const good = { reserveFile, lowBytes: 1, reserveBytes: 0, everyMs: 1 }
    for (const wrong of [{ lowBytes: 0 }, { reserveBytes: -1 }, { everyMs: 0 }, { lowBytes: Number.NaN }]) {
      const error = await expectKind(openSpaceGuard({ ...good, ...wrong }), 'failed')
      expect(error.message).toContain(Object.keys(wrong)[0] ?? '')
    }
  })

  test('free bytes are those of the path, and a path that is not there is named', async () => {
    const folder = await freshFolder()
    expect(await freeBytes(folder)).toBeGreaterThan(0)
    expect((await expectKind(freeBytes(join(folder, 'none')), 'failed')).message).toContain('none')
  })
})
