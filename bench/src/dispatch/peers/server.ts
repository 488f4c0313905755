/** Finds the servers that this machine has, and what they need: a port of their own, and a user that is not root. */
import { existsSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter } from 'node:path'
import { NotMeasured } from '../figure.ts'

const postgresFolder = '/usr/lib/postgresql'

/** Distributions keep servers where an ordinary user's PATH does not look. */
export function findServer(program: string, searchPath: string = defaultSearchPath()): string {
  const found = Bun.which(program, { PATH: searchPath })
  if (found === null) throw new NotMeasured(`notInstalled: ${program} is not on PATH`)
  return found
}

export function defaultSearchPath(): string {
  const versions = existsSync(postgresFolder) ? newestFirst(readdirSync(postgresFolder)) : []
  return [
    process.env.PATH ?? '',
    '/usr/local/sbin',
    '/usr/sbin',
    ...versions.map((version) => `${postgresFolder}/${version}/bin`),
  ].join(delimiter)
}

/** By number: 9.6 is older than 15. */
export function newestFirst(versions: readonly string[]): readonly string[] {
  return versions
    .filter((version) => /^\d+(\.\d+)*$/.test(version))
    .toSorted((left, right) => right.localeCompare(left, 'en', { numeric: true }))
}

/** In the server's words, as far as they name the release. */
export function versionOf(program: string): string {
  const said = Bun.spawnSync([program, '--version']).stdout.toString()
  return /^.*?\bv?=?\d+(\.\d+)+/.exec(said)?.[0] ?? said.trim()
}

/** Free a moment ago: whoever takes it first has it, and a server that comes too late says so and ends. */
export function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = createServer()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    server.close(() => {
      if (address === null || typeof address === 'string') reject(new Error('a listener without a port'))
      else resolve(address.port)
    })
  })
  return promise
}

/** PostgreSQL refuses to run as root. */
export function unprivilegedUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => {
      const { success, stdout } = Bun.spawnSync(['id', flag, name], { stderr: 'ignore' })
      return success ? Number(stdout.toString()) : Number.NaN
    })
    if (Number.isSafeInteger(uid) && Number.isSafeInteger(gid)) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new NotMeasured('notInstalled: PostgreSQL refuses root, and there is no user postgres or nobody')
}
