/** One suite for every SHA-256: the published vectors, equality with the pure twin, and interleaved hashes. */
import { describe, expect, test } from 'bun:test'
import { encodeHex } from '@shardy/protocol'
import fc from 'fast-check'
import { type Hash, HashEndedError, type Hashing } from './hashing.ts'
import { nativeHashing } from './native.ts'
import { pureHashing } from './pure.ts'
import { loadHashing, loadSha256 } from './wasm.ts'

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

/** FIPS 180-4 examples and NIST CAVP SHA256ShortMsg. */
const vectors: { desc: string; message: Uint8Array; digest: string }[] = [
  {
    desc: 'nothing',
    message: new Uint8Array(0),
    digest: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  },
  {
    desc: 'abc',
    message: ascii('abc'),
    digest: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  },
  {
    desc: '448 bits',
    message: ascii('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'),
    digest: '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  },
  {
    desc: '896 bits',
    message: ascii(
      'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu',
    ),
    digest: 'cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1',
  },
  {
    desc: 'one byte',
    message: Uint8Array.of(0xd3),
    digest: '28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1',
  },
  {
    desc: 'a million a',
    message: new Uint8Array(1_000_000).fill(0x61),
    digest: 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
  },
]

const implementations: { name: string; hashing: Hashing }[] = [
  { name: 'native', hashing: nativeHashing },
  { name: 'wasm', hashing: await loadHashing() },
  { name: 'pure', hashing: pureHashing },
]

describe.each(implementations)('$name', ({ hashing }) => {
  test.each(vectors)('$desc', ({ message, digest }) => {
    expect(encodeHex(hashing.sha256(message))).toBe(digest)
    expect(encodeHex(hashing.createHash().update(message).digest())).toBe(digest)
  })

  test('a digest is 32 bytes of a plain Uint8Array', () => {
    const digest = hashing.sha256(ascii('abc'))
    expect(digest.constructor).toBe(Uint8Array)
    expect(digest).toHaveLength(32)
    expect(hashing.createHash().digest().constructor).toBe(Uint8Array)
  })

  test('a hash without updates is that of nothing', () => {
    expect(hashing.createHash().digest()).toEqual(hashing.sha256(new Uint8Array(0)))
  })

  test('equals the pure twin on any bytes, at any offset in their buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(64), (bytes, offset) => {
        const view = bytes.subarray(Math.min(offset, bytes.length))
        expect(hashing.sha256(view)).toEqual(pureHashing.sha256(view))
      }),
    )
  })

  test('pieces hash like the whole, however several hashes interleave', () => {
    const piece = fc.record({
      which: fc.nat(3),
      bytes: fc.uint8Array({ maxLength: 150 }),
      oneShot: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
        const hashes: Hash[] = Array.from({ length: 4 }, () => hashing.createHash())
        const wholes: number[][] = hashes.map(() => [])
        for (const { which, bytes, oneShot } of pieces) {
          hashes[which]?.update(bytes)
          wholes[which]?.push(...bytes)
          if (oneShot) expect(hashing.sha256(bytes)).toEqual(pureHashing.sha256(bytes))
        }
        hashes.forEach((hash, index) => {
          expect(hash.digest()).toEqual(pureHashing.sha256(Uint8Array.from(wholes[index] ?? [])))
        })
      }),
    )
  })

  test('takes shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(100)).fill(7)
    expect(hashing.sha256(shared)).toEqual(pureHashing.sha256(new Uint8Array(100).fill(7)))
  })

  test('a hash that gave its digest is over', () => {
    const hash = hashing.createHash().update(ascii('abc'))
    hash.digest()
    expect(() => hash.update(ascii('d'))).toThrow(HashEndedError)
    expect(() => hash.digest()).toThrow(HashEndedError)
  })
})

test('loadSha256 gives the synchronous function alone', async () => {
  expect((await loadSha256())(ascii('abc'))).toEqual(pureHashing.sha256(ascii('abc')))
})

test('large messages are hashed in pieces, around every border of one', async () => {
  const sha256 = await loadSha256()
  const bytes = Uint8Array.from({ length: 2 ** 20 + 2 ** 17 }, (_, index) => (index * 167) >>> 3)
  for (const length of [2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 2 ** 20 + 2 ** 16, 2 ** 20 + 2 ** 16 + 7]) {
    const view = bytes.subarray(3, 3 + length)
    expect([length, encodeHex(nativeHashing.sha256(view))]).toEqual([length, encodeHex(sha256(view))])
  }
})
