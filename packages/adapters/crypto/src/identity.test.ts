import { describe, expect, test } from 'bun:test'
import { generateKeyPairSync, sign as signNatively } from 'node:crypto'
import { encodeHex, isSignature, toLowS } from '@shardy/protocol'
import { exportIdentity, generateIdentity, importIdentity } from './identity.ts'
import { verifySignatureSync } from './nativeVerification.ts'
import { verifySignature } from './verification.ts'

const payload = new TextEncoder().encode('shardy/hello/v1\0something said')
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const identity = await generateIdentity({ extractable: true })
const stranger = await generateIdentity({ extractable: false })
const signature = await identity.sign(payload)

function flipped(bytes: Uint8Array, index: number): Uint8Array {
  const copy = new Uint8Array(bytes)
  copy[index] = (copy[index] ?? 0) ^ 1
  return copy
}

/** The other form that ECDSA itself accepts: n − s. */
function highS(bytes: Uint8Array): Uint8Array {
  const s = order - BigInt(`0x${encodeHex(bytes.slice(32))}`)
  const hex = encodeHex(bytes.slice(0, 32)) + s.toString(16).padStart(64, '0')
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

const offCurve = new Uint8Array(65).fill(1)
offCurve[0] = 4

const refused: { desc: string; key?: Uint8Array; payload?: Uint8Array; signature?: Uint8Array }[] = [
  { desc: 'a changed payload', payload: flipped(payload, 3) },
  { desc: 'no payload', payload: new Uint8Array(0) },
  { desc: 'a changed r', signature: flipped(signature, 31) },
  { desc: 'a changed s', signature: flipped(signature, 63) },
  { desc: 'the high-s form', signature: highS(signature) },
  { desc: 'a zero signature', signature: new Uint8Array(64) },
  { desc: 'a short signature', signature: signature.slice(0, 63) },
  { desc: 'no signature', signature: new Uint8Array(0) },
  { desc: "a stranger's key", key: stranger.publicKey },
  { desc: 'a key off the curve', key: offCurve },
  { desc: 'a compressed key', key: flipped(identity.publicKey, 0) },
  { desc: 'a short key', key: identity.publicKey.slice(0, 64) },
  { desc: 'no key', key: new Uint8Array(0) },
]

const verifiers = [
  { name: 'verifySignature', verify: verifySignature },
  { name: 'verifySignatureSync', verify: verifySignatureSync },
]

describe.each(verifiers)('$name', ({ verify }) => {
  test('accepts what the identity signed, again and again', async () => {
    for (let round = 0; round < 3; round++) {
      expect(await verify(identity.publicKey, payload, signature)).toBe(true)
    }
  })

  test("accepts the host library's signature in low-s form", async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x, y } = publicKey.export({ format: 'jwk' })
    const coordinates = [x, y].map((text) => Buffer.from(text ?? '', 'base64url'))
    const key = Uint8Array.from([4, ...coordinates.flatMap((bytes) => [...bytes])])
    const signed = signNatively('sha256', payload, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    expect(await verify(key, payload, toLowS(signed))).toBe(true)
  })

  test.each(refused)('refuses $desc', async (changed) => {
    const key = changed.key ?? identity.publicKey
    expect(await verify(key, changed.payload ?? payload, changed.signature ?? signature)).toBe(false)
  })
})

test('signatures are always low-s', async () => {
  const signatures = await Promise.all(Array.from({ length: 32 }, (_, n) => identity.sign(Uint8Array.of(n))))
  expect(signatures.every(isSignature)).toBe(true)
})

test('signs bytes in shared memory', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(payload.length))
  shared.set(payload)
  expect(await verifySignature(identity.publicKey, shared, await identity.sign(shared))).toBe(true)
})

describe('export and import', () => {
  test('round trip', async () => {
    const imported = await importIdentity(await exportIdentity(identity), { extractable: false })
    if (!imported.ok) throw new Error(imported.refusal.reason)
    expect(imported.value.publicKey).toEqual(identity.publicKey)
    const again = await imported.value.sign(payload)
    expect(await verifySignature(identity.publicKey, payload, again)).toBe(true)
    await expect(exportIdentity(imported.value)).rejects.toThrow()
  })

  test('a non-extractable identity signs but is not exported', async () => {
    expect(await verifySignature(stranger.publicKey, payload, await stranger.sign(payload))).toBe(true)
    await expect(exportIdentity(stranger)).rejects.toThrow()
  })

  test('refuses whatever is not such a key, saying why', async () => {
    const jwk = await exportIdentity(identity)
    const other = await exportIdentity(await generateIdentity({ extractable: true }))
    const cases: { value: unknown; reason: string }[] = [
      { value: undefined, reason: 'is not an object' },
      { value: 'key', reason: 'is not an object' },
      { value: {}, reason: 'is not a P-256 key' },
      { value: { ...jwk, crv: 'P-384' }, reason: 'is not a P-256 key' },
      { value: { ...jwk, d: undefined }, reason: "has no 32-byte 'd'" },
      { value: { ...jwk, x: 'AA' }, reason: "has no 32-byte 'x'" },
      { value: { ...jwk, x: jwk.y, y: jwk.x }, reason: 'is not a key on the curve' },
    ]
    for (const { value, reason } of cases) {
      expect(await importIdentity(value, { extractable: true })).toEqual({
        ok: false,
        refusal: { kind: 'badIdentity', reason },
      })
    }
    const mixed = await importIdentity({ ...jwk, d: other.d }, { extractable: true })
    expect(mixed.ok).toBe(false)
  })
})
