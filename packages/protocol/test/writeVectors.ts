/**
 * `bun packages/protocol/test/writeVectors.ts` writes `vectors/wire/*.json` again. Run it when the wire changed on
 * purpose, then read the difference: every other implementation has to follow it.
 */
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { encodeHex, type Signature, toLowS } from '../src/index.ts'
import { folder, type Kept, keptSignature, readKept, readKeys } from './vectorFiles.ts'
import { type Key, makeVectors } from './vectors.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const before = existsSync(path.join(folder, 'signatures.json')) ? readKept() : []
const signatures: Kept[] = []

async function sign(key: Key, payload: Uint8Array): Promise<Signature> {
  const signature = (await keptSignature(before, key, payload)) ?? (await signAnew(key, payload))
  signatures.push({ key: key.name, payload: encodeHex(payload), signature: encodeHex(signature) })
  return signature
}

async function signAnew(key: Key, payload: Uint8Array): Promise<Signature> {
  const secret = await crypto.subtle.importKey('jwk', key.jwk, algorithm, false, ['sign'])
  return toLowS(new Uint8Array(await crypto.subtle.sign(algorithm, secret, new Uint8Array(payload))))
}

const { files } = await makeVectors(await readKeys(), sign)
signatures.sort((one, other) => (one.key + one.payload < other.key + other.payload ? -1 : 1))
for (const [name, content] of Object.entries({ ...files, 'signatures.json': { signatures } })) {
  writeFileSync(path.join(folder, name), `${JSON.stringify(content, null, 2)}\n`)
}
console.log(`wrote ${Object.keys(files).length + 1} files; npm run format lays them out`)
