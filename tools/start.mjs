// `npm start`: the whole local network as far as it exists, on embedded defaults: orchestrator, worker page, providers.
// Whatever ends it, nothing stays behind: children get SIGTERM, then SIGKILL, and end by themselves when stdin closes.

import { createServer } from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import './nodeVersion.mjs'
import { bootstrap } from './bootstrap.mjs'
import { endAll, onStopSignal, start } from './child.mjs'
import { command, Failure } from './failure.mjs'
import { withProgress } from './progress.mjs'
import { bun, root } from './workspace.mjs'

const help = `npm start                      orchestrator, worker page and one headless provider
npm start -- --providers N     with N headless providers, 0 to 64

  SHARDY_PORT=7700             the port that everything is served on; 0 lets the system choose
  SHARDY_HOST=127.0.0.1        the address to listen on
  SHARDY_DATA=.shardy          the folder that holds tasks, keys and identities
  SHARDY_STORE=rocksdb         rocksdb, sqlite or memory
  SHARDY_EXECUTOR=auto         what the providers compute with: auto, webgpu or cpu`

const usage = 2
const defaultPort = 7700
const providersMax = 64
const readyMs = 60_000
const healthMs = 15_000
const graceMs = 5_000

/**
 * @typedef {{ port: number, host: string, data: string, providers: number }} Config
 * @typedef {{ url: string, apiKeyFile: string }} Ready
 */

async function main() {
  const config = readConfig()
  if (typeof config === 'number') return config
  await refuseTakenPort(config)
  await bootstrap({ page: true })

  // Settles with the exit code: 0 when somebody asked us to stop, a Failure when a child ended by itself.
  const ended = deferred()
  let isStopping = false
  const forget = onStopSignal(() => {
    isStopping = true
    console.log('\nStopping … (Ctrl-C again ends everything at once)')
    ended.resolve(0)
  })
  const watch = (/** @type {string} */ name, /** @type {string} */ how) => {
    if (!isStopping) ended.reject(new Failure(`${name} ${how}`, { next: 'Its last lines are above.' }))
  }
  try {
    const serve = async () => {
      const ready = await startOrchestrator(config, watch)
      for (let number = 1; number <= config.providers; number += 1)
        startProvider(config, ready, number, watch)
      console.log(`\n${addresses(config, ready)}\n`)
      return ended.promise
    }
    return /** @type {number} */ (await Promise.race([serve(), ended.promise]))
  } finally {
    isStopping = true
    await endAll(graceMs)
    forget()
    console.log('Stopped.')
  }
}

/** @returns {Config | number} an exit code when there is nothing to start */
function readConfig() {
  /** @type {{ help?: boolean, providers?: string }} */
  let values
  try {
    values = parseArgs({ options: { help: { type: 'boolean' }, providers: { type: 'string' } } }).values
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${help}`)
    return usage
  }
  if (values.help === true) {
    console.log(help)
    return 0
  }
  const providers = wholeNumber('--providers', values.providers ?? '1', providersMax)
  const port = wholeNumber('SHARDY_PORT', process.env.SHARDY_PORT || String(defaultPort), 65_535)
  if (providers === undefined || port === undefined) return usage
  const data = path.resolve(root, process.env.SHARDY_DATA || '.shardy')
  return { port, providers, data, host: process.env.SHARDY_HOST || '127.0.0.1' }
}

/**
 * @param {string} name
 * @param {string} text
 * @param {number} most
 */
function wholeNumber(name, text, most) {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (value <= most) return value
  console.error(`${name} is '${text}'; it must be a whole number from 0 to ${most}.`)
  return undefined
}

/** @param {Config} config */
function refuseTakenPort({ host, port }) {
  const next = `Choose another: SHARDY_PORT=${port + 1 <= 65_535 ? port + 1 : defaultPort} npm start  (0 lets the system choose)`
  /** @type {Readonly<Record<string, string>>} */
  const reasons = {
    EADDRINUSE: `Port ${port} on ${host} is taken by another program`,
    EACCES: `Port ${port} needs rights that this user does not have`,
    EADDRNOTAVAIL: `${host} is no address of this machine`,
    ENOTFOUND: `${host} is no address of this machine`,
  }
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (cause) => {
      const code = /** @type {NodeJS.ErrnoException} */ (cause).code ?? ''
      reject(
        new Failure(reasons[code] ?? `Port ${port} on ${host} cannot be used: ${cause.message}`, {
          next,
          cause,
        }),
      )
    })
    probe.listen(port, host, () => probe.close(resolve))
  })
}

/**
 * @param {Config} config
 * @param {(name: string, how: string) => void} watch
 * @returns {Promise<Ready>}
 */
async function startOrchestrator(config, watch) {
  const env = {
    SHARDY_PORT: String(config.port),
    SHARDY_HOST: config.host,
    SHARDY_DATA: config.data,
    SHARDY_PAGE: path.join(root, 'apps/worker/dist'),
  }
  const announced = deferred()
  run('orchestrator', 'apps/orchestrator/src/main.ts', env, watch, announced.resolve)
  return withProgress('starting the orchestrator', async () => {
    const ready = /** @type {Ready} */ (
      await before(readyMs, announced.promise, 'did not say that it was ready')
    )
    await healthy(ready.url)
    return ready
  })
}

/**
 * @param {Config} config
 * @param {Ready} ready
 * @param {number} number
 * @param {(name: string, how: string) => void} watch
 */
function startProvider(config, ready, number, watch) {
  const name = config.providers === 1 ? 'provider' : `provider-${number}`
  const env = { SHARDY_URL: ready.url, SHARDY_DATA: path.join(config.data, `provider-${number}`) }
  run(name, 'apps/provider/src/main.ts', env, watch, () => {})
}

/**
 * @param {string} name
 * @param {string} script
 * @param {Readonly<Record<string, string>>} env
 * @param {(name: string, how: string) => void} watch told when the child ends
 * @param {(ready: Ready) => void} announce told when the child prints that it is ready
 */
function run(name, script, env, watch, announce) {
  const child = start(bun, [script], {
    cwd: root,
    env: { ...process.env, ...env, SHARDY_PARENT: 'pipe' },
    // The open stdin is how a child learns that we are gone, even when we were killed.
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // It may end before we close its stdin; that it ended is told below.
  child.stdin?.on('error', () => {})
  const prefix = `${name.padEnd(12)} │ `
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', (line) => {
      const ready = stream === child.stdout ? readReady(line) : undefined
      // All that is in force, for who starts the orchestrator alone; here it would bury the addresses.
      if (line.startsWith('{"policy":')) return
      if (ready === undefined) console.log(`${prefix}${readable(line)}`)
      else announce(ready)
    })
  }
  child.once('error', (error) => watch(name, `could not be started: ${error.message}`))
  child.once('close', (code, signal) =>
    watch(name, signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`),
  )
}

/**
 * @param {string} line
 * @returns {Ready | undefined}
 */
function readReady(line) {
  if (!line.startsWith('{')) return undefined
  try {
    const { ready, url, apiKeyFile } = JSON.parse(line)
    return ready === true ? { url: String(url), apiKeyFile: String(apiKeyFile) } : undefined
  } catch {
    return undefined
  }
}

/**
 * A structured log line in words for the person in front of the terminal; ids are cut to what tells them apart.
 *
 * @param {string} line
 */
function readable(line) {
  if (!line.startsWith('{')) return line
  try {
    const { atMs: _, level, event, ...fields } = JSON.parse(line)
    if (typeof event !== 'string') return line
    const words = Object.entries(fields).map(([name, value]) => {
      const text = String(value)
      return `${name} ${/^[0-9a-f]{32,64}$/.test(text) ? text.slice(0, 8) : text}`
    })
    const sentence = event.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    return `${level === 'error' ? 'error: ' : ''}${[sentence, ...words].join(', ')}`
  } catch {
    return line
  }
}

/** @param {string} url */
async function healthy(url) {
  let last = ''
  for (const endMs = Date.now() + healthMs; Date.now() < endMs; ) {
    try {
      const response = await fetch(new URL('/v1/health', url), { signal: AbortSignal.timeout(2_000) })
      if (response.ok) return
      last = `it answers ${response.status}`
    } catch (error) {
      last = error instanceof Error ? error.message : String(error)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Failure(`${url}/v1/health is not healthy after ${healthMs / 1_000} s: ${last}`, {
    next: 'The orchestrator’s last lines are above.',
  })
}

/**
 * @template T
 * @param {number} limitMs
 * @param {Promise<T>} promise
 * @param {string} message
 */
async function before(limitMs, promise, message) {
  const late = deferred()
  const timer = setTimeout(
    () => late.reject(new Failure(`the orchestrator ${message} within ${limitMs / 1_000} s`)),
    limitMs,
  )
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Node 20 has no Promise.withResolvers. */
function deferred() {
  /** @type {(value: unknown) => void} */
  let resolve = () => {}
  /** @type {(error: Error) => void} */
  let reject = () => {}
  const promise = new Promise((yes, no) => {
    resolve = yes
    reject = no
  })
  // A failure that nobody waits for any more is no news.
  promise.catch(() => {})
  return { promise, resolve, reject }
}

/**
 * @param {Config} config
 * @param {Ready} ready
 */
function addresses(config, ready) {
  const isUsual = config.port === defaultPort && config.host === '127.0.0.1'
  const setting = [
    ...(isUsual ? [] : [`SHARDY_URL=${ready.url}`]),
    ...((process.env.SHARDY_DATA ?? '') === '' ? [] : [`SHARDY_DATA=${config.data}`]),
  ]
  const submit = [...setting, 'npx shardy submit matmul --size 64 --wait'].join(' ')
  const count = config.providers === 1 ? '1 headless worker' : `${config.providers} headless workers`
  return `  Shardy is running, with ${count}.

  Worker page   ${ready.url}/
  API           ${ready.url}/openapi.json describes it
  API key       ${path.relative(root, ready.apiKeyFile) || ready.apiKeyFile}

  Open the worker page in a browser, and submit a first task from another terminal:

    ${submit}

  Ctrl-C stops everything.`
}

await command(main)
// What was still being waited for must not keep a stopped network alive.
process.exit()
