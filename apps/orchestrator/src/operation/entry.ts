/** What the small commands beside the orchestrator share: their settings, and how they end. */
import { readFileSync } from 'node:fs'
import path from 'node:path'

export const exitCodes = { done: 0, failed: 1, badSetting: 2 } as const

export function fail(code: keyof typeof exitCodes, message: string): never {
  console.error(message)
  process.exit(exitCodes[code])
}

export const wordsOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error)

/** Where a store lies that is on a disk. */
export function readPlace(env: NodeJS.ProcessEnv): {
  readonly data: string
  readonly kind: 'rocksdb' | 'sqlite'
} {
  const kind = env.SHARDY_STORE || 'rocksdb'
  if (kind !== 'rocksdb' && kind !== 'sqlite') {
    fail('badSetting', `SHARDY_STORE is '${kind}'; here it must be rocksdb or sqlite`)
  }
  return { data: path.resolve(env.SHARDY_DATA || '.shardy'), kind }
}

export interface Peer {
  readonly url: string
  readonly apiKey: string
}

/** Another orchestrator, and a key there that may copy its store. Undefined when none is named. */
export function readPeer(env: NodeJS.ProcessEnv, name: string): Peer | undefined {
  const url = env[name] || ''
  if (url === '') return undefined
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    fail('badSetting', `${name} is '${url}'; it must be an address such as https://orchestrator.example`)
  }
  const keyName = `${name}_KEY_FILE`
  const file = env[keyName] || ''
  if (file === '')
    fail('badSetting', `${keyName} is missing; it names a file with an admin's API key of ${url}`)
  try {
    return { url: parsed.origin, apiKey: readFileSync(file, 'utf8').trim() }
  } catch (error) {
    return fail('badSetting', `${keyName} is '${file}', which cannot be read: ${wordsOf(error)}`)
  }
}
