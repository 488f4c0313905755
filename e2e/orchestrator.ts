/** One orchestrator process by itself, for tests that kill it. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'

export interface OrchestratorProcess {
  readonly url: string
  readonly apiKey: string
  readonly pid: number
  /** SIGKILL: no last words. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number>
}

export async function startOrchestrator(options: {
  readonly dataFolder: string
  readonly store?: string
  readonly env?: Readonly<Record<string, string>>
}): Promise<OrchestratorProcess> {
  const child = Bun.spawn(
    [process.execPath, path.resolve(import.meta.dir, '../apps/orchestrator/src/main.ts')],
    {
      env: {
        ...process.env,
        SHARDY_PORT: '0',
        SHARDY_DATA: options.dataFolder,
        SHARDY_STORE: options.store ?? 'rocksdb',
        // A test that is killed leaves nothing behind.
        SHARDY_PARENT: 'pipe',
        ...options.env,
      },
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    },
  )
  const { promise: ready, resolve, reject } = Promise.withResolvers<{ url: string; apiKeyFile: string }>()
  const decoder = new TextDecoder()
  const follow = async (): Promise<void> => {
    let text = ''
    for await (const chunk of child.stdout) {
      text += decoder.decode(chunk, { stream: true })
      const line = text.split('\n').find((each) => each.includes('"ready":true'))
      if (line !== undefined) resolve(JSON.parse(line))
    }
    reject(new Error(`the orchestrator ended before it served:\n${text}`))
  }
  follow().catch(reject)
  const { url, apiKeyFile } = await ready
  return {
    url,
    apiKey: (await readFile(apiKeyFile, 'utf8')).trim(),
    pid: child.pid,
    async kill() {
      child.kill('SIGKILL')
      await child.exited
    },
    async stop() {
      child.kill('SIGTERM')
      return child.exited
    },
  }
}
