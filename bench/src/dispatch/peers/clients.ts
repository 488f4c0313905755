/**
 * The peers' client libraries, installed when this benchmark first needs them: 90 packages and 30 MB that nobody else
 * should wait for. They lie in the user's cache folder, one for each state of the lockfile beside `clients/package.json`.
 */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { NotMeasured } from '../figure.ts'

const manifests = ['package.json', 'package-lock.json'] as const
const source = path.join(import.meta.dir, 'clients')

/** The folder whose `node_modules` holds them. */
export async function installClients(cache = defaultCache(), from = source): Promise<string> {
  const folder = path.join(cache, `bench-peers-${digestOf(from)}`)
  if (existsSync(folder)) return folder
  const npm = Bun.which('npm')
  if (npm === null) throw new NotMeasured('notInstalled: npm is not on PATH, and the clients come with it')
  // Made elsewhere and renamed when whole, so that an interrupted install is never taken for one.
  const making = `${folder}.${process.pid}`
  try {
    mkdirSync(making, { recursive: true })
    for (const file of manifests) copyFileSync(path.join(from, file), path.join(making, file))
    const child = Bun.spawn([npm, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: making,
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'pipe',
    })
    const [said, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
    if (code !== 0) throw new NotMeasured(`notInstalled: npm ci for the clients: ${reasonOf(said)}`)
    place(making, folder)
  } finally {
    rmSync(making, { recursive: true, force: true })
  }
  return folder
}

/** A client as its own module resolution finds it, typed by what the caller needs of it. */
export async function importClient<T>(clients: string, name: string): Promise<T> {
  return import(Bun.resolveSync(name, clients))
}

/** Another benchmark may have been as quick: what it made is the same. */
function place(making: string, folder: string): void {
  try {
    renameSync(making, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  }
}

function digestOf(from: string): string {
  const hash = createHash('sha256')
  for (const file of manifests) hash.update(readFileSync(path.join(from, file)))
  return hash.digest('hex').slice(0, 16)
}

function defaultCache(): string {
  return path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'shardy')
}

/** npm explains itself in several lines; the first is only a code. */
export function reasonOf(said: string): string {
  const lines = said
    .split('\n')
    .map((line) => line.replace(/^npm error\s*/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('A complete log'))
  return lines.join(' ').slice(0, 300) || 'it failed without a word'
}
