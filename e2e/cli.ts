/** The command line as a user types it, pointed at a network of the test's own. */
import path from 'node:path'
import type { Network } from './network.ts'

export async function shardy(
  network: Pick<Network, 'url' | 'apiKey'>,
  ...args: readonly string[]
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const child = Bun.spawn(['npx', '--no-install', 'shardy', ...args], {
    cwd: path.resolve(import.meta.dir, '..'),
    env: { ...process.env, SHARDY_URL: network.url, SHARDY_API_KEY: network.apiKey },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [exitCode, stdout, stderr] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { exitCode, stdout, stderr }
}
