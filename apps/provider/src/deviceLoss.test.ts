import { describe, expect, test } from 'bun:test'
import { ComputeError, createCpuExecutor, type Executor } from '@shardy/compute'
import type { ExecutorChoice } from './config.ts'
import { reopeningsMax, workThroughLosses } from './deviceLoss.ts'
import type { ExecutorSources } from './executorChoice.ts'
import type { Exit } from './exitCode.ts'

/** A machine whose GPU can be opened so many times; `work` ends with the exits in turn, the last one for ever. */
async function live(choice: ExecutorChoice, opens: number | 'throws', work: readonly (Exit | Error)[]) {
  const lines: string[] = []
  const worked: string[] = []
  let closed = 0
  let left = opens
  const named = (name: string): Executor => ({
    ...createCpuExecutor(),
    name,
    close: async () => {
      closed += 1
    },
  })
  const sources: ExecutorSources = {
    createCpu: () => named('cpu'),
    async openWebGpu() {
      if (left === 'throws') throw new Error('no driver')
      if (left === 0) return { ok: false, refusal: { kind: 'noAdapter', message: 'nothing here' } }
      left -= 1
      return { ok: true, executor: named('webgpu') }
    },
  }
  const first = named(choice === 'cpu' ? 'cpu' : 'webgpu')
  const exit = workThroughLosses(first, choice, {
    sources,
    async work(executor) {
      worked.push(executor.name)
      const end = executor.name === 'cpu' ? 'stopped' : (work[worked.length - 1] ?? work.at(-1))
      if (end instanceof Error) throw end
      return end ?? 'stopped'
    },
    print: (line) => lines.push(line),
  })
  const ended = await exit.catch((thrown: unknown) => thrown)
  return { exit: ended, worked, lines, closed }
}

const opened = (count: number): string[] => new Array(count).fill('webgpu')

describe('a lost GPU', () => {
  test('is opened again, and work goes on', async () => {
    const { exit, worked, lines } = await live('auto', 9, ['deviceLost', 'stopped'])
    expect(exit).toBe('stopped')
    expect(worked).toEqual(opened(2))
    expect(lines).toEqual(['The GPU was lost.', `It is open again, time 1 of at most ${reopeningsMax}.`])
  })

  test('that is lost over and over leaves the CPU', async () => {
    const { exit, worked, lines } = await live('auto', 9, ['deviceLost'])
    expect(exit).toBe('stopped')
    expect(worked).toEqual([...opened(1 + reopeningsMax), 'cpu'])
    expect(lines.at(-2)).toBe('It was lost 4 times.')
    expect(lines.at(-1)).toContain('the CPU computes')
  })

  test('that is gone leaves the CPU', async () => {
    const gone = await live('auto', 0, ['deviceLost'])
    expect(gone).toMatchObject({ exit: 'stopped', worked: ['webgpu', 'cpu'] })
    expect(gone.lines).toEqual(['The GPU was lost.', 'No GPU is used: nothing here.'])
    expect(await live('auto', 'throws', ['deviceLost'])).toMatchObject({ worked: ['webgpu', 'cpu'] })
  })

  test('that was demanded ends the process when it stays away, or is lost over and over', async () => {
    expect(await live('webgpu', 0, ['deviceLost'])).toMatchObject({ exit: 'deviceLost', worked: opened(1) })
    const torn = await live('webgpu', 9, ['deviceLost'])
    expect(torn).toMatchObject({ exit: 'deviceLost', worked: opened(1 + reopeningsMax) })
  })

  test('is noticed while the speed is measured too, and the executor is closed', async () => {
    const lost = await live('auto', 9, [new ComputeError('deviceLost', 'unplugged'), 'stopped'])
    expect(lost).toMatchObject({ exit: 'stopped', worked: opened(2), closed: 1 })
  })
})

test('every other end is the end', async () => {
  expect(await live('auto', 9, ['refused'])).toMatchObject({ exit: 'refused', worked: opened(1), lines: [] })
  const bug = new Error('a bug')
  expect(await live('auto', 9, [bug])).toMatchObject({ exit: bug, closed: 1 })
})
