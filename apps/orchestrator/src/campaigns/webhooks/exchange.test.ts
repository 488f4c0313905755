/** One POST, over real sockets, to servers that behave and to servers that do not. */
import { afterAll, describe, expect, test } from 'bun:test'
import { createServer, type Server, type Socket } from 'node:net'
import { parseWebhookUrl, type WebhookOutcome } from '@shardy/campaign'
import fc from 'fast-check'
import { makeCertificate } from '../../../test/certificate.ts'
import { defaultExchangeLimits, exchange, outcomeOf } from './exchange.ts'

const closers: (() => void)[] = []
afterAll(() => {
  for (const close of closers) close()
})

function send(
  url: string,
  more: Partial<Parameters<typeof exchange>[0]> = {},
  limits = defaultExchangeLimits,
): Promise<WebhookOutcome> {
  const parsed = parseWebhookUrl(url)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal))
  const request = {
    url: parsed.value,
    address: '127.0.0.1',
    headers: { 'x-a': 'b' },
    body: '{"a":1}',
    ...more,
  }
  return exchange(request, Date.now, limits)
}

/** A server that does with each connection what the test says. */
async function serveRaw(act: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    act(socket)
  })
  closers.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as { port: number }).port
}

const answering = (text: string) => serveRaw((socket) => socket.once('data', () => socket.write(text)))

describe('over TLS', () => {
  const { cert, key } = makeCertificate()
  const seen: string[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    tls: { cert, key },
    async fetch(request) {
      seen.push(`${request.method} ${request.url} ${request.headers.get('x-a')} ${await request.text()}`)
      return new Response(null, { status: 204 })
    },
  })
  closers.push(() => void server.stop(true))
  const at = (host: string) => `https://${host}:${server.port}/hook?x=1`

  test('to a server whose certificate is for the host', async () => {
    expect(await send(at('127.0.0.1'), { authorities: cert })).toMatchObject({
      kind: 'answered',
      status: 204,
    })
    expect(seen).toEqual([`POST ${at('127.0.0.1')} b {"a":1}`])
  })

  test('not to one whose certificate nobody signed, or that is for another name', async () => {
    seen.length = 0
    expect(await send(at('127.0.0.1'))).toEqual({ kind: 'failed', code: 'certificate' })
    const wrong = await send(at('hooks.example.org'), { authorities: cert })
    expect(wrong).toEqual({ kind: 'failed', code: 'certificateName' })
    expect(seen).toEqual([])
  })
})

describe('a server', () => {
  test('is connected to at the judged address, whatever its name means elsewhere', async () => {
    const port = await serveRaw((socket) =>
      socket.once('data', (bytes) => {
        const host = /^host: (.*)\r$/m.exec(bytes.toString())?.[1]
        socket.write(`HTTP/1.1 ${host === `hooks.example.org:${port}` ? 200 : 400} x\r\n\r\n`)
      }),
    )
    expect(await send(`http://hooks.example.org:${port}/`)).toMatchObject({ status: 200 })
  })

  test('that redirects is not followed', async () => {
    let asked = 0
    const elsewhere = await serveRaw(() => asked++)
    const port = await answering(`HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:${elsewhere}/\r\n\r\n`)
    expect(await send(`http://127.0.0.1:${port}/`)).toMatchObject({ kind: 'answered', status: 302 })
    expect(asked).toBe(0)
  })

  test('that is slow, one byte at a time or not at all, is given up', async () => {
    const limits = { ...defaultExchangeLimits, totalMsMax: 150 }
    const silent = await serveRaw(() => {})
    expect(await send(`http://127.0.0.1:${silent}/`, {}, limits)).toEqual({ kind: 'failed', code: 'timeout' })
    const dripping = await serveRaw((socket) => {
      const timer = setInterval(() => socket.write('H'), 20)
      socket.on('close', () => clearInterval(timer))
    })
    expect(await send(`http://127.0.0.1:${dripping}/`, {}, limits)).toEqual({
      kind: 'failed',
      code: 'timeout',
    })
  })

  test('whose head never ends is cut off', async () => {
    const port = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const timer = setInterval(() => socket.write(`x: ${'y'.repeat(4_000)}\r\n`), 1)
      socket.on('close', () => clearInterval(timer))
    })
    expect(await send(`http://127.0.0.1:${port}/`)).toEqual({ kind: 'failed', code: 'headTooLarge' })
  })

  test('whose body never ends is left after the head', async () => {
    const port = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const timer = setInterval(() => socket.write('y'.repeat(65_536)), 1)
      socket.on('close', () => clearInterval(timer))
    })
    expect(await send(`http://127.0.0.1:${port}/`)).toMatchObject({ status: 200 })
  })

  test('that speaks something else, hangs up or is not there is a failure in one word', async () => {
    const ssh = await answering('SSH-2.0-OpenSSH_9.9\r\n\r\n')
    expect(await send(`http://127.0.0.1:${ssh}/`)).toEqual({ kind: 'failed', code: 'notHttp' })
    const rude = await serveRaw((socket) => socket.destroy())
    expect(await send(`http://127.0.0.1:${rude}/`)).toEqual({ kind: 'failed', code: 'closed' })
    expect(await send('http://127.0.0.1:1/')).toEqual({ kind: 'failed', code: 'connectionRefused' })
  })
})

describe('an answer', () => {
  const table: readonly (readonly [string, object | undefined])[] = [
    ['HTTP/1.1 200 OK', undefined],
    ['HTTP/1.1 200 OK\r\n\r\n', { kind: 'answered', status: 200 }],
    ['HTTP/1.1 200\r\n\r\n', { kind: 'answered', status: 200 }],
    ['HTTP/1.1 100 Continue\r\n\r\n', undefined],
    ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 410 Gone\r\n\r\n', { kind: 'answered', status: 410 }],
    ['HTTP/1.1 101 Switching\r\n\r\n', { kind: 'failed', code: 'notHttp' }],
    ['HTTP/2 200\r\n\r\n', { kind: 'failed', code: 'notHttp' }],
    ['HTTP/1.1 999 x\r\n\r\n', { kind: 'failed', code: 'notHttp' }],
    ['HTTP/1.1 503 x\r\nRetry-After: 12\r\n\r\n', { retryAfterMs: 12_000 }],
    ['HTTP/1.1 503 x\r\nRetry-After: Thu, 01 Jan 1970 00:00:09 GMT\r\n\r\n', { retryAfterMs: 8_000 }],
    ['HTTP/1.1 503 x\r\nRetry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n', { retryAfterMs: 0 }],
    ['HTTP/1.1 503 x\r\nRetry-After: -5\r\n\r\n', { retryAfterMs: undefined }],
    ['HTTP/1.1 503 x\r\nRetry-After: 99999999999999\r\n\r\n', { retryAfterMs: undefined }],
  ]
  for (const [text, outcome] of table) {
    test(JSON.stringify(text), () => {
      const found = outcomeOf(text, 1_000)
      if (outcome === undefined) expect(found).toBeUndefined()
      else expect(found).toMatchObject(outcome)
    })
  }

  test('may be anything', () => {
    fc.assert(fc.property(fc.string(), (text) => void outcomeOf(`HTTP/1.1 ${text}\r\n\r\n`, 0)))
  })
})
