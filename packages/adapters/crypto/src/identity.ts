/**
 * Who speaks: an ECDSA P-256 key pair in WebCrypto, which Bun, Node and browsers share. A browser keeps the pair
 * non-extractable (a `CryptoKey` can be stored as it is); a server keeps it as a JWK in a file of its own.
 */
import { type PublicKey, type Signature, toLowS } from '@shardy/protocol'
import { curve, exportPublicKey } from './publicKey.ts'

/** Enough to speak for somebody; where the key lies is the implementation's matter. */
export interface Identity {
  readonly publicKey: PublicKey
  /** ECDSA over SHA-256 of the payload, low-s. Payloads come from the protocol, separated by domain. */
  sign(payload: Uint8Array): Promise<Signature>
}

export interface KeyedIdentity extends Identity {
  readonly keys: CryptoKeyPair
}

/** The private key as it is written down. The public half is within. */
export interface IdentityJwk {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly d: string
}

export type Imported =
  | { readonly ok: true; readonly value: KeyedIdentity }
  | { readonly ok: false; readonly refusal: { readonly kind: 'badIdentity'; readonly reason: string } }

export async function identityOf(keys: CryptoKeyPair): Promise<KeyedIdentity> {
  return {
    keys,
    publicKey: await exportPublicKey(keys.publicKey),
    async sign(payload) {
      const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
      const signature = await crypto.subtle.sign(algorithm, keys.privateKey, new Uint8Array(payload))
      return toLowS(new Uint8Array(signature))
    },
  }
}

export async function generateIdentity(options: { readonly extractable: boolean }): Promise<KeyedIdentity> {
  return identityOf(await crypto.subtle.generateKey(curve, options.extractable, ['sign', 'verify']))
}

/** Rejects when the identity was made non-extractable. */
export async function exportIdentity({ keys }: KeyedIdentity): Promise<IdentityJwk> {
  const { x, y, d } = await crypto.subtle.exportKey('jwk', keys.privateKey)
  if (x === undefined || y === undefined || d === undefined) throw new TypeError('not a private P-256 key')
  return { kty: 'EC', crv: 'P-256', x, y, d }
}

function refuse(reason: string): Imported {
  return { ok: false, refusal: { kind: 'badIdentity', reason } }
}

/** 32 bytes in base64url. */
const coordinate = /^[A-Za-z0-9_-]{43}$/

function parseJwk(value: unknown): IdentityJwk | string {
  if (typeof value !== 'object' || value === null) return 'is not an object'
  const fields = new Map<string, unknown>(Object.entries(value))
  if (fields.get('kty') !== 'EC' || fields.get('crv') !== 'P-256') return 'is not a P-256 key'
  const [x, y, d] = ['x', 'y', 'd'].map((name) => fields.get(name))
  for (const [name, text] of Object.entries({ x, y, d })) {
    if (typeof text !== 'string' || !coordinate.test(text)) return `has no 32-byte '${name}'`
  }
  return { kty: 'EC', crv: 'P-256', x: String(x), y: String(y), d: String(d) }
}

/** Reads what `exportIdentity` wrote, and refuses a key whose halves do not belong together. */
export async function importIdentity(
  value: unknown,
  options: { readonly extractable: boolean },
): Promise<Imported> {
  const jwk = parseJwk(value)
  if (typeof jwk === 'string') return refuse(jwk)
  const { d: _private, ...publicJwk } = jwk
  try {
    const privateKey = await crypto.subtle.importKey('jwk', { ...jwk }, curve, options.extractable, ['sign'])
    const publicKey = await crypto.subtle.importKey('jwk', publicJwk, curve, true, ['verify'])
    // Not every implementation compares the two halves, and a wrong pair would be found out only by refused hellos.
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
    const probe = new Uint8Array(32)
    const signature = await crypto.subtle.sign(algorithm, privateKey, probe)
    if (!(await crypto.subtle.verify(algorithm, publicKey, signature, probe))) {
      return refuse("has a private key 'd' that does not belong to its public key 'x', 'y'")
    }
    return { ok: true, value: await identityOf({ privateKey, publicKey }) }
  } catch {
    return refuse('is not a key on the curve')
  }
}
