/** The golden files on disk: their keys, the signatures that are kept, and where each lies. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { encodeHex, isSignature, type PublicKey, type Signature } from '../src/index.ts'
import type { Key, KeyName, Keys, PrivateJwk } from './vectors.ts'

export const folder = path.join(import.meta.dir, '../../../vectors/wire')

export function readVector(name: string): unknown {
  return JSON.parse(readFileSync(path.join(folder, name), 'utf8'))
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

interface IdentityFile {
  readonly keys: readonly { readonly name: KeyName; readonly jwk: PrivateJwk }[]
}

export async function readKeys(): Promise<Keys> {
  const { keys } = readVector('identity.json') as IdentityFile
  const entries = await Promise.all(
    keys.map(async ({ name, jwk }) => {
      const { d: _secret, ...publicJwk } = jwk
      const key = await crypto.subtle.importKey('jwk', publicJwk, algorithm, true, ['verify'])
      const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', key)) as PublicKey
      return [name, { name, jwk, publicKey }] as const
    }),
  )
  return Object.fromEntries(entries) as Keys
}

export async function verify(key: Key, payload: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const imported = await crypto.subtle.importKey('raw', new Uint8Array(key.publicKey), algorithm, false, [
    'verify',
  ])
  return crypto.subtle.verify(algorithm, imported, new Uint8Array(signature), new Uint8Array(payload))
}

/** Signatures made before, by whose they are and what they cover. */
export interface Kept {
  readonly key: string
  readonly payload: string
  readonly signature: string
}

export function readKept(): readonly Kept[] {
  return (readVector('signatures.json') as { readonly signatures: readonly Kept[] }).signatures
}

/** The kept signature for this payload, when there is one and it verifies. */
export async function keptSignature(
  kept: readonly Kept[],
  key: Key,
  payload: Uint8Array,
): Promise<Signature | undefined> {
  const text = encodeHex(payload)
  const entry = kept.find((one) => one.key === key.name && one.payload === text)
  if (entry === undefined) return undefined
  const signature = Uint8Array.fromHex(entry.signature)
  return isSignature(signature) && (await verify(key, payload, signature)) ? signature : undefined
}
