import { describe, expect, test } from 'bun:test'
import { proofFile, serveProofFile } from './proofFile.ts'

const digest = 'ab'.repeat(32)
const files = new Map([
  ['manifest.json', proofFile(new Uint8Array([123, 125]))],
  ['key.zkey', proofFile(new Uint8Array(8), digest)],
])

const serve = (path: string) =>
  serveProofFile((name) => files.get(name), new URL(path, 'http://orchestrator.example'))

describe('caches keep a file for good', () => {
  const kept = 'public, max-age=31536000, immutable'
  test.each([
    [`/snark/key.zkey?sha256=${digest}`, kept],
    // Another key may be under this name tomorrow, and this is its address then.
    [`/snark/key.zkey?sha256=${'cd'.repeat(32)}`, 'no-cache'],
    ['/snark/key.zkey?', 'no-cache'],
    ['/snark/key.zkey?x', 'no-cache'],
    ['/snark/key.zkey', 'no-cache'],
    ['/snark/manifest.json?sha256=', 'no-cache'],
    ['/snark/manifest.json?x', 'no-cache'],
  ])('under its own digest alone: %s', (path, caching) => {
    expect(serve(path)?.headers.get('cache-control')).toBe(caching)
  })
})

test.each(['/snark/', '/snark', '/snark/other', '/snark/../key.zkey', '/snark/%6bey.zkey', '/key.zkey'])(
  'nothing is given out for %s',
  (path) => {
    expect(serve(path)).toBeUndefined()
  },
)

test('clients that read nothing hold no copies of what they asked for', async () => {
  const clients = 40
  const key = proofFile(new Uint8Array(16 * 2 ** 20).fill(1), digest)
  const { promise: served, resolve } = Promise.withResolvers<void>()
  let answers = 0
  const server = Bun.serve({
    port: 0,
    fetch(request) {
      if (++answers === clients) setTimeout(resolve, 0)
      return serveProofFile(() => key, new URL(request.url)) ?? new Response(null, { status: 404 })
    },
  })
  const before = process.memoryUsage().rss
  const sockets = Array.from({ length: clients }, () =>
    Bun.connect({
      hostname: '127.0.0.1',
      port: server.port as number,
      socket: {
        open(socket) {
          socket.write('GET /snark/key.zkey HTTP/1.1\r\nHost: a\r\n\r\n')
          socket.pause()
        },
        data() {},
      },
    }),
  )
  await served
  const grownBytes = process.memoryUsage().rss - before
  for (const socket of await Promise.all(sockets)) socket.terminate()
  await server.stop(true)
  expect(grownBytes).toBeLessThan((clients * 16 * 2 ** 20) / 4)
})
