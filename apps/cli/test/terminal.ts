/** Runs a command line in this process and keeps what it printed. */
import type { Exit } from '../src/exit.ts'
import { run } from '../src/run.ts'
import type { World } from '../src/world.ts'

export interface Printed {
  readonly exit: Exit
  readonly stdout: string
  readonly stderr: string
}

export async function shardy(
  words: readonly string[],
  env: World['env'] = {},
  world: Partial<World> = {},
): Promise<Printed> {
  let stdout = ''
  let stderr = ''
  const exit = await run(words, {
    env: { SHARDY_DATA: '/nowhere', ...env },
    print: (text) => {
      stdout += text
    },
    tell: (text) => {
      stderr += text
    },
    watchedColumns: () => undefined,
    signal: new AbortController().signal,
    nowMs: () => 1_760_000_060_000,
    every: () => () => {},
    askSecret: async () => undefined,
    wait: async () => {},
    ...world,
  })
  return { exit, stdout, stderr }
}
