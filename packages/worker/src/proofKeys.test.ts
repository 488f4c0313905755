import { expect, test } from 'bun:test'
import { fetchProofFiles } from './proofKeys.ts'

test.each([
  ['never answers', () => new Promise<Response>(() => {})],
  [
    'never ends',
    () =>
      new Response(
        new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(1)) }, { highWaterMark: 0 }).pipeThrough(
          new TransformStream({ transform: () => new Promise(() => {}) }),
        ),
      ),
  ],
])('a server that %s is not waited for for good', async (_, answer) => {
  const server = Bun.serve({ port: 0, fetch: answer })
  const file = fetchProofFiles(`ws://127.0.0.1:${server.port}/v1/worker`, 20)(
    'key.zkey',
    'ab'.repeat(32),
    100,
  )
  expect(file).rejects.toThrow('key.zkey cannot be fetched')
  await file.catch(() => {})
  await server.stop(true)
})

test('a server that sends more than the file has is hung up on, however much it would send', async () => {
  let sent = 0
  const endless = () =>
    new Response(
      new ReadableStream({
        pull(to) {
          sent += 2 ** 16
          to.enqueue(new Uint8Array(2 ** 16))
        },
      }),
    )
  const server = Bun.serve({ port: 0, fetch: endless })
  const fetchFile = fetchProofFiles(`ws://127.0.0.1:${server.port}/v1/worker`, 30_000)
  await expect(fetchFile('key.zkey', 'ab'.repeat(32), 2 ** 20)).rejects.toThrow('more than the 1048576 bytes')
  expect(sent).toBeLessThan(2 ** 26)
  await server.stop(true)
})

test('a file that is not there is said to be so', async () => {
  const server = Bun.serve({ port: 0, fetch: () => new Response('no', { status: 404 }) })
  const fetchFile = fetchProofFiles(`ws://127.0.0.1:${server.port}/v1/worker`)
  await expect(fetchFile('key.zkey', 'ab'.repeat(32), 10)).rejects.toThrow('HTTP 404')
  await server.stop(true)
})
