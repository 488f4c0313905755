/** Where the orchestrator is and with which key: an option, else the environment, else what `npm start` wrote. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Options } from './command.ts'
import { Failure } from './failure.ts'
import type { World } from './world.ts'

const urlDefault = 'http://127.0.0.1:7700'

export interface Settings {
  readonly url: string
  readonly apiKey: string | undefined
}

export function readSettings(options: Options, { env }: Pick<World, 'env'>): Settings {
  const url = readUrl(options, env)
  const given = options.text('key') ?? (env.SHARDY_API_KEY || undefined)
  // The key in the file is that of the network here. It is shown to nobody else.
  const apiKey = given ?? (isHere(url) ? readKeyFile(env.SHARDY_DATA || '.shardy') : undefined)
  if (apiKey !== undefined && !/^[\x21-\x7e]{1,256}$/.test(apiKey)) {
    throw new Failure('usage', 'the API key must be 1 to 256 printable characters without spaces')
  }
  return { url: url.href, apiKey }
}

function readUrl(options: Options, env: World['env']): URL {
  const [name, text] = options.has('url')
    ? ['--url', options.text('url') ?? '']
    : ['SHARDY_URL', env.SHARDY_URL || urlDefault]
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url
  throw new Failure('usage', `${name} is '${text}'; it must be an address such as ${urlDefault}`)
}

function isHere({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.[0-9]{1,3}){3}$/.test(hostname)
}

function readKeyFile(folder: string): string | undefined {
  try {
    return readFileSync(path.join(folder, 'api-key'), 'utf8').trim()
  } catch {
    // Nothing has been started here. A command that needs a key will be told so.
    return undefined
  }
}
