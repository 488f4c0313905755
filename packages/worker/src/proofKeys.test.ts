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
