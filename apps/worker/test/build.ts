/** The page as it is built for people, from the sources as they are now, in a folder of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dir, '..')
const vite = join(root, '../../node_modules/vite/bin/vite.js')

export async function buildPage(): Promise<{ readonly dist: string; remove(): Promise<void> }> {
  const dist = await mkdtemp(join(tmpdir(), 'shardy-page-'))
  const remove = () => rm(dist, { recursive: true, force: true })
  const build = Bun.spawn(['node', vite, 'build', '--outDir', dist, '--emptyOutDir', '--logLevel', 'warn'], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production' },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [code, ...said] = await Promise.all([
    build.exited,
    new Response(build.stdout).text(),
    new Response(build.stderr).text(),
  ])
  if (code !== 0) {
    await remove()
    throw new Error(`vite build ended with ${code}: ${said.join('\n')}`)
  }
  return { dist, remove }
}
