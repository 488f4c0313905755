// Reading what the kernel says of a process.

import { describe, expect, test } from 'bun:test'
import { cpuMicros, residentBytes, residentIn, ticksIn } from './usage.ts'

const statOf = (name: string) =>
  `4711 (${name}) S 1 4711 4711 0 -1 4194560 100 0 0 0 250 75 9 9 20 0 12 0 100 1000 200 18446744073709551615`

test.each([['bun'], ['a b'], ['a) S 1 (b'], ['(('], ['x\ny'], ['']])(
  'CPU time of a program named %j',
  (name) => {
    expect(ticksIn(statOf(name))).toBe(325)
  },
)

test.each([[''], ['4711 (bun) S 1 2'], ['4711 (bun) S 1 2 3 4 5 6 7 8 9 10 x y']])(
  'no CPU time is made up from %j',
  (stat) => {
    expect(() => ticksIn(stat)).toThrow('no CPU times')
  },
)

test('resident memory is the line Rss, not one that only resembles it', () => {
  expect(residentIn('SwapRss:  9 kB\nRss:     1234 kB\nPss:  55 kB\n')).toBe(1_263_616)
  expect(() => residentIn('Pss:  55 kB\n')).toThrow('no Rss')
})

// Only Linux has /proc.
describe.skipIf(process.platform !== 'linux')('this process', () => {
  test('uses more CPU time when it works', () => {
    const before = cpuMicros(process.pid)
    let [after, sum] = [before, 0]
    for (let step = 0; after === before && step < 100_000; step += 1) {
      for (let index = 0; index < 10_000; index += 1) sum += index
      after = cpuMicros(process.pid)
    }
    expect(sum).toBeGreaterThan(0)
    expect(after).toBeGreaterThan(before)
  })

  test('holds at least what it has just filled', () => {
    const bytes = new Uint8Array(32 * 2 ** 20).fill(1)
    expect(residentBytes(process.pid)).toBeGreaterThan(bytes.length)
  })
})
