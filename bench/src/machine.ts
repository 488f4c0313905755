// What a figure was measured on, in words that name no particular machine: the same kind of machine gives the same text.

import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os'

export type Machine = {
  readonly cpu: string
  readonly cores: number
  readonly memoryGib: number
  readonly platform: string
  readonly node: string
  readonly bun: string
}

const gib = 1024 ** 3

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim().replaceAll(/\s+/g, ' ') ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round((totalmem() / gib) * 10) / 10,
    platform: `${platform()}-${arch()}`,
    node: process.env.SHARDY_NODE_VERSION ?? '',
    bun: Bun.version,
  }
}
