import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { makeCertificate } from '../test/certificate.ts'

let folder: string
const started: { kill(signal: 'SIGKILL'): void; readonly exited: Promise<number> }[] = []

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardy-main-'))
})
afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill('SIGKILL')
    await child.exited
  }
  await rm(folder, { recursive: true, force: true })
})

function start(env: Readonly<Record<string, string>> = {}) {
  const child = Bun.spawn([process.execPath, path.join(import.meta.dir, 'main.ts')], {
    env: { ...process.env, SHARDY_PORT: '0', SHARDY_DATA: folder, SHARDY_STORE: 'sqlite', ...env },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  started.push(child)
  const ready = async (): Promise<{
    readonly url: string
    readonly apiKeyFile: string
    readonly dispatch: string
  }> => {
    let text = ''
    const decoder = new TextDecoder()
    const reader = child.stdout.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) throw new Error(`ended with ${await child.exited}: ${await child.stderr.text()}`)
      text += decoder.decode(value, { stream: true })
      const line = text.split('\n').find((each) => each.includes('"ready":true') && each.endsWith('}'))
      if (line !== undefined) return JSON.parse(line)
    }
  }
  return { child, ready }
}

describe('the policy file', () => {
  test('that cannot be read, or is wrong, ends with 2 and says what it may be', async () => {
    const file = path.join(folder, 'policy.json')
    const missing = start({ SHARDY_POLICY: file })
    expect(await missing.child.stderr.text()).toContain(`SHARDY_POLICY is '${file}', which cannot be read`)
    expect(await missing.child.exited).toBe(2)
    await writeFile(file, '{"trust":{"stakeParts":0}}')
    const wrong = start({ SHARDY_POLICY: file })
    expect(await wrong.child.stderr.text()).toContain(
      'which has trust.stakeParts as 0; it must be a whole number from 1 to 1024',
    )
    expect(await wrong.child.exited).toBe(2)
  })

  test('is what is in force, and is said at the start', async () => {
    const file = path.join(folder, 'policy.json')
    await writeFile(file, '{"admission":{"slackMs":4321}}')
    const { child } = start({ SHARDY_POLICY: file })
    const reader = child.stdout.getReader()
    let text = ''
    while (!text.includes('"ready":true')) text += new TextDecoder().decode((await reader.read()).value)
    const line = text.split('\n').find((each) => each.startsWith('{"policy":')) ?? ''
    expect(JSON.parse(line).policy.admission.slackMs).toBe(4321)
  })
})

describe('a setting that is wrong', () => {
  const wrong: readonly (readonly [string, string])[] = [
    ['SHARDY_STORE', 'postgres'],
    ['SHARDY_PORT', 'http'],
    ['SHARDY_PORT', '-1'],
    ['SHARDY_PORT', '65536'],
    ['SHARDY_PORT', '7700 '],
    ['SHARDY_LOG', 'loud'],
    ['SHARDY_METRICS', 'yes'],
  ]
  for (const [name, value] of wrong) {
    test(`${name}='${value}' ends with 2 and says what it may be`, async () => {
      const { child } = start({ [name]: value })
      const said = await child.stderr.text()
      expect(await child.exited).toBe(2)
      expect(said).toContain(`${name} is '${value}'`)
    })
  }
})

describe('a network, limit or certificate that is wrong', () => {
  const wrong: readonly (readonly [string, string, string])[] = [
    ['SHARDY_PROXIES', '10.0.0.1/8', '10.0.0.1/8'],
    ['SHARDY_PROXIES', '127.0.0.1,*', '*'],
    ['SHARDY_LIMITS', 'submit.key=many', 'submit.key=many'],
    ['SHARDY_TLS_CERT', '/nowhere/cert.pem', '/nowhere/cert.pem'],
  ]
  for (const [name, value, shown] of wrong) {
    test(`${name}='${value}' ends with 2 and says what it may be`, async () => {
      const { child } = start({ [name]: value, ...(name === 'SHARDY_TLS_CERT' && { SHARDY_TLS_KEY: value }) })
      const said = await child.stderr.text()
      expect(await child.exited).toBe(2)
      expect(said).toContain(name)
      expect(said).toContain(`'${shown}'`)
    })
  }

  test('a certificate without its key, or a file that is none, ends with 2', async () => {
    const { cert } = makeCertificate()
    const file = path.join(folder, 'cert.pem')
    await writeFile(file, cert)
    for (const [env, words] of [
      [{ SHARDY_TLS_CERT: file }, 'SHARDY_TLS_KEY is missing'],
      [{ SHARDY_TLS_KEY: file }, 'SHARDY_TLS_CERT is missing'],
      [{ SHARDY_TLS_CERT: file, SHARDY_TLS_KEY: file }, 'PRIVATE KEY'],
    ] as const) {
      const { child } = start(env)
      expect(await child.stderr.text()).toContain(words)
      expect(await child.exited).toBe(2)
    }
  })

  test('a certificate that is right is served', async () => {
    const { cert, key } = makeCertificate()
    const [certFile, keyFile] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')]
    await writeFile(certFile, cert)
    await writeFile(keyFile, key)
    const { url } = await start({ SHARDY_TLS_CERT: certFile, SHARDY_TLS_KEY: keyFile }).ready()
    expect(url).toStartWith('https://')
    expect((await fetch(`${url}/v1/health`, { tls: { ca: cert } })).status).toBe(200)
  })
})

test('the first key manages keys and submits', async () => {
  const first = start()
  const { url, apiKeyFile } = await first.ready()
  const key = (await readFile(apiKeyFile, 'utf8')).trim()
  const headers = { authorization: `Bearer ${key}` }
  const page = (await (await fetch(`${url}/v1/keys`, { headers })).json()) as { keys: { roles: string[] }[] }
  expect(page.keys.map(({ roles }) => roles)).toEqual([['requester', 'admin']])
})

describe('a place that cannot be used', () => {
  test('held by another orchestrator ends with 1', async () => {
    const first = start()
    await first.ready()
    const second = start()
    const said = await second.child.stderr.text()
    expect(await second.child.exited).toBe(1)
    expect(said).toContain('StoreError')
  })

  test('a port that is taken ends with 1', async () => {
    const first = start()
    const { url } = await first.ready()
    const other = await mkdtemp(path.join(tmpdir(), 'shardy-main-'))
    const second = start({ SHARDY_PORT: new URL(url).port, SHARDY_DATA: other })
    expect(await second.child.exited).toBe(1)
    await rm(other, { recursive: true, force: true })
  })

  test('an identity file with something else in it ends with 1', async () => {
    await writeFile(path.join(folder, 'orchestrator-identity.json'), 'not an identity')
    const { child } = start()
    expect(await child.exited).toBe(1)
  })
})

describe('stopping', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`on ${signal} ends with 0, whoever is still listening`, async () => {
      const { child, ready } = start()
      const { url, apiKeyFile } = await ready()
      const key = (await readFile(apiKeyFile, 'utf8')).trim()
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
      const program = { op: 'matmul', m: 1, k: 1, n: 1 }
      const body = JSON.stringify({ kind: 'program', program, input: { base64: 'AAA=' } })
      const submitted = await fetch(`${url}/v1/tasks`, { method: 'POST', headers, body })
      const { taskId } = (await submitted.json()) as { taskId: string }
      const events = await fetch(`${url}/v1/tasks/${taskId}/events`, { headers })
      child.kill(signal)
      child.kill(signal)
      expect(await child.exited).toBe(0)
      await events.text().catch(() => {})
    })
  }

  test('when whoever started it is gone', async () => {
    const { child, ready } = start({ SHARDY_PARENT: 'pipe' })
    await ready()
    await child.stdin.end()
    expect(await child.exited).toBe(0)
  })
})

test('the key lies in a file that only its owner reads, works after a restart, and is nowhere else', async () => {
  const first = start()
  const { apiKeyFile } = await first.ready()
  const key = (await readFile(apiKeyFile, 'utf8')).trim()
  expect((await stat(apiKeyFile)).mode & 0o777).toBe(0o600)
  first.child.kill('SIGTERM')
  await first.child.exited
  const second = start()
  const { url } = await second.ready()
  expect((await readFile(apiKeyFile, 'utf8')).trim()).toBe(key)
  const answer = await fetch(`${url}/v1/tasks`, { headers: { authorization: `Bearer ${key}` } })
  expect(answer.status).toBe(200)
  const found = new Bun.Glob('**/*').scan({ cwd: folder, absolute: true, dot: true })
  for await (const file of found) {
    if (file !== apiKeyFile) expect((await readFile(file)).includes(key)).toBe(false)
  }
})

test('an order to pause outlasts a kill, and the start says so, until somebody resumes', async () => {
  const order = async ({ url, apiKeyFile }: { url: string; apiKeyFile: string }, what: string) => {
    const authorization = `Bearer ${(await readFile(apiKeyFile, 'utf8')).trim()}`
    const answer = await fetch(`${url}/v1/dispatch/${what}`, { method: 'POST', headers: { authorization } })
    expect(answer.status).toBe(200)
  }
  const said: string[] = []
  for (const what of ['pause', 'drain', 'resume', '']) {
    const running = start()
    const ready = await running.ready()
    said.push(ready.dispatch)
    if (what !== '') await order(ready, what)
    running.child.kill('SIGKILL')
    await running.child.exited
  }
  expect(said).toEqual(['running', 'paused', 'draining', 'running'])
})
