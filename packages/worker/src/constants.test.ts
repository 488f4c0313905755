import { expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import { type DeliveryId, type Digest, encodeHex } from '@shardy/protocol'
import { type Program, tensorType } from '@shardy/tensor'
import { ConstantError, createConstants, fetchConstants } from './constants.ts'

const deliveryId = '0d'.repeat(16) as DeliveryId
const never = new AbortController().signal

function blobOf(fill: number, length = 4): { readonly digest: Digest; readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(length).fill(fill)
  return { digest: encodeHex(sha256(bytes)) as Digest, bytes }
}

function programOf(...blobs: readonly { readonly digest: Digest; readonly bytes: Uint8Array }[]): Program {
  return {
    inputs: [tensorType('i8', [1, 2])],
    constants: blobs.map(({ digest, bytes }) => ({ type: tensorType('i8', [2, bytes.length / 2]), digest })),
    nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: false }],
    outputs: [1 + blobs.length],
  }
}

/** Gives out what it has, and notes what it was asked for. */
function source(...blobs: readonly { readonly digest: Digest; readonly bytes: Uint8Array }[]) {
  const asked: Digest[] = []
  const known = new Map(blobs.map(({ digest, bytes }) => [digest, bytes]))
  const fetchConstant = async (_: DeliveryId, digest: Digest): Promise<Uint8Array> => {
    asked.push(digest)
    const bytes = known.get(digest)
    if (bytes === undefined) throw new ConstantError('not here')
    return bytes
  }
  return { asked, fetchConstant, known }
}

test('a constant is fetched once, however often programs name it', async () => {
  const [first, second] = [blobOf(1), blobOf(2)]
  const { asked, fetchConstant } = source(first, second)
  const constants = createConstants(fetchConstant, sha256)
  const blobs = await constants.obtain(deliveryId, programOf(first, second, first), never)
  expect(blobs).toEqual(
    new Map([
      [first.digest, first.bytes],
      [second.digest, second.bytes],
    ]),
  )
  await constants.obtain(deliveryId, programOf(second), never)
  expect(asked).toEqual([first.digest, second.digest])
})

test('the least recently used goes when the bound is passed, and is fetched again', async () => {
  const [first, second, third] = [blobOf(1), blobOf(2), blobOf(3)]
  const { asked, fetchConstant } = source(first, second, third)
  const constants = createConstants(fetchConstant, sha256, { bytesMax: 8 })
  for (const each of [first, second, first, third, first, second]) {
    await constants.obtain(deliveryId, programOf(each), never)
  }
  expect(asked).toEqual([first, second, third, second].map(({ digest }) => digest))
})

test('who asks for one that is on its way waits for the same bytes', async () => {
  const blob = blobOf(1)
  const { asked, fetchConstant } = source(blob)
  const constants = createConstants(fetchConstant, sha256)
  const [one, other] = await Promise.all([
    constants.obtain(deliveryId, programOf(blob), never),
    constants.obtain(deliveryId, programOf(blob), never),
  ])
  expect(one).toEqual(other)
  expect(asked).toEqual([blob.digest])
})

test('what is larger than the bound still serves the work in hand', async () => {
  const large = blobOf(7, 100)
  const constants = createConstants(source(large).fetchConstant, sha256, { bytesMax: 8 })
  expect((await constants.obtain(deliveryId, programOf(large), never)).get(large.digest)).toEqual(large.bytes)
})

test('other bytes, too few of them, and none at all are told apart', async () => {
  const blob = blobOf(1)
  const { known, fetchConstant } = source(blob)
  const obtain = () => createConstants(fetchConstant, sha256).obtain(deliveryId, programOf(blob), never)
  known.set(blob.digest, Uint8Array.of(1, 1, 1, 2))
  await expect(obtain()).rejects.toThrow('came with other bytes')
  known.set(blob.digest, Uint8Array.of(1, 1, 1))
  await expect(obtain()).rejects.toThrow('came with other bytes')
  known.delete(blob.digest)
  await expect(obtain()).rejects.toThrow('not here')
})

test('over HTTP: the bytes, a refusal, more than announced by the program, and nobody there', async () => {
  const { digest, bytes } = blobOf(5)
  const server = Bun.serve({
    port: 0,
    fetch: ({ url }) =>
      new URL(url).pathname === `/v1/deliveries/${deliveryId}/constants/${digest}`
        ? new Response(new Blob([bytes as Uint8Array<ArrayBuffer>]).stream())
        : new Response('no', { status: 404 }),
  })
  const fetchConstant = fetchConstants(`ws://127.0.0.1:${server.port}/v1/worker`)
  expect(await fetchConstant(deliveryId, digest, 4, never)).toEqual(bytes)
  await expect(fetchConstant(deliveryId, blobOf(6).digest, 4, never)).rejects.toThrow('HTTP 404')
  await expect(fetchConstant(deliveryId, digest, 3, never)).rejects.toThrow('more than the 3 bytes')
  await server.stop(true)
  await expect(fetchConstant(deliveryId, digest, 4, never)).rejects.toThrow(ConstantError)
})
