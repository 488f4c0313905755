/** An orchestrator as it ships, on a real RocksDB, and workers over real WebSockets, each in a process of its own. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { createRequester, type Requester } from '@shardy/sdk'
import { readyLine } from '../answering.ts'
import { openStage, type Running } from '../stage.ts'

const orchestratorMain = path.join(import.meta.dir, '../../../../apps/orchestrator/src/main.ts')

export interface Network {
  readonly url: string
  readonly orchestrator: Running
  readonly requester: Requester
  startWorkers(count: number): Promise<Running>
  startFile(name: string, ...args: readonly string[]): Promise<Running>
  /** The sum of all series of a metric. */
  metric(name: string, labels?: string): Promise<number>
  close(): Promise<void>
}

export async function openNetwork(env: Readonly<Record<string, string>> = {}): Promise<Network> {
  const stage = await openStage()
  try {
    const data = path.join(stage.folder, 'data')
    const orchestrator = await stage.start([process.execPath, orchestratorMain], {
      readyAt: /"ready":true/,
      env: {
        SHARDY_DATA: data,
        SHARDY_PORT: '0',
        SHARDY_METRICS: 'open',
        SHARDY_LOG: 'warn',
        SHARDY_PARENT: 'pipe',
        SHARDY_LIMITS: limitsOff,
        ...env,
      },
    })
    const url = orchestrator.readyText.match(/"url":"([^"]+)"/)?.[1] ?? ''
    const apiKey = (await readFile(path.join(data, 'api-key'), 'utf8')).trim()
    const startFile = (name: string, ...args: readonly string[]): Promise<Running> =>
      stage.start([process.execPath, path.join(import.meta.dir, name), ...args], { readyAt: readyLine })
    return {
      url,
      orchestrator,
      requester: createRequester({ url, apiKey }),
      startFile,
      async startWorkers(count) {
        const workers = await startFile('workersProcess.ts', url, String(count))
        await until(async () => Number(await workers.ask('admitted')) === count, 'workers are admitted')
        return workers
      },
      async metric(name, labels = '') {
        const text = await (await fetch(`${url}/metrics`)).text()
        let sum = 0
        for (const line of text.split('\n')) {
          const isSeries = line.startsWith(`${name}{`) || line.startsWith(`${name} `)
          if (isSeries && line.includes(labels)) sum += Number(line.slice(line.lastIndexOf(' ') + 1))
        }
        return sum
      },
      close: () => stage.close(),
    }
  } catch (error) {
    await stage.close()
    throw error
  }
}

const limitsOff = ['submit', 'read', 'blobBytes', 'open']
  .flatMap((counted) => (counted === 'open' ? ['open.address'] : [`${counted}.key`, `${counted}.address`]))
  .map((name) => `${name}=off`)
  .join(',')

const waitMs = 60_000

export async function until(isSo: () => Promise<boolean>, what: string, withinMs = waitMs): Promise<void> {
  const giveUpMs = performance.now() + withinMs
  while (!(await isSo())) {
    if (performance.now() > giveUpMs) throw new Error(`${what}: not within ${withinMs / 1_000} s`)
    await Bun.sleep(20)
  }
}
