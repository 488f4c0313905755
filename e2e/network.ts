/**
 * The local network as a user starts it: `npm start` in a process of its own, on a port the system chose and a data
 * folder of its own. Stopping is Ctrl-C, and nothing may be left after it.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

export interface Network {
  readonly url: string
  readonly apiKey: string
  readonly dataFolder: string
  /** Everything that was printed so far. */
  output(): string
  /** Resolves once the text has been printed. */
  printed(text: string): Promise<void>
  /** Ctrl-C; resolves with the exit code. */
  stop(): Promise<number>
  readonly pid: number
  readonly exited: Promise<number>
}

const root = path.resolve(import.meta.dir, '..')
/** Tabs compute on a software GPU here, slower than what a network of strangers would admit. */
export const policyFile = path.join(import.meta.dir, 'policy.json')

export async function startNetwork(
  options: {
    readonly providers?: number
    readonly dataFolder?: string
    readonly env?: Record<string, string>
  } = {},
): Promise<Network> {
  const { providers = 1 } = options
  const dataFolder = options.dataFolder ?? (await mkdtemp(path.join(tmpdir(), 'shardy-e2e-')))
  const child = Bun.spawn(['npm', 'start', '--silent', '--', '--providers', String(providers)], {
    cwd: root,
    env: {
      ...process.env,
      SHARDY_PORT: '0',
      SHARDY_DATA: dataFolder,
      SHARDY_POLICY: policyFile,
      ...options.env,
    },
    stdout: 'pipe',
    stderr: 'pipe',
    stdin: 'ignore',
    // A group of its own, as a terminal gives it: Ctrl-C reaches all of it.
    detached: true,
  })
  let text = ''
  let look = (): void => {}
  const follow = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true })
      look()
    }
  }
  const followed = Promise.all([follow(child.stdout), follow(child.stderr)])

  async function matched(pattern: RegExp): Promise<RegExpExecArray> {
    const ended = child.exited.then(async (code) => {
      await followed
      throw new Error(`npm start ended with ${code} before printing ${pattern}:\n${text}`)
    })
    const found = new Promise<RegExpExecArray>((resolve) => {
      const before = look
      look = () => {
        before()
        const match = pattern.exec(text)
        if (match) resolve(match)
      }
      look()
    })
    ended.catch(() => {})
    return Promise.race([found, ended])
  }

  const [, url = ''] = await matched(/(http:\/\/127\.0\.0\.1:\d+)/)
  // A worker works once it was measured.
  for (let joined = 0; joined < providers; ) {
    await Bun.sleep(50)
    joined = ((await (await fetch(`${url}/v1/health`)).json()) as { workers: number }).workers
  }
  const apiKey = (await readFile(path.join(dataFolder, 'api-key'), 'utf8')).trim()
  return {
    url,
    apiKey,
    dataFolder,
    pid: child.pid,
    exited: child.exited,
    output: () => text,
    async printed(expected) {
      await matched(new RegExp(expected.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGINT')
      const code = await child.exited
      if (options.dataFolder === undefined) await rm(dataFolder, { recursive: true, force: true })
      return code
    },
  }
}
