/** TLS as a client meets it, with a certificate that is made here. */
import { expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { makeCertificate } from '../test/certificate.ts'
import { startTestNetwork } from '../test/network.ts'

const certificate = makeCertificate()

test('the certificate of this test is one', () => {
  const parsed = new X509Certificate(certificate.cert)
  expect(parsed.verify(parsed.publicKey)).toBe(true)
  expect(parsed.subjectAltName).toBe('IP Address:127.0.0.1')
})

test('under TLS everything is served by HTTPS, with the order to stay there', async () => {
  const network = await startTestNetwork({ tls: certificate })
  expect(network.serving.url).toStartWith('https://127.0.0.1:')
  const tls = { ca: certificate.cert }
  const ask = (path: string) => fetch(network.serving.url + path, { tls })
  for (const path of ['/v1/health', '/v1/tasks', '/nothing', '/v1/worker']) {
    const answer = await ask(path)
    expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000')
    await answer.body?.cancel()
  }
  // Somebody who does not know the certificate is not served, and neither is plain HTTP.
  expect(fetch(`${network.serving.url}/v1/health`)).rejects.toThrow()
  const plain = await fetch(`http://127.0.0.1:${network.serving.port}/v1/health`).catch(() => undefined)
  expect(plain?.ok ?? false).toBe(false)
  await network.stop()
})

test('under TLS workers open their lines by WSS', async () => {
  const network = await startTestNetwork({ tls: certificate })
  const url = `${network.serving.url.replace('https', 'wss')}/v1/worker`
  const socket = new WebSocket(url, { tls: { ca: certificate.cert } } as never)
  socket.binaryType = 'arraybuffer'
  const first = await new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => resolve(data)
    socket.onerror = reject
  })
  expect(first).toBeInstanceOf(ArrayBuffer)
  socket.close()
  await network.stop()
})

test('without TLS nothing is said of it', async () => {
  const network = await startTestNetwork()
  const answer = await network.request('/v1/health')
  expect(answer.headers.get('strict-transport-security')).toBeNull()
  await network.stop()
})

test('frames that Bun hands over stay as they came: they are kept, and not copied', async () => {
  const kept: Uint8Array[] = []
  const { promise: all, resolve } = Promise.withResolvers<void>()
  const sizes = [1, 60, 4_096, 70_000, 1_000_000, 33, 600_000, 5_000]
  const server = Bun.serve({
    port: 0,
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response('a socket is wanted')),
    websocket: {
      message(_socket, content) {
        if (typeof content !== 'string') kept.push(content)
        if (kept.length === sizes.length) resolve()
      },
    },
  })
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}`)
  await new Promise((opened) => socket.addEventListener('open', opened))
  for (const [index, size] of sizes.entries()) socket.send(new Uint8Array(size).fill(index + 1))
  await all
  Bun.gc(true)
  expect(kept.map(({ length }) => length)).toEqual(sizes)
  for (const [index, bytes] of kept.entries()) expect(bytes.every((byte) => byte === index + 1)).toBe(true)
  socket.close()
  await server.stop(true)
})
