/** The requester against a real server whose blobs, breaks and answers the test decides. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { ApiError, type EventView, receiptToJson, type Submission, UnreachableError } from '@shardy/api'
import {
  type Handlers,
  sampleView as sampleTask,
  serveRoutes,
  type TestServer,
  testApiKey,
} from '@shardy/api/testing'
import { sha256 } from '@shardy/crypto/native'
import { encodeHex } from '@shardy/protocol'
import { digestOf, makeSampleReceipt } from '../test/sampleReceipt.ts'

import { matmulOutput } from './matmul.ts'
import { createRequester, MalformedReceiptError, type RequesterConfig, WrongBytesError } from './requester.ts'
import { UploadStalledError } from './upload.ts'

const task = sampleTask()
const verified = sampleTask({ status: 'verified', outputDigest: encodeHex(sha256(new Uint8Array(24))) })
const bytes = Uint8Array.from({ length: 1_000 }, (_, index) => (index * 7) & 0xff)
const digest = digestOf(bytes)
const servers: TestServer[] = []

function serve(handlers: Handlers, config: Partial<RequesterConfig> = {}) {
  const server = serveRoutes(handlers)
  servers.push(server)
  const requester = createRequester({ url: server.url, apiKey: testApiKey, wait: async () => {}, ...config })
  return { server, requester }
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

/** Keeps what comes, like the orchestrator does; `interfere` may answer a part before it is kept. */
function blobs(interfere: (part: number) => ApiError | undefined = () => undefined) {
  let received = new Uint8Array(0)
  let kept: Uint8Array | undefined
  let parts = 0
  const ranges: string[] = []
  const set = (already: Uint8Array): void => {
    received = Uint8Array.from(already)
  }
  const handlers: Handlers = {
    headBlob: () => {
      if (kept !== undefined) return new Response(null)
      throw new ApiError('unknownBlob', { detail: 'not whole', offset: received.length })
    },
    putBlob: async ({ params, headers }, request) => {
      const body = new Uint8Array(await request.arrayBuffer())
      const range = headers['content-range']
      ranges.push(range ?? 'whole')
      const wrong = interfere(++parts)
      if (wrong !== undefined) throw wrong
      const [, start, , total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(range ?? `bytes 0-0/${body.length}`) ?? []
      if (range === undefined) received = new Uint8Array(0)
      if (Number(start) !== received.length) {
        throw new ApiError('offsetMismatch', { detail: 'elsewhere', offset: received.length })
      }
      received = Uint8Array.from([...received, ...body])
      if (received.length < Number(total))
        return { status: 202, json: { digest: params.digest, received: received.length } }
      if (digestOf(received) !== params.digest) {
        received = new Uint8Array(0)
        throw new ApiError('digestMismatch', 'they were dropped')
      }
      kept = received
      return { status: 201, json: { digest: params.digest, length: kept.length } }
    },
  }
  return { handlers, ranges, set, kept: () => kept }
}

describe('upload', () => {
  let seen: number[]
  beforeEach(() => {
    seen = []
  })
  const options = { onProgress: (sent: number) => seen.push(sent) }

  test('goes in parts, and says how far it is', async () => {
    const store = blobs()
    const { requester } = serve(store.handlers, { partBytes: 400 })
    expect(await requester.upload(bytes, options)).toBe(digest)
    expect(store.ranges).toEqual(['bytes 0-399/1000', 'bytes 400-799/1000', 'bytes 800-999/1000'])
    expect(store.kept()).toEqual(bytes)
    expect(seen).toEqual([0, 400, 800, 1000])
  })

  test('goes on where an earlier one broke off', async () => {
    const store = blobs()
    store.set(bytes.subarray(0, 700))
    const { requester } = serve(store.handlers, { partBytes: 400 })
    await requester.upload(bytes, options)
    expect(store.ranges).toEqual(['bytes 700-999/1000'])
    expect(store.kept()).toEqual(bytes)
  })

  test('sends nothing when it is there', async () => {
    const { server, requester } = serve({ headBlob: () => new Response(null) })
    await requester.upload(bytes, options)
    expect(server.requests).toEqual([`HEAD /v1/blobs/${digest}`])
    expect(seen).toEqual([1000])
  })

  test('follows the server to another offset, and waits for another upload of the same bytes', async () => {
    const store = blobs((part) => {
      if (part === 1) return new ApiError('uploadInProgress', 'busy')
      if (part !== 2) return undefined
      store.set(bytes.subarray(0, 600))
      return new ApiError('offsetMismatch', { detail: 'elsewhere', offset: 600 })
    })
    const { requester } = serve(store.handlers, { partBytes: 400 })
    await requester.upload(bytes, options)
    expect(store.kept()).toEqual(bytes)
    expect(store.ranges).toEqual(['bytes 0-399/1000', 'bytes 0-399/1000', 'bytes 600-999/1000'])
  })

  test('replaces what something longer left under the name', async () => {
    const store = blobs()
    store.set(new Uint8Array(2_000))
    const { requester } = serve(store.handlers, { partBytes: 400 })
    await requester.upload(bytes)
    expect(store.ranges).toEqual(['whole'])
    expect(store.kept()).toEqual(bytes)
  })

  test('sends all of it anew, once, when what it went on from was not its own', async () => {
    const store = blobs()
    store.set(new Uint8Array(700))
    const { requester } = serve(store.handlers, { partBytes: 400 })
    await requester.upload(bytes, options)
    expect(store.ranges).toEqual(['bytes 700-999/1000', 'whole'])
    expect(store.kept()).toEqual(bytes)
    expect(seen).toEqual([700, 0, 1000])
  })

  test('and no second time', async () => {
    const store = blobs(() => new ApiError('digestMismatch', 'they were dropped'))
    const { requester } = serve(store.handlers, { partBytes: 400 })
    await expect(requester.upload(bytes)).rejects.toMatchObject({ problem: { code: 'digestMismatch' } })
    expect(store.ranges).toEqual(['bytes 0-399/1000', 'whole'])
  })

  test('gives up on a server that never lets it go on', async () => {
    const store = blobs(() => new ApiError('offsetMismatch', { detail: 'elsewhere', offset: 0 }))
    const { requester } = serve(store.handlers)
    await expect(requester.upload(bytes)).rejects.toBeInstanceOf(UploadStalledError)
  })

  test("hands the server's refusal on", async () => {
    const store = blobs(() => new ApiError('quotaExceeded', 'full'))
    const { requester } = serve(store.handlers)
    await expect(requester.upload(bytes)).rejects.toMatchObject({ problem: { code: 'quotaExceeded' } })
    expect(store.ranges.length).toBeLessThan(2)
  })
})

describe('submit', () => {
  const shape = { m: 10, k: 50, n: 10 } as const
  const matrices = { a: new Int8Array(bytes.buffer, 0, 500), b: bytes.subarray(500) }

  function tasks() {
    const keys: (string | undefined)[] = []
    const bodies: Submission[] = []
    const handlers: Handlers = {
      submitTask: ({ body, headers }) => {
        keys.push(headers['idempotency-key'])
        bodies.push(body)
        if (keys.length === 1) throw new ApiError('overloaded', { detail: 'full', retryAfterMs: 1 })
        return { status: 201, json: task }
      },
    }
    return { keys, bodies, handlers }
  }

  test('is tried again under one key, so that it is one task', async () => {
    const { keys, handlers } = tasks()
    const { requester } = serve(handlers)
    expect(await requester.submitMatmul({ ...shape, ...matrices })).toEqual(task)
    expect(keys).toHaveLength(2)
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/)
    expect(keys[1]).toBe(keys[0])
  })

  test("takes the caller's key, terms and extra fields of its own object", async () => {
    const { keys, bodies, handlers } = tasks()
    const { requester } = serve(handlers)
    const program = { op: 'matmul', ...shape } as const
    await requester.submitMatmul({ ...program, ...matrices, redundancy: 3, idempotencyKey: 'mine' })
    expect(keys).toEqual(['mine', 'mine'])
    expect(bodies[1]).toEqual({
      kind: 'program',
      program,
      input: { base64: Buffer.from(bytes).toString('base64') },
      redundancy: 3,
    })
  })

  test('uploads what is too large to go inline', async () => {
    const { bodies, handlers } = tasks()
    const store = blobs()
    const { requester } = serve({ ...handlers, ...store.handlers }, { inlineBytesMax: 999 })
    await requester.submitMatmul({ ...shape, ...matrices })
    expect(bodies[1]?.input).toEqual({ blob: digest })
    expect(store.kept()).toEqual(bytes)
  })

  test('names the matrix that has the wrong size, before anything is sent', async () => {
    const { server, requester } = serve({})
    const wrong = { ...shape, ...matrices, b: bytes }
    await expect(requester.submitMatmul(wrong)).rejects.toThrow('b has 1000 entries; 50 × 10 takes 500')
    expect(server.requests).toEqual([])
  })
})

describe('wait', () => {
  const event = (sequence: number, type: EventView['type']): string =>
    `data: ${JSON.stringify({ sequence, atMs: 1, type })}\n\n`

  test('follows the events over a broken line to the end, each once', async () => {
    const answers = [
      event(1, 'submitted') + event(2, 'delivered'),
      event(2, 'delivered') + event(3, 'task_verified'),
    ]
    const after: (string | undefined)[] = []
    const { requester } = serve({
      taskEvents: ({ headers }) => {
        after.push(headers['last-event-id'])
        return new Response(answers.shift() ?? '')
      },
      getTask: () => ({ status: 200, json: verified }),
    })
    const types: string[] = []
    const ended = await requester.wait(task.taskId, { onEvent: ({ type }) => types.push(type) })
    expect(ended).toEqual(verified)
    expect(types).toEqual(['submitted', 'delivered', 'task_verified'])
    expect(after).toEqual(['0', '2'])
  })

  test('believes the task when only its events have failed', async () => {
    const { requester } = serve({
      taskEvents: () => new Response(''),
      getTask: () => ({ status: 200, json: verified }),
    })
    expect(await requester.wait(task.taskId)).toEqual(verified)
  })

  test('fails when the events have failed and the task goes on', async () => {
    const { requester } = serve({
      taskEvents: () => new Response(''),
      getTask: () => ({ status: 200, json: task }),
    })
    await expect(requester.wait(task.taskId)).rejects.toThrow('broke off 5 times in a row')
  })

  test("stops when the caller says so, and lets the caller's own errors through", async () => {
    const { requester } = serve({
      taskEvents: () => {
        const body = new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode(event(1, 'submitted'))),
        })
        return new Response(body)
      },
      getTask: () => ({ status: 200, json: verified }),
    })
    const stop = new AbortController()
    const stopped = requester.wait(task.taskId, { signal: stop.signal, onEvent: () => stop.abort() })
    await expect(stopped).rejects.toThrow(/abort/i)
    const thrown = requester.wait(task.taskId, {
      onEvent: () => {
        throw new RangeError('mine')
      },
    })
    await expect(thrown).rejects.toThrow('mine')
  })
})

describe('what comes back', () => {
  test('an output with the agreed digest, as numbers', async () => {
    const { requester } = serve({
      getTask: () => ({ status: 200, json: verified }),
      taskOutput: () => new Response(new Uint8Array(24)),
    })
    const output = await requester.output(task.taskId)
    expect([...matmulOutput({ m: 3, k: 5, n: 2 }, output)]).toEqual([0, 0, 0, 0, 0, 0])
  })

  const wrong: readonly (readonly [string, Uint8Array<ArrayBuffer>])[] = [
    ['one bit off', Uint8Array.from({ length: 24 }, (_, index) => (index === 23 ? 1 : 0))],
    ['too short', new Uint8Array(23)],
    ['too long', new Uint8Array(25)],
  ]
  for (const [story, content] of wrong) {
    test(`an output that is ${story} is refused`, async () => {
      const { requester } = serve({
        getTask: () => ({ status: 200, json: verified }),
        taskOutput: () => new Response(content),
      })
      await expect(requester.output(task.taskId)).rejects.toBeInstanceOf(WrongBytesError)
    })
  }

  test('a blob that breaks off is no answer', async () => {
    const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nonly this'
    const listener = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data(socket) {
          socket.end(answer)
        },
      },
    })
    const requester = createRequester({ url: `http://127.0.0.1:${listener.port}`, wait: async () => {} })
    const error = await requester.download(digest).catch((reason) => reason)
    listener.stop(true)
    expect(error).toBeInstanceOf(UnreachableError)
  })

  test('a blob by its digest', async () => {
    const { requester } = serve({ getBlob: () => new Response(bytes) })
    expect(await requester.download(digest)).toEqual(bytes)
    await expect(requester.download('0'.repeat(64))).rejects.toBeInstanceOf(WrongBytesError)
  })

  test('a receipt, or the field that is wrong with it', async () => {
    const { receipt } = await makeSampleReceipt()
    let seed = '7'
    const { requester } = serve({
      taskReceipt: () => ({ status: 200, json: { ...receiptToJson(receipt), seed } }),
    })
    expect(await requester.receipt(task.taskId)).toEqual(receipt)
    seed = '99999999999999999999'
    await expect(requester.receipt(task.taskId)).rejects.toBeInstanceOf(MalformedReceiptError)
  })

  test('lists, cancels, forgets', async () => {
    const { server, requester } = serve({
      listTasks: ({ query }) => ({ status: 200, json: { tasks: [], nextCursor: JSON.stringify(query) } }),
      cancelTask: () => ({ status: 200, json: task }),
      forgetTask: () => new Response(null, { status: 204 }),
    })
    const { nextCursor } = await requester.list({ status: 'dead', limit: 3 })
    expect(nextCursor).toBe('{"status":"dead","limit":"3"}')
    expect(await requester.cancel(task.taskId)).toEqual(task)
    expect(await requester.forget(task.taskId)).toBeUndefined()
    expect(server.requests).toEqual([
      'GET /v1/tasks',
      `POST /v1/tasks/${task.taskId}/cancel`,
      `DELETE /v1/tasks/${task.taskId}`,
    ])
  })

  test('an id that would be another address is not sent', async () => {
    const { server, requester } = serve({})
    for (const id of ['..', '.', '%2e%2e', 'a/b', '', `${task.taskId}?x`]) {
      await expect(requester.forget(id)).rejects.toMatchObject({
        problem: { code: 'invalidField', field: 'path.taskId' },
      })
    }
    expect(server.requests).toEqual([])
  })
})
