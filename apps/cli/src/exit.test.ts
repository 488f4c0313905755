/** Each way a command can fail ends in the code that the table names, with words that say what to do. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ApiError } from '@shardy/sdk'
import { sampleTask, serveRoutes, type TestServer, testApiKey } from '@shardy/sdk/testing'
import { shardy } from '../test/terminal.ts'
import { commands } from './commands.ts'
import { type Exit, exits } from './exit.ts'

const known = sampleTask()
let server: TestServer
let stranger: ReturnType<typeof Bun.serve>
let folder: string
const there = () => ({ SHARDY_URL: server.url, SHARDY_API_KEY: testApiKey })

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardy-cli-exit-'))
  server = serveRoutes({
    getTask: ({ params }) => {
      if (params.taskId === known.taskId) return { status: 200, json: known }
      throw new ApiError('unknownTask', `there is no task ${params.taskId}`)
    },
    listTasks: () => ({ status: 200, json: { tasks: [] } }),
    cancelTask: () => {
      throw new ApiError('taskEnded', 'task is \u001b[31mverified\u0007 already')
    },
    taskOutput: () => new Response('other bytes'),
    taskReceipt: () => {
      throw new ApiError('taskNotVerified', 'the task is waiting')
    },
  })
  stranger = Bun.serve({ port: 0, fetch: () => new Response('<h1>Another program</h1>') })
})
afterAll(async () => {
  await server.close()
  await stranger.stop(true)
  await rm(folder, { recursive: true })
})

test('every code stands once, and the shell keeps it', () => {
  const codes = Object.values(exits).map(({ code }) => code)
  expect(new Set(codes).size).toBe(codes.length)
  for (const code of codes) expect(code >= 0 && code <= 255).toBe(true)
})

describe('ends with', () => {
  const nobody = 'http://127.0.0.1:1'
  const stories: readonly (readonly [Exit, string, () => [string, Record<string, string>?], RegExp])[] = [
    ['done', 'an empty list', () => ['list', there()], /^$/],
    ['usage', 'an unknown command', () => ['frob'], /'frob' is no command\nNext: `npx shardy --help`/],
    ['usage', 'a bad address', () => ['list --url nowhere'], /--url is 'nowhere'; it must be an address/],
    [
      'usage',
      'an address of another kind',
      () => ['list', { SHARDY_URL: 'file:///x' }],
      /SHARDY_URL is 'file:/,
    ],
    ['usage', 'a key with a space', () => ['list', { SHARDY_API_KEY: 'a b' }], /API key must be/],
    ['usage', 'a task id that is none', () => ['get ../secrets', there()], /'..\/secrets' is no task id/],
    [
      'usage',
      'a bad status',
      () => ['list --status odd', there()],
      /--status is 'odd'; it must be one of waiting/,
    ],
    ['usage', 'output without a file', () => [`output ${known.taskId}`, there()], /--to FILE is missing/],
    [
      'unreachable',
      'nobody there',
      () => ['health', { SHARDY_URL: nobody }],
      /nobody answers.*\nNext: .*npm start/,
    ],
    [
      'notAllowed',
      'no key',
      () => ['list', { SHARDY_URL: server.url }],
      /API key is needed.*\nNext: .*--key/,
    ],
    [
      'notAllowed',
      'a wrong key',
      () => ['list', { ...there(), SHARDY_API_KEY: 'x' }],
      /not known here.*\nNext:/,
    ],
    [
      'refused',
      'an unknown task',
      () => [`get ${'f'.repeat(32)}`, there()],
      /No such task.*\nNext: .*shardy list/,
    ],
    [
      'refused',
      'no receipt yet',
      () => [`receipt ${known.taskId}`, there()],
      /not verified.*\nNext: .*shardy wait/,
    ],
    ['refused', 'a bug over there', () => ['workers', there()], /Something broke on our side/],
    [
      'unexpectedAnswer',
      'another program',
      () => ['health', { SHARDY_URL: stranger.url.href }],
      /HTTP 200, and no JSON\nNext: Is another program listening/,
    ],
    [
      'wrongBytes',
      'other bytes than agreed',
      () => [`output ${known.taskId} --to ${folder}/out`, there()],
      /should hash to/,
    ],
    [
      'file',
      'a folder that is not there',
      () => [`output ${known.taskId} --to ${folder}/no/out`, there()],
      /no such file/,
    ],
    ['file', 'a receipt that is not there', () => [`receipt check ${folder}/none`], /none cannot be read/],
    [
      'badReceipt',
      'a receipt that is not JSON',
      () => [`receipt check ${import.meta.path}`],
      /is no receipt: it is not JSON/,
    ],
  ]
  for (const [exit, story, line, message] of stories) {
    test(`${exit}: ${story}`, async () => {
      const [words, env] = line()
      const printed = await shardy(words.split(' '), env)
      expect(printed.exit).toBe(exit)
      expect(printed.stderr).toMatch(message)
      if (exit !== 'done') expect(printed.stdout).toBe('')
    })
  }
})

test('a complaint is one JSON value under --json', async () => {
  const { stderr, stdout } = await shardy(['health', '--json', '--url', 'http://127.0.0.1:1'])
  expect(stdout).toBe('')
  expect(JSON.parse(stderr)).toMatchObject({
    error: 'unreachable',
    next: expect.stringContaining('npm start'),
  })
})

test('what a server says cannot steer the terminal', async () => {
  const { stderr, exit } = await shardy(['cancel', known.taskId], there())
  expect(exit).toBe('refused')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there.
  expect(stderr.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f]/)
})

describe('the local key file', () => {
  test('is used for this machine', async () => {
    await writeFile(path.join(folder, 'api-key'), `${testApiKey}\n`)
    expect((await shardy(['list'], { SHARDY_URL: server.url, SHARDY_DATA: folder })).exit).toBe('done')
  })

  test('is shown to no other machine', async () => {
    await writeFile(path.join(folder, 'api-key'), testApiKey)
    const { readSettings } = await import('./settings.ts')
    const options = {
      has: () => false,
      text: () => undefined,
      whole: () => undefined,
      decimal: () => undefined,
    }
    const keyFor = (url: string) =>
      readSettings(options, { env: { SHARDY_URL: url, SHARDY_DATA: folder } }).apiKey
    expect(['http://127.0.0.1:7700', 'http://localhost:1', 'http://[::1]:2'].map(keyFor)).toEqual(
      Array(3).fill(testApiKey),
    )
    const elsewhere = [
      'http://example.org',
      'http://127.0.0.1.example.org',
      'http://localhost.example.org',
      'http://10.0.0.1',
    ]
    expect(elsewhere.map(keyFor)).toEqual(Array(4).fill(undefined))
  })
})

test('help knows every command and option, and needs no orchestrator', async () => {
  const all = await shardy(['--help'])
  for (const { name, options } of commands) {
    expect(all.stdout).toContain(name)
    const { stdout, exit } = await shardy([...name.split(' '), '--help'])
    expect(exit).toBe('done')
    for (const option of Object.keys(options)) expect(stdout).toContain(`--${option}`)
  }
  for (const { meaning } of Object.values(exits)) expect(all.stdout).toContain(meaning)
})
