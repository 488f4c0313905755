/**
 * The orchestrator as a process: reads the environment, opens store, keys and sockets, says when it serves, and stops
 * in order. Exit codes: 0 stopped as asked, 1 a store that failed or could not be opened, 2 a setting that is wrong.
 */
import { readFileSync } from 'node:fs'
import { chmod, mkdir, open, readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { openCheckTools } from '@shardy/compute'
import { verifySignature } from '@shardy/crypto'
import { openIdentityFile, sha256 } from '@shardy/crypto/native'
import { defaultParameters } from '@shardy/ledger'
import { openVerifierPool } from '@shardy/proofs/pool'
import { type MicroCredit, payloadBytesMax } from '@shardy/protocol'
import { openBlobStore, openSpaceGuard, openStore, type SpaceState, type StoreKind } from '@shardy/storage'
import manifest from '../package.json' with { type: 'json' }
import { readProxies } from './access/clientAddress.ts'
import { firstKeyName } from './access/keyRecord.ts'
import type { ApiKeys } from './access/keys.ts'
import { readLimits } from './access/limitSettings.ts'
import { defaultBlobPolicy } from './blobs/keeper.ts'
import { systemResolve, webhookReaches } from './campaigns/webhooks/destination.ts'
import { openHostThread } from './checks/openThread.ts'
import { systemClock } from './clock.ts'
import { defaultGatewayLimits } from './gateway/connection.ts'
import { createOpeningsThread } from './gateway/openings.ts'
import { loadPage } from './http/page.ts'
import { createLog, logLevels } from './log.ts'
import { migrations } from './migrations/index.ts'
import { acknowledgedStore } from './operation/acknowledgedStore.ts'
import { readPeer } from './operation/entry.ts'
import { keepFencing } from './operation/fencing.ts'
import { readOperationSettings } from './operation/settings.ts'
import { createOrchestrator } from './orchestrator.ts'
import { defaults, type Policy, readPolicy, writePolicy } from './policy/policyFile.ts'
import { openProofs, type ReadProofs } from './proofs/openProofs.ts'
import { serve } from './server.ts'
import { columns, schemaVersion, tables } from './tables.ts'
import { createLineWriter } from './telemetry/lineWriter.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { watchProcess } from './telemetry/processFigures.ts'

const defaultProofs = path.join(import.meta.dir, '../../../circuits/artifacts')

/** A million test credits, until a chain stands behind them. */
const grantMicroCredit = 1_000_000_000_000n as MicroCredit
const fatalGraceMs = 200
const flushMs = 500
const spaceEveryMs = 1_000
const exitCodes = { stopped: 0, failed: 1, badSetting: 2 } as const

function fail(code: keyof typeof exitCodes, message: string): never {
  console.error(message)
  process.exit(exitCodes[code])
}

function readSettings(env: NodeJS.ProcessEnv) {
  const store = env.SHARDY_STORE || 'rocksdb'
  const kinds: readonly StoreKind[] = ['rocksdb', 'sqlite', 'memory']
  const kind = kinds.find((each) => each === store)
  if (kind === undefined)
    fail('badSetting', `SHARDY_STORE is '${store}'; it must be one of ${kinds.join(', ')}`)
  const port = env.SHARDY_PORT || '7700'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    fail('badSetting', `SHARDY_PORT is '${port}'; it must be a whole number from 0 to 65535`)
  }
  const level = env.SHARDY_LOG || 'info'
  const logLevel = logLevels.find((each) => each === level)
  if (logLevel === undefined)
    fail('badSetting', `SHARDY_LOG is '${level}'; it must be one of ${logLevels.join(', ')}`)
  const metrics = env.SHARDY_METRICS || 'key'
  if (metrics !== 'key' && metrics !== 'open') {
    fail('badSetting', `SHARDY_METRICS is '${metrics}'; it must be key or open`)
  }
  const proxies = readProxies(env.SHARDY_PROXIES || '')
  if (!proxies.ok) {
    const bound =
      'networks such as 10.0.0.0/8 or 2001:db8::1, with commas between, and no bit behind a prefix'
    fail('badSetting', `SHARDY_PROXIES has '${proxies.value}'; it must be ${bound}`)
  }
  const policy = readPolicyFile(env.SHARDY_POLICY || '')
  const webhooks = env.SHARDY_WEBHOOKS || 'public'
  const reach = webhookReaches.find((each) => each === webhooks)
  if (reach === undefined) {
    fail('badSetting', `SHARDY_WEBHOOKS is '${webhooks}'; it must be one of ${webhookReaches.join(', ')}`)
  }
  const operation = readOperationSettings(env)
  if (!operation.ok) {
    fail('badSetting', `${operation.name} is '${operation.value}'; it must be ${operation.bound}`)
  }
  const limits = readLimits(env.SHARDY_LIMITS || '')
  if (!limits.ok) fail('badSetting', `SHARDY_LIMITS has '${limits.value}'; it must be ${limits.bound}`)
  return {
    store: kind,
    logLevel,
    openMetrics: metrics === 'open',
    port: Number(port),
    host: env.SHARDY_HOST || '127.0.0.1',
    data: path.resolve(env.SHARDY_DATA || '.shardy'),
    proofs: env.SHARDY_PROOFS === 'off' ? undefined : path.resolve(env.SHARDY_PROOFS || defaultProofs),
    page: path.resolve(env.SHARDY_PAGE || path.join(import.meta.dir, '../../worker/dist')),
    origins: (env.SHARDY_ORIGINS || '').split(',').filter((origin) => origin !== ''),
    policy,
    proxies: proxies.proxies,
    limits: limits.limits,
    tls: readTls(env.SHARDY_TLS_CERT || '', env.SHARDY_TLS_KEY || ''),
    webhookReach: reach,
    hasParent: env.SHARDY_PARENT === 'pipe',
    operation: operation.settings,
    fenced: readPeer(env, 'SHARDY_FENCE'),
  }
}

function readPolicyFile(file: string): Policy {
  if (file === '') return defaults
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    fail('badSetting', `SHARDY_POLICY is '${file}', which cannot be read: ${(error as Error).message}`)
  }
  const read = readPolicy(text)
  if (read.ok) return read.policy
  const { field, value, bound } = read.refusal
  const what = field === '' ? value : `${field} as ${value}`
  return fail('badSetting', `SHARDY_POLICY is '${file}', which has ${what}; it must be ${bound}`)
}

/** Both or none; what they hold is for the TLS library to judge, when it serves. */
function readTls(
  certFile: string,
  keyFile: string,
): { readonly cert: string; readonly key: string } | undefined {
  if (certFile === '' && keyFile === '') return undefined
  const read = (name: string, file: string, what: string): string => {
    if (file === '') fail('badSetting', `${name} is missing; TLS takes SHARDY_TLS_CERT and SHARDY_TLS_KEY`)
    let text = ''
    try {
      text = readFileSync(file, 'utf8')
    } catch (error) {
      fail('badSetting', `${name} is '${file}', which cannot be read: ${(error as Error).message}`)
    }
    if (text.includes(`${what}-----`)) return text
    return fail('badSetting', `${name} is '${file}'; it must be a PEM file with a ${what}`)
  }
  return {
    cert: read('SHARDY_TLS_CERT', certFile, 'CERTIFICATE'),
    key: read('SHARDY_TLS_KEY', keyFile, 'PRIVATE KEY'),
  }
}

/**
 * The first start makes a key; only its hash is in the store, so the file is where a person finds it. A file that a
 * crash left empty gets a new key, and so does an orchestrator whose keys nobody can manage any more.
 */
async function offerKey(file: string, apiKeys: ApiKeys): Promise<void> {
  const offered = await readFile(file, 'utf8').catch(() => undefined)
  if (apiKeys.isManaged() && offered !== '') return
  const handle = await open(file, 'w', 0o600)
  try {
    await chmod(file, 0o600)
    await handle.writeFile(`${await apiKeys.create(firstKeyName, ['requester', 'admin'])}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const settings = readSettings(process.env)
// A reader of our lines that has gone is no reason to stop.
process.stdout.on('error', () => {})
const lines = createLineWriter(
  (text, done) => void process.stdout.write(text, () => done()),
  () => linesDropped.inc(),
)
const log = createLog(lines.write, Date.now, { level: settings.logLevel })
const metrics = createMetrics((error) => log.error('figureNotRead', error))
const linesDropped = metrics.logLinesDropped.bind({})
// Tasks, keys' hashes and identities are nobody else's to read, whoever made the folder.
process.umask(0o077)
await mkdir(settings.data, { recursive: true, mode: 0o700 })
const apiKeyFile = path.join(settings.data, 'api-key')

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

/** Nothing, where nothing is written to a disk. */
async function watchSpace() {
  const { lowBytes, reserveBytes } = settings.operation
  if (settings.store === 'memory' || lowBytes === 0) return undefined
  let told: SpaceState = 'enough'
  const guard = await openSpaceGuard({
    reserveFile: path.join(settings.data, 'reserve'),
    lowBytes,
    reserveBytes,
    everyMs: spaceEveryMs,
    onChange(state, freeBytes) {
      // That there is room at the start is no change.
      if (state === told) return
      told = state
      log[state === 'enough' ? 'info' : 'warn']('spaceChanged', { state, freeBytes, lowBytes })
    },
  })
  return {
    lowBytes,
    get state() {
      return guard.state
    },
    get freeBytes() {
      return guard.freeBytes
    },
    close: () => guard.close(),
  }
}

/** Nobody is to take them for more than they are. */
function tellOfDevelopment(proofs: ReadProofs): void {
  const versions = proofs.developmentVersions().join(' ')
  const what = 'whoever made these keys can forge proofs; make others with `npx shardy ceremony`'
  if (versions !== '') log.info('proofKeysForDevelopment', { versions, what })
}

/** Proofs are verified on all cores but the loop's. */
async function readProofs(folder: string): Promise<ReadProofs> {
  try {
    const opened = await openProofs({
      folder,
      kinds: ['v2', 'v3'],
      sha256,
      openPool: (key) =>
        openVerifierPool({
          key,
          threads: Math.max(1, availableParallelism() - 1),
          replaced: (reason) => log.error('proofThreadReplaced', new Error(reason)),
        }),
    })
    tellOfDevelopment(opened)
    return opened
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return fail('badSetting', `SHARDY_PROOFS is '${folder}', whose manifest cannot be used: ${why}`)
  }
}

async function openAll() {
  const hasLog = settings.operation.standby !== 'off'
  const opened = await openStore({
    kind: settings.store,
    path: path.join(settings.data, 'store'),
    tables,
    columns,
    schemaVersion,
    migrations,
    ...(hasLog && { log: {} }),
  })
  const acknowledged =
    settings.operation.standby === 'acknowledged' ? acknowledgedStore(opened, log) : undefined
  const store = acknowledged ?? opened
  const blobs = await openBlobStore({
    kind: settings.store === 'memory' ? 'memory' : 'file',
    path: path.join(settings.data, 'blobs'),
    blobBytesMax: payloadBytesMax,
  })
  const identity = await openIdentityFile(path.join(settings.data, 'orchestrator-identity.json'))
  const space = await watchSpace()
  const proofs = settings.proofs === undefined ? undefined : await readProofs(settings.proofs)
  const orchestrator = await createOrchestrator(
    {
      store,
      blobs,
      identity,
      sha256,
      verify: verifySignature,
      clock: systemClock,
      log,
      metrics,
      random,
      ...(space && { space }),
      ...(proofs && { proofs }),
      copied: opened,
      hasLog,
      openings: createOpeningsThread(),
      checks: { tools: await openCheckTools(sha256), random },
      // One core is the loop's; a check that takes all others still leaves it turning.
      checkThreads: { open: openHostThread, count: Math.max(1, availableParallelism() - 1) },
      fatal(error) {
        log.error('stoppedByError', error)
        // A moment for those who wait to hear that nothing was taken.
        setTimeout(() => {
          fail('failed', 'What was accepted is on disk; start again once the cause above is mended.')
        }, fatalGraceMs)
      },
    },
    {
      dispatch: settings.policy.dispatch,
      blobs: defaultBlobPolicy,
      gateway: defaultGatewayLimits,
      limits: settings.limits,
      admission: settings.policy.admission,
      book: defaultParameters,
      grantMicroCredit,
      blobBytesMax: payloadBytesMax,
      collectMs: 60_000,
      retentionMs: settings.operation.retentionMs,
      webhooks: { reach: settings.webhookReach, resolve: systemResolve },
    },
  )
  await offerKey(apiKeyFile, orchestrator.services.apiKeys)
  const page = await loadPage(settings.page)
  const serving = serve(orchestrator, {
    host: settings.host,
    port: settings.port,
    origins: settings.origins,
    proxies: settings.proxies,
    tls: settings.tls,
    about: { version: manifest.version, store: settings.store },
    page,
    ...(proofs && { proofFile: proofs.file }),
    blobBytesMax: payloadBytesMax,
    openMetrics: settings.openMetrics,
  })
  acknowledged?.begin()
  return { store, blobs, space, proofs, orchestrator, serving }
}

const { store, blobs, space, proofs, orchestrator, serving } = await openAll().catch((error: unknown) =>
  fail('failed', error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
)
if (settings.logLevel === 'debug' || settings.logLevel === 'info') {
  lines.write(`{"policy":${writePolicy(settings.policy)}}`)
}
const { mode: dispatch } = orchestrator.services.dispatcher.state()
lines.write(JSON.stringify({ ready: true, url: serving.url, apiKeyFile, dispatch }))

const { replication } = orchestrator.services
const stopFencing =
  settings.fenced && replication
    ? keepFencing({ ...settings.fenced, epoch: replication.position().epoch, log })
    : undefined

const figures = watchProcess(metrics, settings.data)

let stopping = false
async function stop(): Promise<void> {
  if (stopping) return
  stopping = true
  await orchestrator.stop()
  await serving.stop()
  await blobs.close()
  await space?.close()
  await store.close()
  figures.stop()
  stopFencing?.()
  // A reader that has stopped reading must not keep the process.
  await Promise.race([lines.flush(), new Promise((resolve) => setTimeout(resolve, flushMs))])
  process.exit(exitCodes.stopped)
}
/** Keys rotate without a stop: what cannot be used leaves everything as it was. */
process.on('SIGHUP', () => {
  proofs?.reload().then(
    () => {
      log.info('proofKeysRead', { offered: proofs.kinds.join(' ') })
      tellOfDevelopment(proofs)
    },
    (error: unknown) => log.error('proofKeysNotRead', error),
  )
})
process.on('SIGINT', stop)
process.on('SIGTERM', stop)
if (settings.hasParent) {
  // Whoever started us holds the other end: when it is gone, so are we.
  process.stdin.on('end', stop)
  process.stdin.on('close', stop)
  process.stdin.resume()
}
