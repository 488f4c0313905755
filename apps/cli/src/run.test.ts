/** Every command against a real server with canned answers. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sha256 } from '@shardy/crypto/native'
import { encodeHex } from '@shardy/protocol'
import {
  ApiError,
  type DispatchView,
  type EventView,
  type QuoteView,
  receiptToJson,
  type Submission,
  type TaskView,
  type WorkerView,
} from '@shardy/sdk'
import {
  makeSampleReceipt,
  type SampleReceipt,
  sampleTask,
  serveRoutes,
  type TestServer,
  testApiKey,
} from '@shardy/sdk/testing'
import { shardy } from '../test/terminal.ts'
import { randomBytes } from './matrices.ts'

let sample: SampleReceipt
let folder: string
let server: TestServer
let task: TaskView
let submitted: Submission | undefined
let asked: Record<string, unknown> | undefined
let nextCursor: string
/** A small input lies beside its task; of another's task only blobs can be read. */
let hasTaskInput = true
let events: readonly Omit<EventView, 'sequence' | 'atMs'>[] = []
/** Of single tasks, where it is not that of `task`. */
let statuses = new Map<string, TaskView['status']>()
/** How many pages a list has; 0: one, with the cursor of the test. */
let pages = 0
const deadLetter = () => ({
  requesterId: 'cd'.repeat(32),
  revivals: 2,
  task,
  history: [
    {
      sequence: 1,
      atMs: 1_760_000_000_000,
      type: 'lost',
      workerId: 'aa'.repeat(32),
      detail: 'lease \u001b[2J',
    },
  ],
})
const workerView = (workerId: string): WorkerView => ({
  workerId,
  connected: true,
  draining: false,
  quarantined: false,
  banned: false,
  executor: 'cpu',
  adapter: 'B \u001b[2J',
  presence: 'hidden',
  profile: {
    kinds: ['program', 'lite'],
    tier: 2,
    operationsPerSecond: 999_999_999,
    hiddenPermille: 305,
    memoryBytes: 1024 ** 3,
    slots: 4,
    features: ['shader-f16'],
    region: '',
    operator: 'somebody',
  },
  inFlight: 0,
  idle: { text: '3 tasks wait, none for you: 3 for a higher tier than yours', constraints: ['tierTooLow'] },
  standing: {
    firstSeenMs: 1_760_000_000_000,
    accepted: 9,
    disagreed: 1,
    wrong: 2,
    lost: 3,
    rejected: 4,
    corrupted: 5,
    offences: 1,
  },
  reputation: 0.75,
  lockedMicroCredit: '1500000',
})
const dispatchView = (mode: DispatchView['mode']): DispatchView => ({
  mode,
  liveTasks: 12,
  queuedInputs: 1,
  classes: [
    {
      kind: 'program',
      tierMin: 2,
      features: ['shader-f16\u001b[2J'],
      payloadBytes: 2048,
      memoryBytes: 4096,
      waiting: 7,
      oldestWaitingMs: 61_000,
    },
  ],
  workers: { connected: 3, idle: 2, draining: 1, quarantined: 0 },
})
const quoteView: QuoteView = {
  currency: 'test credits',
  costModel: { id: 'ce'.repeat(32), version: 1 },
  unitsNormalised: '60',
  perDeliveryMicroCredit: '20',
  microCredit: '63',
  lines: [
    { what: 'operations', unitsNormalised: '60', microCredit: '60', to: 'workers' },
    { what: 'fee', unitsNormalised: '0', microCredit: '3', to: 'fees' },
  ],
}
/** Holds the end of the event stream back until it is called. */
let release: (() => void) | undefined
const env = () => ({ SHARDY_URL: server.url, SHARDY_API_KEY: testApiKey })
const cli = (...words: string[]) => shardy(words, env())
const inFolder = (name: string) => path.join(folder, name)

const verified = (): Partial<TaskView> => ({
  status: 'verified',
  decidedAtMs: 1_760_000_001_500,
  input: { digest: sample.receipt.inputDigest, length: sample.receipt.inputLength },
  outputDigest: sample.receipt.outputDigest,
  outputLength: sample.receipt.outputLength,
  basis: 'agreement',
  rests: '2 distinct workers gave the same bytes; who colludes can agree on a wrong answer',
  deliveries: ['aa', 'bb'].map((id) => ({
    deliveryId: id.repeat(16),
    workerId: id.repeat(32),
    state: 'settled',
    outcome: 'accepted',
    rewardMicroCredit: '500',
    leasedAtMs: 1_760_000_000_100,
    deadlineMs: 1_760_000_060_000,
  })),
})

function stream(): Response {
  const text = events
    .map(
      (event, index) =>
        `data: ${JSON.stringify({ sequence: index + 1, atMs: 1_760_000_000_000, ...event })}\n\n`,
    )
    .join('')
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(`${text}: still here\n\n`))
      if (release === undefined) controller.close()
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}

/** What was asked of the stream of all events, and the connections that answer, in turn. */
let askedEvents: string[] = []
let connections: string[] = []

function streamOfAll(query: object, headers: object): Response {
  askedEvents.push(JSON.stringify({ ...query, ...headers }))
  const text = connections[Math.min(askedEvents.length, connections.length) - 1]
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } })
}

beforeAll(async () => {
  sample = await makeSampleReceipt()
  folder = await mkdtemp(path.join(tmpdir(), 'shardy-cli-'))
  server = serveRoutes({
    submitTask: ({ body }) => {
      submitted = body
      return { status: 201, json: { ...task, status: 'waiting', decidedAtMs: task.submittedAtMs } }
    },
    listTasks: ({ query }) => {
      asked = query
      if (pages > 0 && --pages === 0) return { status: 200, json: { tasks: [task] } }
      if (query.cursor === 'ee'.repeat(24)) return { status: 200, json: { tasks: [], nextCursor } }
      const next = pages > 0 ? String(pages).padStart(48, '0') : nextCursor
      return { status: 200, json: { tasks: [task], nextCursor: next } }
    },
    getTask: ({ params: { taskId } }) => {
      const status = statuses.get(taskId) ?? task.status
      return { status: 200, json: { ...task, taskId, status } }
    },
    cancelTask: ({ params: { taskId } }) => {
      if (statuses.get(taskId) === 'waiting') throw new ApiError('badApiKey', 'it is none')
      if (statuses.get(taskId) === 'dead') throw new ApiError('taskEnded', 'it is dead')
      return { status: 200, json: { ...task, taskId, status: 'cancelled' } }
    },
    listDeadLetters: () => ({ status: 200, json: { deadLetters: [deadLetter()] } }),
    getDeadLetter: () => ({ status: 200, json: deadLetter() }),
    requeueDeadLetter: ({ body }) => {
      asked = body
      return { status: 200, json: deadLetter() }
    },
    purgeDeadLetter: () => new Response(null, { status: 204 }),
    balance: () => ({
      status: 200,
      json: {
        requesterId: 'ab'.repeat(32),
        currency: 'test credits',
        balanceMicroCredit: '1500000',
        reservedMicroCredit: '250000',
        grantMicroCredit: '2000000',
        note: 'Worth nothing elsewhere.',
      },
    }),
    forgetTask: () => new Response(null, { status: 204 }),
    taskEvents: stream,
    events: ({ query, headers }) => streamOfAll(query, headers),
    taskReceipt: () => ({ status: 200, json: receiptToJson(sample.receipt) }),
    taskOutput: () => new Response(Uint8Array.from(sample.output)),
    taskInput() {
      if (!hasTaskInput) throw new ApiError('unknownTask', 'it is not yours')
      return new Response(sample.input)
    },
    getBlob() {
      if (hasTaskInput) throw new ApiError('unknownBlob', 'it lies beside its task')
      return new Response(sample.input)
    },
    workers: () => ({
      status: 200,
      json: {
        workers: [
          {
            workerId: 'ab'.repeat(32),
            connected: true,
            executor: 'webgpu',
            adapter: 'A \u001b[2J\u009b2J\u202e\u200b device',
            measured: {
              chain: 'product',
              tier: 3,
              operationsPerSecond: 63_240_000_000,
              soloOperationsPerSecond: 63_240_000_000,
              stableBytes: 1024,
              roundTripMs: 3,
              measuredAtMs: 1_760_000_000_000,
              reason: 'arrival',
            },
            presence: 'available',
            draining: false,
            quarantined: true,
            idle: 'beingMeasured',
            inFlight: 1,
            acceptedCount: 7,
            disagreedCount: 0,
            earnedMicroCredit: '3500',
          },
        ],
      },
    }),
    getWorker: ({ params: { workerId } }) => ({ status: 200, json: workerView(workerId) }),
    operateWorker: ({ params: { workerId, order } }) => {
      asked = { workerId, order }
      return { status: 200, json: { ...workerView(workerId), draining: order === 'drain' } }
    },
    dispatch: () => ({ status: 200, json: dispatchView('running') }),
    operateDispatch: ({ params: { order } }) => {
      asked = { order }
      return { status: 200, json: dispatchView(order === 'pause' ? 'paused' : 'draining') }
    },
    quote: ({ query }) => {
      asked = query
      return { status: 200, json: quoteView }
    },
    health: () => ({
      status: 200,
      json: {
        status: 'ok',
        version: '0.1.0',
        orchestratorId: sample.orchestratorId,
        publicKey: Buffer.from(sample.receipt.orchestratorKey).toString('base64'),
        workers: 2,
        tasks: { waiting: 0, running: 1 },
        uptimeMs: 61_000,
        store: 'rocksdb',
        space: 'enough',
      },
    }),
  })
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})
beforeEach(() => {
  task = sampleTask(verified())
  nextCursor = '0f'.repeat(24)
  submitted = undefined
  release = undefined
  events = [{ type: 'delivered', workerId: 'aa'.repeat(32) }, { type: 'answered' }, { type: 'task_verified' }]
})

describe('submit matmul', () => {
  test('random matrices are those of the seed', async () => {
    const { exit, stdout } = await cli('submit', 'matmul', '--m', '3', '--k', '5', '--n', '2', '--seed', '9')
    expect(exit).toBe('done')
    expect(stdout).toContain('--seed 9')
    expect(stdout).toContain(`npx shardy wait ${task.taskId}`)
    const wanted = Buffer.from(randomBytes(9n, 25)).toString('base64')
    expect(submitted).toEqual({
      kind: 'program',
      program: { op: 'matmul', m: 3, k: 5, n: 2 },
      input: { base64: wanted },
    })
  })

  test('terms and files travel as they were given', async () => {
    await writeFile(inFolder('a'), sample.input.subarray(0, 15))
    await writeFile(inFolder('b'), sample.input.subarray(15))
    const shape = ['--m', '3', '--k', '5', '--n', '2', '--a', inFolder('a'), '--b', inFolder('b')]
    const terms =
      '--redundancy 3 --reward 70 --proof v2 --priority 9 --tier 2 --feature shader-f16,b --region eu --timeout 2min'
    const { exit } = await cli('submit', 'matmul', ...shape, ...terms.split(' '), '--no-wait')
    expect(exit).toBe('done')
    expect(submitted).toMatchObject({
      redundancy: 3,
      rewardMicroCredit: '70',
      proof: 'v2',
      priority: 9,
      tierMin: 2,
      features: ['shader-f16', 'b'],
      region: 'eu',
      timeoutMs: 120_000,
      input: { base64: Buffer.from(sample.input).toString('base64') },
    })
  })

  test('--wait ends with the verified task and its output', async () => {
    const file = inFolder('c')
    const { exit, stdout, stderr } = await cli('submit', 'matmul', '--size', '4', '--wait', '--to', file)
    expect(exit).toBe('done')
    expect(stdout).toContain('is verified after 1.5 s: 2 distinct workers gave the same bytes')
    expect(stdout).toContain(`npx shardy receipt ${task.taskId} --to receipt.json`)
    expect(stderr).toContain('worker aaaaaaaaaaaa… has it')
    expect(new Uint8Array(await readFile(file))).toEqual(Uint8Array.from(sample.output))
  })

  const refusals: readonly (readonly [string, RegExp])[] = [
    ['', /--m is missing\nNext: Give --size N/],
    ['--m 3 --n 3', /--k is missing/],
    ['--size 3 --m 3', /--size stands for/],
    ['--size 0', /--size is '0'; it must be a whole number from 1/],
    ['--size 65535', /has \d+ bytes, the limit is/],
    ['--size 3 --redundancy 0', /--redundancy is '0'; it must be a whole number from 1 to 7/],
    ['--size 3 --reward 9223372036854775808', /--reward is .* from 0 to 1000000000000000/],
    ['--size 3 --verify quorum(2,3)', /--verify is 'quorum\(2,3\)'; it must be checked, .*\nNext: Quote it/],
    ['--size 3 --verify checked --redundancy 2', /leave --redundancy out/],
    ['--size 3 --proof v9', /--proof is 'v9'; it must be one of none, v2, v3/],
    ['--size 3 --priority 10', /--priority is '10'; it must be a whole number from 0 to 9/],
    ['--size 3 --tier 4', /--tier is '4'; it must be a whole number from 0 to 3/],
    ['--size 3 --feature a,,b', /--feature is 'a,,b'; it must be at most 32 words/],
    [`--size 3 --feature ${'x'.repeat(65)}`, /at most 64 characters/],
    [`--size 3 --region ${'x'.repeat(17)}`, /--region is .* a word of at most 16/],
    ['--size 3 --timeout 10', /--timeout is '10'; it must be such as 90s/],
    ['--size 3 --timeout 25h', /at most 24h/],
    ['--size 3 --wait --no-wait', /--no-wait cannot both be meant/],
    ['--size 3 --to x', /--to needs --wait/],
    ['--size 3 --a x', /--b is missing/],
    ['--size 3 --a FILE --b FILE --seed 3', /--seed makes random matrices/],
    ['--size 1 --a FILE --b FILE', /cannot be read: it has \d+ bytes, at most 1/],
    ['--size 999 --a FILE --b FILE', /has \d+ bytes; 999 × 999 takes 998001/],
  ]
  for (const [line, message] of refusals) {
    test(`'${line}' is refused before anything is sent`, async () => {
      const words = line
        .split(' ')
        .filter(Boolean)
        .map((word) => (word === 'FILE' ? import.meta.path : word))
      const { exit, stderr } = await cli('submit', 'matmul', ...words)
      expect(stderr).toMatch(message)
      expect(exit).toBe(message.source.startsWith('cannot be read') ? 'file' : 'usage')
      expect(submitted).toBeUndefined()
    })
  }
})

describe('submit lite', () => {
  test('sends rounds and lanes, and checks what cannot be', async () => {
    const file = inFolder('notes')
    await writeFile(file, 'abc')
    expect((await cli('submit', 'lite', '--input', file, '--rounds', '9', '--lanes', '2')).exit).toBe('done')
    const input = { base64: Buffer.from('abc').toString('base64') }
    expect(submitted).toEqual({ kind: 'lite', program: { rounds: 9, lanes: 2, inputLength: 3 }, input })
    expect((await cli('submit', 'lite', '--input', file, '--rounds', '9', '--verify', 'adaptive')).exit).toBe(
      'done',
    )
    expect(submitted).toMatchObject({ kind: 'superLite', verify: 'adaptive' })
    expect((await cli('submit', 'lite', '--rounds', '9')).stderr).toContain('--input is missing')
    expect((await cli('submit', 'lite', '--input', file)).stderr).toContain('--rounds is missing')
  })
})

describe('quote', () => {
  test('prices a product line by line, and submits nothing', async () => {
    const words = ['quote', 'matmul', '--size', '32', '--verify', 'quorum(3,2)', '--proof', 'v2']
    const { exit, stdout } = await cli(...words)
    expect(exit).toBe('done')
    expect(asked).toEqual({
      complexity: '32768',
      inputLength: '2048',
      outputLength: '4096',
      constantBytes: '0',
      verify: 'quorum(3,2)',
      proof: 'v2',
    })
    expect(stdout).toBe(
      'matrix product 32 × 32 · 32 × 32, with --verify quorum(3,2), costs 0.000063 test credits:\n' +
        '  FOR         UNITS  MICRO-CREDITS  TO\n' +
        '  operations  60     60             workers\n' +
        '  fee         0      3              fees\n' +
        '  total       60     63\n' +
        "One worker's pay is 20 micro-credits, by cost model 1 (cececececece…).\n" +
        'These are the published rates. What a task does pay is its --reward.\n',
    )
    expect(submitted).toBeUndefined()
  })

  const policies: readonly (readonly [string, string])[] = [
    ['', 'checked'],
    ['--redundancy 1', 'checked'],
    ['--redundancy 3', 'quorum(3,3)'],
    ['--verify audited(50)', 'audited(50)'],
  ]
  for (const [line, verify] of policies) {
    test(`'${line}' is priced as ${verify}`, async () => {
      const { stdout } = await cli(
        'quote',
        'matmul',
        '--size',
        '2',
        ...line.split(' ').filter(Boolean),
        '--json',
      )
      expect(asked).toMatchObject({ verify })
      expect(JSON.parse(stdout)).toEqual({ ...quoteView, verify })
    })
  }

  test('counts rounds, and refuses more of them than a worker would do', async () => {
    const file = inFolder('counted')
    await writeFile(file, 'abcdefgh')
    expect((await cli('quote', 'lite', '--input', file, '--rounds', '9')).exit).toBe('done')
    expect(asked).toMatchObject({ complexity: '72', inputLength: '8', outputLength: '4' })
    const many = await cli('quote', 'lite', '--input', file, '--rounds', '1073741824')
    expect([many.exit, many.stderr]).toEqual(['usage', expect.stringContaining('byte steps, the limit is')])
  })

  test('a shader whose answer cannot be checked is priced as the agreement of two', async () => {
    const source = inFolder('float.wgsl')
    await writeFile(
      source,
      '@group(0) @binding(0) var<storage, read_write> a: array<f32, 4>;\n' +
        '@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3<u32>) {\n' +
        '  if (id.x < 4u) { a[id.x] = sin(f32(id.x)); }\n}\n',
    )
    const { stderr, exit } = await cli('quote', 'shader', source, '--allow-inexact')
    expect([exit, stderr]).toEqual(['done', ''])
    expect(asked).toMatchObject({ verify: 'quorum(2,2)', outputLength: '16', proof: 'none' })
  })
})

describe('a task whose answer nobody checked', () => {
  test('is called accepted, never verified, with a code of its own', async () => {
    const rests = 'one worker was taken at its word'
    task = sampleTask({ ...verified(), status: 'accepted', basis: 'trusted', rests, verify: 'adaptive' })
    events = [{ type: 'task_accepted' }]
    const { exit, stdout } = await cli('wait', task.taskId)
    expect(exit).toBe('accepted')
    expect(stdout).toContain('is accepted, NOT verified after 1.5 s: one worker was taken at its word')
  })

  test('a wrong answer is told as one', async () => {
    const deliveries = (verified().deliveries ?? []).map((each) => ({
      ...each,
      outcome: 'wrong' as const,
      rewardMicroCredit: '0',
    }))
    task = sampleTask({ ...verified(), deliveries })
    expect((await cli('get', task.taskId)).stdout).toContain('wrong: checked, and not the answer  not paid')
  })
})

describe('several tasks', () => {
  const ids = ['1', '2', '3'].map((digit) => digit.repeat(32))

  test('are waited for together, and one that is not verified gives the code', async () => {
    statuses = new Map([[ids[1] ?? '', 'accepted']])
    askedEvents = []
    connections = ['event: end\ndata: {"reason":"caughtUp","cursor":"3"}\n\n']
    const some = await cli('wait', ...ids, '--json')
    expect(some.exit).toBe('accepted')
    expect(JSON.parse(some.stdout).tasks).toHaveLength(3)
    statuses = new Map()
    expect((await cli('wait', ids[0] ?? '', ids[2] ?? '')).exit).toBe('done')
    expect((await cli('wait', ...ids, '--to', 'x')).stderr).toContain('--to takes the output of one task')
  })

  test('that were cancelled before one failed are told', async () => {
    const [first = '', second = ''] = ['0a', '0b'].map((each) => each.repeat(16))
    statuses.set(second, 'waiting')
    const { exit, stderr } = await cli('cancel', first, second)
    statuses.delete(second)
    expect(exit).toBe('notAllowed')
    expect(stderr).toContain(`Task ${first} is cancelled.`)
  })

  test('are cancelled each for itself', async () => {
    statuses = new Map([[ids[1] ?? '', 'dead']])
    const { exit, stdout } = await cli('cancel', ...ids)
    expect(exit).toBe('refused')
    expect(stdout).toContain(`Task ${ids[0]} is cancelled.`)
    expect(stdout).toContain(`Task ${ids[1]}: The task has ended already`)
    expect(stdout).toContain(`Task ${ids[2]} is cancelled.`)
    statuses = new Map()
  })

  test('are all listed, page after page', async () => {
    pages = 3
    const { stdout } = await cli('list', '--all', '--json')
    expect(JSON.parse(stdout).tasks).toHaveLength(3)
    expect(asked).toMatchObject({ limit: '200' })
    expect((await cli('list', '--all', '--limit', '3')).exit).toBe('usage')
    pages = 0
  })

  test('an output is fetched beside its task', async () => {
    const file = inFolder('got')
    expect((await cli('get', task.taskId, '--output', file)).stdout).toEndWith(`The output is in ${file}.\n`)
    expect(new Uint8Array(await readFile(file))).toEqual(Uint8Array.from(sample.output))
  })
})

describe('operators', () => {
  test('see dead letters, put them back and purge them', async () => {
    task = sampleTask({ status: 'dead', deadReason: 'attemptsExhausted', decidedAtMs: 1_760_000_000_000 })
    for (const words of [['dead-letters'], ['dead-letters', 'list']]) {
      expect((await cli(...words)).stdout).toContain(`${task.taskId}  attemptsExhausted  0           2`)
    }
    const shown = await cli('dead-letters', 'show', task.taskId)
    expect(shown.stdout).toContain('too many workers failed at it')
    expect(shown.stdout).toMatch(
      /History:\n {2}2025-10-09T08:53:20.000Z {2}lost {2}worker aaaaaaaaaaaa… {2}lease \?\[2J/,
    )
    const requeued = await cli('dead-letters', 'requeue', task.taskId, '--timeout', '1h')
    expect(requeued.stdout).toBe(`Task ${task.taskId} waits again.\n`)
    expect(asked).toEqual({ timeoutMs: 3_600_000 })
    expect((await cli('dead-letters', 'purge', task.taskId)).stdout).toContain('is forgotten')
    expect((await cli('dead-letters', 'purge', 'x')).exit).toBe('usage')
  })

  test('see what waits and for what, pause, resume and drain', async () => {
    for (const words of [['dispatch'], ['dispatch', 'status']]) {
      expect((await cli(...words)).stdout).toBe(
        'Dispatch is running.\n' +
          '  tasks    12 tasks live, 1 input to be decided\n' +
          '  workers  3 connected, 2 idle, 1 draining, 0 quarantined\n' +
          'WAITING  OLDEST  KIND     TIER  PAYLOAD  MEMORY   FEATURES\n' +
          '7        1 min   program  2     2.0 KiB  4.0 KiB  shader-f16?[2J\n',
      )
    }
    for (const order of ['pause', 'resume', 'drain']) {
      expect((await cli('dispatch', order)).exit).toBe('done')
      expect(asked).toEqual({ order })
    }
    expect((await cli('dispatch', 'pause')).stdout).toStartWith('Dispatch is paused: tasks are taken')
    expect((await cli('dispatch', 'stop')).exit).toBe('usage')
  })

  test('see one worker by the beginning of its id, drain and undrain it', async () => {
    const workerId = 'ab'.repeat(32)
    const shown = await cli('worker', 'show', 'abababababab')
    expect(shown.stdout).toStartWith(`Worker ${workerId}\n  now         hidden\n`)
    expect(shown.stdout).toContain('1000 M operations a second, 30.5 % of it in a hidden tab')
    expect(shown.stdout).toContain('for a higher tier than yours (tierTooLow)')
    expect(shown.stdout).toContain('9 accepted, 1 disagreed, 2 wrong')
    expect(shown.stdout).toContain('may lose    1.5 test credits')
    expect(shown.stdout).not.toContain('\u001b')
    for (const order of ['drain', 'undrain']) {
      expect((await cli('worker', order, workerId)).exit).toBe('done')
      expect(asked).toEqual({ workerId, order })
    }
    expect((await cli('worker', 'drain', workerId)).stdout).toContain('hidden, draining')
    const refusals = [
      ['ab', 'is no worker id'],
      ['AB'.repeat(32), 'is no worker id'],
      ['cdcdcdcd', 'no worker has an id that begins with'],
    ] as const
    for (const [word, message] of refusals) {
      const refused = await cli('worker', 'show', word)
      expect([refused.exit, refused.stderr]).toEqual(['usage', expect.stringContaining(message)])
    }
  })

  test('what one has is said in test credits', async () => {
    expect((await cli('balance')).stdout).toMatch(
      /^You have 1\.5 test credits for new tasks\.\n {2}set aside {2}0\.25/,
    )
  })

  test('evidence that is none is refused with a code of its own', async () => {
    const file = inFolder('evidence.json')
    await writeFile(file, '{"programId": 1}')
    const { exit, stdout } = await cli('evidence', 'check', file)
    expect([exit, stdout]).toEqual([
      'badEvidence',
      expect.stringContaining('does NOT hold: it is no evidence'),
    ])
    expect((await cli('evidence', 'check', file, '--orchestrator', 'x')).exit).toBe('usage')
    expect((await cli('evidence', 'fetch', 'x')).exit).toBe('usage')
  })
})

describe('wait', () => {
  test('a task that ends otherwise is told, with its reason', async () => {
    task = sampleTask({ status: 'dead', deadReason: 'deadline', decidedAtMs: 1_760_000_600_000 })
    events = [{ type: 'task_dead' }]
    const { exit, stdout } = await cli('wait', task.taskId)
    expect(exit).toBe('notVerified')
    expect(stdout).toContain('died after 10 min: its deadline passed')
  })

  test('says what the task waits for, and how to come back after Ctrl-C', async () => {
    task = sampleTask()
    events = []
    release = () => {}
    const stop = new AbortController()
    let told = ''
    const printed = await shardy(['wait', task.taskId], env(), {
      signal: stop.signal,
      tell(text) {
        told += text
        if (text.includes('no worker is connected')) stop.abort()
      },
    })
    expect(printed.exit).toBe('interrupted')
    expect(told).toContain('waiting; needs 2 more workers; no worker is connected')
    expect(told).toContain(`npx shardy wait ${task.taskId}`)
  })
})

describe('events', () => {
  const part = (cursor: number, more: object = {}): string =>
    `id: ${cursor}\ndata: ${JSON.stringify({ cursor: String(cursor), atMs: 1_760_000_000_000, type: 'delivered', ...more })}\n\n`
  const caughtUp = (cursor: number): string =>
    `event: end\ndata: ${JSON.stringify({ reason: 'caughtUp', cursor: String(cursor) })}\n\n`
  beforeEach(() => {
    askedEvents = []
  })

  test('that happened are shown line by line, and a broken line is opened again', async () => {
    const spent = {
      workUnits: 512,
      bytesIn: 1,
      bytesOut: 2,
      computeMs: 3,
      replicas: 1,
      checkedBy: 'projection',
      rewardMicroCredit: '1500',
    }
    connections = [
      part(3, { taskId: 'ab'.repeat(16), workerId: 'cd'.repeat(32), detail: 'lease \u001b[2J' }),
      part(3) + part(4, { type: 'task_verified', spent }) + caughtUp(4),
    ]
    const { exit, stdout } = await cli('events')
    expect(exit).toBe('done')
    expect(stdout).toBe(
      '2025-10-09T08:53:20.000Z       3  delivered           task abababababab…  worker cdcdcdcdcdcd…  lease ?[2J\n' +
        '2025-10-09T08:53:20.000Z       4  task_verified       512 work units, 0.0015 test credits\n',
    )
    expect(askedEvents).toEqual(['{"after":"oldest","live":"no"}', '{"after":"3","live":"no"}'])
  })

  test('are one JSON object a line with --json, of the types and behind the cursor that were asked for', async () => {
    connections = [part(8) + part(9, { type: 'slashed' }) + caughtUp(9)]
    const { stdout } = await cli('events', '--json', '--after', '7', '--types', 'delivered,slashed')
    const lines = stdout.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line).cursor)).toEqual(['8', '9'])
    expect(askedEvents).toEqual(['{"after":"7","types":"delivered,slashed","live":"no"}'])
  })

  test('are followed until Ctrl-C, which says how to go on', async () => {
    connections = [part(11)]
    const stop = new AbortController()
    const { exit, stderr } = await shardy(['events', '--follow'], env(), {
      signal: stop.signal,
      print: () => stop.abort(),
    })
    expect(exit).toBe('interrupted')
    expect(stderr).toContain('npx shardy events --follow --after 11')
    expect(askedEvents[0]).toBe('{}')
  })

  test('words that cannot be are refused before anything is asked', async () => {
    for (const words of [
      ['--after', 'x'],
      ['--after', '01'],
      ['--types', 'slashed,'],
      ['--types', 'no'],
    ]) {
      expect((await cli('events', ...words)).exit).toBe('usage')
    }
    expect(askedEvents).toEqual([])
  })
})

describe('looking', () => {
  test('list shows tasks and how to see more', async () => {
    const { stdout } = await cli('list', '--status', 'verified', '--limit', '7')
    expect(asked).toEqual({ limit: '7', status: 'verified' })
    expect(stdout).toMatch(new RegExp(`${task.taskId}  verified  matrix product 3 × 5 · 5 × 2  1 min ago`))
    expect(stdout).toContain(`--cursor ${'0f'.repeat(24)}`)
  })
  test('an empty page with more behind it says so', async () => {
    const { stdout } = await cli('list', '--status', 'dead', '--cursor', 'ee'.repeat(24))
    expect(stdout).toContain('No tasks that are dead so far; more may follow.')
    expect(stdout).toContain(`--cursor ${'0f'.repeat(24)}`)
  })
  test('a cursor that is no plain word is not offered to a shell', async () => {
    nextCursor = 'x;\u001b[2Jreboot'
    const { stdout } = await cli('list')
    expect(stdout).toEndWith('\nThere are more.\n')
    expect(stdout).not.toContain('reboot')
  })
  test('get shows a task that waits', async () => {
    task = sampleTask()
    expect((await cli('get', task.taskId)).stdout).toContain(
      'is waiting; needs 2 more workers; no worker is connected',
    )
  })
  test('workers cannot draw on the terminal', async () => {
    const { stdout } = await cli('workers')
    expect(stdout).toContain(
      'abababababab  available, quarantined  3     63.2 G  webgpu  1     being measured  7         0          0.0035  A ?[2J?2J?? device',
    )
  })
  test('nor can they in JSON, which reads back as it was', async () => {
    const { stdout } = await cli('workers', '--json')
    expect(stdout).toContain('A \\u001b[2J\\u009b2J\\u202e\\u200b device')
    expect(stdout).toMatch(/^[\x20-\x7e]*\n$/)
    expect(JSON.parse(stdout)).toMatchObject({
      workers: [{ adapter: 'A \u001b[2J\u009b2J\u202e\u200b device' }],
    })
  })
  test('health says who it is', async () => {
    const { stdout } = await cli('health')
    expect(stdout).toContain(sample.orchestratorId)
    expect(stdout).toContain('2 workers connected')
  })
  test('cancel and forget say what became of the task', async () => {
    expect((await cli('cancel', task.taskId)).stdout).toContain('was cancelled')
    expect((await cli('forget', task.taskId)).stdout).toContain('is forgotten')
  })
})

test('every command prints one JSON value with --json, and nothing else', async () => {
  await writeFile(inFolder('r.json'), JSON.stringify(receiptToJson(sample.receipt)))
  const id = task.taskId
  const lines = [
    ['submit', 'matmul', '--size', '2', '--wait'],
    ['wait', id],
    ['get', id],
    ['list'],
    ['cancel', id],
    ['output', id, '--to', inFolder('o')],
    ['receipt', id],
    ['receipt', id, '--to', inFolder('r2.json')],
    ['receipt', 'check', inFolder('r.json')],
    ['forget', id],
    ['workers'],
    ['worker', 'show', 'ab'.repeat(32)],
    ['worker', 'drain', 'ab'.repeat(32)],
    ['dispatch'],
    ['dispatch', 'pause'],
    ['quote', 'matmul', '--size', '2'],
    ['health'],
  ]
  for (const line of lines) {
    const { stdout, exit } = await cli(...line, '--json')
    expect(exit).toBe('done')
    expect(stdout.trimEnd().split('\n').length).toBe(1)
    expect(typeof JSON.parse(stdout)).toBe('object')
  }
})

describe('receipt', () => {
  const nobody = { SHARDY_URL: 'http://127.0.0.1:1' }
  let file: string
  beforeEach(async () => {
    file = inFolder('receipt.json')
    expect((await cli('receipt', task.taskId, '--to', file)).exit).toBe('done')
  })
  const check = (...more: string[]) => shardy(['receipt', 'check', file, ...more], nobody)

  test('holds offline, and says what that proves and what not', async () => {
    const { exit, stdout } = await check()
    expect(exit).toBe('done')
    expect(stdout).toContain(`The receipt of task ${sample.receipt.taskId} holds.`)
    expect(stdout).toContain('2 distinct worker keys signed this same answer')
    expect(stdout).toContain('does not prove: that the answer is right')
    expect(stdout).toContain("0.001 test credits, by the orchestrator's word")
    expect(stdout).toContain('once you demand: --task ID --program 3x5x2 --input FILE')
  })

  test('of the task that was demanded it holds, of another it does not', async () => {
    const own = await check('--task', sample.receipt.taskId)
    expect(own.stdout).toContain('task id       as you demanded')
    expect(own.stdout).toContain('once you demand: --program 3x5x2 --input FILE')
    const other = await check('--task', 'e'.repeat(32))
    expect(other.exit).toBe('badReceipt')
    expect(other.stdout).toContain('otherTask')
    expect((await check('--task', 'e'.repeat(64))).exit).toBe('usage')
  })

  test('its help says whom the id of the orchestrator may come from', async () => {
    const { stdout } = await check('--help')
    expect(stdout).toMatch(/asks the one who is being checked: write it down at first contact/)
  })

  test('recomputed from a file, it says that this machine got the same bits', async () => {
    await writeFile(inFolder('in'), sample.input)
    await writeFile(inFolder('out'), sample.output)
    const all = [
      '--input',
      inFolder('in'),
      '--output',
      inFolder('out'),
      '--orchestrator',
      sample.orchestratorId,
    ]
    const { exit, stdout } = await check('--recompute', ...all)
    expect(exit).toBe('done')
    expect(stdout).toContain('this machine got the same bits')
    expect(stdout).toContain('as you demanded')
    expect(stdout).not.toContain('does not prove')
  })

  test('checked, it says what that proves and what the chance of a mistake is', async () => {
    const output = inFolder('output')
    await writeFile(output, sample.output)
    const { exit, stdout } = await cli('receipt', 'check', file, '--check', '--output', output)
    expect(exit).toBe('done')
    expect(stdout).toContain('Checked by computing it again: the answer is right for this program and input')
  })

  test('recomputed without a file, the input comes from the orchestrator: by its task, or by its digest', async () => {
    for (const isOwn of [true, false]) {
      hasTaskInput = isOwn
      const { exit, stdout } = await cli('receipt', 'check', file, '--recompute')
      expect(exit).toBe('done')
      expect(stdout).toContain('this machine got the same bits')
    }
  })

  test('recomputed without a file and without an orchestrator, it says how to get the input', async () => {
    const { exit, stderr } = await check('--recompute')
    expect(exit).toBe('unreachable')
    expect(stderr).toMatch(/recomputing needs the input.*\nNext: .*--input FILE/)
    expect(stderr).toContain(sample.receipt.inputDigest)
  })

  test('forged, it does not hold, and the lie is named', async () => {
    const forged = { ...receiptToJson(sample.receipt), outputDigest: encodeHex(sha256(Uint8Array.of(1))) }
    await writeFile(file, JSON.stringify(forged))
    const { exit, stdout } = await check()
    expect(exit).toBe('badReceipt')
    expect(stdout).toContain('does NOT hold')
    expect(stdout).toContain('badReceiptSignature')
    expect(stdout).toContain('tooFewAccepted')
    const json = await check('--json')
    expect(json.exit).toBe('badReceipt')
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problems: { length: 4 } })
  })

  test('of another orchestrator, it does not hold', async () => {
    expect((await check('--orchestrator', 'e'.repeat(64))).stdout).toContain('wrongOrchestrator')
    expect((await check('--orchestrator', 'E')).exit).toBe('usage')
  })

  test('with other bytes than the requester has, it does not hold', async () => {
    await writeFile(inFolder('in'), sample.output)
    expect((await check('--input', inFolder('in'))).stdout).toContain('otherInput')
    expect((await check('--output', inFolder('missing'))).exit).toBe('file')
  })

  test('malformed, the field is named', async () => {
    await writeFile(file, JSON.stringify({ ...receiptToJson(sample.receipt), note: 'hello' }))
    expect((await check()).stderr).toContain('is no receipt: note:')
    await writeFile(file, '{}')
    expect((await check()).exit).toBe('badReceipt')
  })
})
