import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test'
import { digestOf, example, finish, problemOf, randomBytes, refused, submit } from '../../test/example.ts'
import { createManualClock } from '../../test/manualClock.ts'
import { blobBytesMax, collectMs, startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { openRawLine } from '../../test/rawHttp.ts'

let network: TestNetwork

beforeAll(async () => {
  network = await startTestNetwork()
})
afterAll(() => network.stop())

type Bytes = Uint8Array<ArrayBuffer>

const put = (
  digest: string,
  body: Bytes | ReadableStream,
  headers: Record<string, string> = {},
  on = network,
) => on.request(`/v1/blobs/${digest}`, { method: 'PUT', body, headers })

const get = (digest: string, range?: string) =>
  network.request(`/v1/blobs/${digest}`, range === undefined ? {} : { headers: { range } })

const head = (digest: string, on = network) => on.request(`/v1/blobs/${digest}`, { method: 'HEAD' })

const offsetOf = async (digest: string, on = network): Promise<string | null> =>
  (await head(digest, on)).headers.get('upload-offset')

const part = (bytes: Bytes, start: number, end: number) =>
  [bytes.slice(start, end), { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` }] as const

function streamOf(bytes: Uint8Array, chunkBytes: number): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + chunkBytes))
      at += chunkBytes
    },
  })
}

/** An upload whose line is held open by hand. */
function openUpload(digest: string, length: number, port = network.serving.port, apiKey = network.apiKey) {
  const line = openRawLine(port)
  line.write(
    `PUT /v1/blobs/${digest} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${apiKey}\r\nContent-Length: ${length}\r\n\r\n`,
  )
  return line
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve))
}

describe('an upload', () => {
  test('streams in and out; bringing it again is fine', async () => {
    const bytes = randomBytes(300_000)
    const digest = digestOf(bytes)
    const first = await put(digest, streamOf(bytes, 7_001))
    expect([first.status, await first.json()]).toEqual([201, { digest, length: 300_000 }])
    const again = await put(digest, bytes)
    expect([again.status, await again.json()]).toEqual([200, { digest, length: 300_000 }])
    const answer = await get(digest)
    expect(await answer.bytes()).toEqual(bytes)
    expect(answer.headers.get('etag')).toBe(`"${digest}"`)
    const { headers, status } = await head(digest)
    expect([status, headers.get('content-length')]).toEqual([200, '300000'])
  })

  test('may be empty, and may be exactly as large as allowed', async () => {
    const empty = new Uint8Array(0)
    expect((await put(digestOf(empty), empty)).status).toBe(201)
    expect(await (await get(digestOf(empty))).bytes()).toEqual(empty)
    const largest = randomBytes(blobBytesMax)
    expect((await put(digestOf(largest), largest)).status).toBe(201)
  })

  test('goes on in parts, and says where', async () => {
    const bytes = randomBytes(10_000)
    const digest = digestOf(bytes)
    expect(await offsetOf(digest)).toBe('0')
    const first = await put(digest, ...part(bytes, 0, 4_000))
    expect([first.status, await first.json()]).toEqual([202, { digest, received: 4_000 }])
    expect(await offsetOf(digest)).toBe('4000')
    const unfinished = await problemOf(await get(digest))
    expect(unfinished).toMatchObject({ code: 'unknownBlob', offset: 4_000 })

    const wrong = await problemOf(await put(digest, ...part(bytes, 3_000, 10_000)))
    expect(wrong).toMatchObject({ code: 'offsetMismatch', offset: 4_000 })
    const gap = await problemOf(await put(digest, ...part(bytes, 5_000, 10_000)))
    expect(gap).toMatchObject({ code: 'offsetMismatch', offset: 4_000 })
    expect((await put(digest, ...part(bytes, 4_000, 10_000))).status).toBe(201)
    expect(await (await get(digest)).bytes()).toEqual(bytes)
  })

  test('goes on after its line was cut in the middle', async () => {
    const bytes = randomBytes(100_000)
    const digest = digestOf(bytes)
    const line = openUpload(digest, bytes.length)
    line.write(bytes.slice(0, 60_000))
    await until(async () => (await offsetOf(digest)) === '60000')
    await line.break()
    // The broken upload lets go as soon as the server has noticed.
    await until(async () => (await put(digest, ...part(bytes, 60_000, 100_000))).status === 201)
    expect(await (await get(digest)).bytes()).toEqual(bytes)
  })

  test('a whole body replaces what a broken line left', async () => {
    const bytes = randomBytes(5_000)
    const digest = digestOf(bytes)
    await put(digest, ...part(bytes, 0, 1_000))
    expect((await put(digest, bytes)).status).toBe(201)
    expect(await (await get(digest)).bytes()).toEqual(bytes)
  })

  test('of a blob that is being uploaded is refused until that one ends', async () => {
    const bytes = randomBytes(50_000)
    const digest = digestOf(bytes)
    const line = openUpload(digest, bytes.length)
    line.write(bytes.slice(0, 10))
    await until(async () => (await offsetOf(digest)) === '10')
    expect(await refused(put(digest, bytes))).toBe('uploadInProgress')
    line.write(bytes.slice(10))
    expect(await line.heads(1)).toContain('201')
    line.socket.destroy()
    expect((await put(digest, bytes)).status).toBe(200)
  })

  test('twenty at once leave one whole blob', async () => {
    const bytes = randomBytes(200_000)
    const digest = digestOf(bytes)
    const answers = await Promise.all(Array.from({ length: 20 }, () => put(digest, bytes)))
    for (const { status } of answers) expect([200, 201, 409]).toContain(status)
    expect(await (await get(digest)).bytes()).toEqual(bytes)
  })

  test('under another digest is dropped', async () => {
    const digest = digestOf(randomBytes(10))
    const problem = await problemOf(await put(digest, randomBytes(10)))
    expect(problem).toMatchObject({ code: 'digestMismatch', field: 'digest', value: digest })
    expect(await offsetOf(digest)).toBe('0')
  })

  test('that is too large is refused, declared or not', async () => {
    const bytes = randomBytes(blobBytesMax + 1)
    const digest = digestOf(bytes)
    expect(await refused(put(digest, bytes))).toBe('blobTooLarge')
    expect(await refused(put(digest, streamOf(bytes, 100_000)))).toBe('blobTooLarge')
    const range = { 'content-range': `bytes 0-9/${blobBytesMax + 1}` }
    expect(await refused(put(digest, bytes.slice(0, 10), range))).toBe('blobTooLarge')
    expect(await offsetOf(digest)).toBe('0')
    // Far larger than anything: the answer comes without its bytes.
    const line = openUpload(digest, 10 ** 12)
    expect(await line.heads(1)).toContain('blobTooLarge')
    line.socket.destroy()
  })

  test('refuses a content-range that is none, or bytes beyond it', async () => {
    const bytes = randomBytes(100)
    const digest = digestOf(bytes)
    for (const range of [
      'bytes 5-4/100',
      'bytes 0-100/100',
      'bytes 0-9/*',
      'bytes */100',
      'items 0-9/100',
      'x',
    ]) {
      expect(await refused(put(digest, bytes, { 'content-range': range }))).toBe('invalidField')
    }
    expect(await refused(put(digest, bytes, { 'content-range': 'bytes 0-9/100' }))).toBe('invalidField')
    expect(await offsetOf(digest)).toBe('0')
  })

  test('refuses a digest that is none', async () => {
    for (const digest of [
      'ab',
      'AB'.repeat(32),
      `${'ab'.repeat(32)}00`,
      '..%2f..%2fapi-key',
      '%00'.repeat(64),
    ]) {
      expect(await refused(put(digest, randomBytes(1)))).toBe('invalidField')
    }
  })
})

describe('a range', () => {
  const bytes = randomBytes(1_000)
  const digest = digestOf(bytes)

  const ranges: readonly (readonly [string, number, number])[] = [
    ['bytes=0-0', 0, 1],
    ['bytes=0-99', 0, 100],
    ['bytes=999-', 999, 1_000],
    ['bytes=500-99999', 500, 1_000],
    ['bytes=-1', 999, 1_000],
    ['bytes=-5000', 0, 1_000],
  ]
  for (const [range, start, end] of ranges) {
    test(`${range} is a part`, async () => {
      await put(digest, bytes)
      const answer = await get(digest, range)
      expect(answer.status).toBe(206)
      expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/1000`)
      expect(await answer.bytes()).toEqual(bytes.slice(start, end))
    })
  }

  for (const range of ['bytes=1000-', 'bytes=-0', 'bytes=5000-6000']) {
    test(`${range} lies outside`, async () => {
      await put(digest, bytes)
      const answer = await get(digest, range)
      expect(answer.headers.get('content-range')).toBe('bytes */1000')
      expect(await refused(answer)).toBe('rangeNotSatisfiable')
    })
  }

  for (const range of ['bytes=5-2', 'bytes=-', 'bytes=0-1,5-6', 'lines=0-1', 'bytes=a-b', 'bytes=1-2-3']) {
    test(`${range} is none, so the whole comes`, async () => {
      await put(digest, bytes)
      const answer = await get(digest, range)
      expect(answer.status).toBe(200)
      expect(await answer.bytes()).toEqual(bytes)
    })
  }
})

describe('the quota', () => {
  test('counts blobs, large inputs, and uploads that are not finished', async () => {
    const own = await startTestNetwork({ blobPolicy: { quotaBytes: 100_000 } })
    const first = randomBytes(60_000)
    const second = randomBytes(60_000)
    expect((await put(digestOf(first), first, {}, own)).status).toBe(201)
    // A few bytes of input may not ask for an output that does not fit, unless it is not kept.
    const wide = example({}, [128, 1, 128]).submission
    expect(await refused(own.request('/v1/tasks', { json: wide }))).toBe('quotaExceeded')
    expect((await own.request('/v1/tasks', { json: { ...wide, output: 'digest' } })).status).toBe(201)
    expect(await refused(put(digestOf(second), second, {}, own))).toBe('quotaExceeded')
    expect(await refused(put(digestOf(second), streamOf(second, 10_000), {}, own))).toBe('quotaExceeded')
    // What came before the quota was reached stays, to go on from once there is room.
    expect(Number(await offsetOf(digestOf(second), own))).toBeLessThanOrEqual(40_000)
    const { submission } = example({ output: 'digest' }, [150, 150, 150])
    expect(await refused(own.request('/v1/tasks', { json: submission }))).toBe('quotaExceeded')
    // Bringing what is there already costs nothing.
    expect((await put(digestOf(first), first, {}, own)).status).toBe(200)

    const apiKey = await own.orchestrator.services.apiKeys.create('other')
    const elsewhere = await own.request(`/v1/blobs/${digestOf(second)}`, {
      method: 'PUT',
      body: second,
      apiKey,
    })
    expect(elsewhere.status).toBe(201)
    await own.stop()
  })

  test('holds against many uploads at once', async () => {
    const own = await startTestNetwork({ blobPolicy: { quotaBytes: 50_000 } })
    const blobs = Array.from({ length: 20 }, () => randomBytes(10_000))
    const answers = await Promise.all(blobs.map((each) => put(digestOf(each), each, {}, own)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5)
    expect(answers.filter(({ status }) => status === 413)).toHaveLength(15)
    await own.stop()
  })

  test('bounds how many uploads may lie unfinished', async () => {
    const own = await startTestNetwork()
    const begin = async (): Promise<number> => {
      const bytes = randomBytes(100)
      return (await put(digestOf(bytes), ...part(bytes, 0, 1), own)).status
    }
    for (let count = 0; count < 256; count++) expect(await begin()).toBe(202)
    expect(await begin()).toBe(413)
    await own.stop()
  })

  test('is not used up by two workers that bring the same output', async () => {
    const own = await startTestNetwork()
    await Promise.all([own.startWorker(), own.startWorker()])
    let kept = 0
    for (let count = 0; count < 5; count++) {
      const wanted = example({ verify: 'quorum(2,2)' }, [128, 1, 128])
      const { taskId } = await submit(own, wanted.submission)
      await finish(own, taskId)
      // The input is small and lies beside its task, as small outputs do.
      kept += wanted.output.length
    }
    const { keeper, apiKeys } = own.orchestrator.services
    const owner = apiKeys.requester(own.apiKey)
    if (owner === undefined) throw new Error('our own key')
    const quota = 4 * 1024 ** 3
    expect(keeper.fits(owner, quota - kept)).toBe(true)
    expect(keeper.fits(owner, quota - kept + 1)).toBe(false)
    await own.stop()
  })
})

describe('two requesters that upload one digest', () => {
  /** Everything as the first of them, or as the second. */
  async function two(options: Parameters<typeof startTestNetwork>[0] = {}) {
    const own = await startTestNetwork(options)
    const { apiKeys, keeper } = own.orchestrator.services
    const ofKey = (apiKey: string) => {
      const requester = apiKeys.requester(apiKey)
      if (requester === undefined) throw new Error('a key of ours')
      return {
        apiKey,
        put: (digest: string, body: Bytes, headers: Record<string, string> = {}) =>
          own.request(`/v1/blobs/${digest}`, { method: 'PUT', body, headers, apiKey }),
        get: (digest: string) => own.request(`/v1/blobs/${digest}`, { apiKey }),
        offset: async (digest: string): Promise<string | null> =>
          (await own.request(`/v1/blobs/${digest}`, { method: 'HEAD', apiKey })).headers.get('upload-offset'),
        charged: (quotaBytes: number): number => {
          let free = quotaBytes
          while (!keeper.fits(requester, free)) free--
          return quotaBytes - free
        },
      }
    }
    return { own, ann: ofKey(own.apiKey), bob: ofKey(await apiKeys.create('bob')) }
  }

  test('go on each where it is, in turns, and neither learns how far the other is', async () => {
    const { own, ann, bob } = await two()
    const bytes = randomBytes(1_000)
    const digest = digestOf(bytes)
    expect((await ann.put(digest, ...part(bytes, 0, 500))).status).toBe(202)
    expect([await ann.offset(digest), await bob.offset(digest)]).toEqual(['500', '0'])
    expect(await problemOf(await bob.get(digest))).toMatchObject({ code: 'unknownBlob', offset: 0 })
    const ahead = await problemOf(await bob.put(digest, ...part(bytes, 500, 1_000)))
    expect(ahead).toMatchObject({ code: 'offsetMismatch', offset: 0 })
    expect((await bob.put(digest, ...part(bytes, 0, 200))).status).toBe(202)
    expect([await ann.offset(digest), await bob.offset(digest)]).toEqual(['500', '200'])
    expect((await ann.put(digest, ...part(bytes, 500, 700))).status).toBe(202)
    expect((await bob.put(digest, ...part(bytes, 200, 1_000))).status).toBe(201)
    expect((await ann.put(digest, ...part(bytes, 700, 1_000))).status).toBe(200)
    expect(await (await ann.get(digest)).bytes()).toEqual(bytes)
    await own.stop()
  })

  test('do not hurt each other with wrong bytes', async () => {
    const { own, ann, bob } = await two()
    const bytes = randomBytes(1_000)
    const digest = digestOf(bytes)
    const garbage = randomBytes(1_000)
    expect((await bob.put(digest, ...part(garbage, 0, 500))).status).toBe(202)
    expect((await ann.put(digest, ...part(bytes, 0, 400))).status).toBe(202)
    expect(await refused(bob.put(digest, ...part(garbage, 500, 1_000)))).toBe('digestMismatch')
    expect(await refused(bob.put(digest, garbage))).toBe('digestMismatch')
    expect([await ann.offset(digest), await bob.offset(digest)]).toEqual(['400', '0'])
    expect((await ann.put(digest, ...part(bytes, 400, 1_000))).status).toBe(201)
    expect(await (await bob.get(digest)).bytes()).toEqual(bytes)
    await own.stop()
  })

  test('do not wait for each other', async () => {
    const { own, ann, bob } = await two()
    const bytes = randomBytes(50_000)
    const digest = digestOf(bytes)
    const line = openUpload(digest, bytes.length, own.serving.port, bob.apiKey)
    line.write(bytes.slice(0, 10))
    await until(async () => (await bob.offset(digest)) === '10')
    expect(await ann.offset(digest)).toBe('0')
    expect((await ann.put(digest, bytes)).status).toBe(201)
    line.write(bytes.slice(10))
    expect(await line.heads(1)).toMatch(/^HTTP\/1.1 20[01]/)
    line.socket.destroy()
    expect(await (await bob.get(digest)).bytes()).toEqual(bytes)
    await own.stop()
  })

  test('are charged each for its own, until it is finished or swept', async () => {
    const quotaBytes = 2_000
    const clock = createManualClock()
    // Blobs outlast the test, and uploads do not.
    const blobPolicy = { quotaBytes, partialMs: 1_000, graceMs: Number.MAX_SAFE_INTEGER }
    const { own, ann, bob } = await two({ clock, blobPolicy })
    const { keeper } = own.orchestrator.services
    const bytes = randomBytes(1_500)
    const digest = digestOf(bytes)
    const charges = () => [ann.charged(quotaBytes), bob.charged(quotaBytes)]
    await ann.put(digest, ...part(bytes, 0, 100))
    await bob.put(digest, ...part(bytes, 0, 900))
    expect(charges()).toEqual([1_500, 1_500])
    const other = randomBytes(600)
    expect(await refused(bob.put(digestOf(other), other))).toBe('quotaExceeded')
    expect((await ann.put(digest, ...part(bytes, 100, 1_500))).status).toBe(201)
    // The bytes that bob brought are still there.
    expect(charges()).toEqual([1_500, 1_500])
    expect((await bob.put(digest, ...part(bytes, 900, 1_500))).status).toBe(200)
    expect(charges()).toEqual([1_500, 0])

    const left = randomBytes(400)
    await ann.put(digestOf(left), ...part(left, 0, 1))
    await bob.put(digestOf(left), ...part(left, 0, 1))
    expect(charges()).toEqual([1_900, 400])
    clock.advance(Date.now())
    await keeper.collect(new Set([digest]))
    expect(charges()).toEqual([1_500, 0])
    expect([await ann.offset(digestOf(left)), await bob.offset(digestOf(left))]).toEqual(['0', '0'])
    await own.stop()
  })
})

describe('collection', () => {
  test('takes nothing before what was decided until then is durable, and refers to what it needs', async () => {
    const clock = createManualClock()
    const own = await startTestNetwork({ clock, blobPolicy: { graceMs: 0 } })
    const bytes = randomBytes(10)
    await put(digestOf(bytes), bytes, {}, own)
    const durable = Promise.withResolvers<void>()
    spyOn(own.orchestrator.services.dispatcher, 'caughtUp').mockImplementation(() => durable.promise)
    clock.advance(collectMs)
    for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve))
    expect(await own.blobs.has(digestOf(bytes))).toBe(true)
    durable.resolve()
    await until(async () => !(await own.blobs.has(digestOf(bytes))))
    await own.stop()
  })

  test('takes the blobs of a forgotten task after the grace time, unless another task refers to them', async () => {
    const clock = createManualClock()
    const own = await startTestNetwork({ clock, blobPolicy: { graceMs: 100_000 } })
    const { keeper } = own.orchestrator.services
    const { submission, input } = example({ timeoutMs: 86_400_000 }, [1, 1_000, 20])
    const unused = randomBytes(10)
    await put(digestOf(unused), unused, {}, own)
    const first = await submit(own, submission)
    const second = await submit(own, submission)
    const end = async (taskId: string): Promise<void> => {
      await own.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })
      await own.request(`/v1/tasks/${taskId}`, { method: 'DELETE' })
    }
    const isHere = async (bytes: Bytes): Promise<boolean> => (await head(digestOf(bytes), own)).status === 200
    clock.advance(collectMs)
    expect([await isHere(unused), await isHere(input)]).toEqual([true, true])
    clock.advance(collectMs)
    await until(async () => !(await isHere(unused)))
    await end(first.taskId)
    expect(await keeper.collect(new Set())).toBe(0)
    expect(await isHere(input)).toBe(true)
    await end(second.taskId)
    expect(await keeper.collect(new Set())).toBe(1)
    expect(await isHere(input)).toBe(false)
    expect(await own.blobs.has(digestOf(input))).toBe(false)
    expect(
      await refused(own.request('/v1/tasks', { json: { ...submission, input: { blob: digestOf(input) } } })),
    ).toBe('inputMissing')
    await own.stop()
  })

  test('a blob that is uploaded again begins its grace time anew', async () => {
    const clock = createManualClock()
    const own = await startTestNetwork({ clock, blobPolicy: { graceMs: 100_000 } })
    const { keeper } = own.orchestrator.services
    const bytes = randomBytes(10)
    await put(digestOf(bytes), bytes, {}, own)
    clock.advance(90_000)
    await put(digestOf(bytes), bytes, {}, own)
    clock.advance(90_000)
    expect(await keeper.collect(new Set())).toBe(0)
    clock.advance(10_000)
    expect(await keeper.collect(new Set())).toBe(1)
    await own.stop()
  })

  test('lets no submission be answered whose input it takes at the same moment', async () => {
    const clock = createManualClock()
    const own = await startTestNetwork({ clock, blobPolicy: { graceMs: 0 } })
    const { keeper } = own.orchestrator.services
    for (let round = 0; round < 30; round++) {
      const { submission, input } = example()
      const digest = digestOf(input)
      await put(digest, input, {}, own)
      const asked = { ...submission, input: { blob: digest } }
      const [answer] = await Promise.all([
        own.request('/v1/tasks', { json: asked }),
        keeper.collect(new Set()),
        keeper.collect(new Set()),
      ])
      expect([201, 422]).toContain(answer.status)
      expect(await own.blobs.has(digest)).toBe(answer.status === 201)
      expect((await keeper.length(digest)) !== undefined).toBe(answer.status === 201)
    }
    await own.stop()
  })
})
