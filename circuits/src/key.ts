// A new development key for a constraint system: powers by the dealer, the key and its one contribution by snarkjs, which
// then checks every point of it against the circuit and the powers. The powers are thrown away.

import { randomBytes } from 'node:crypto'
import type { Curve } from 'ffjavascript'
import { type MemoryFile, type VerificationKey, zKey } from 'snarkjs'
import { deal } from './dealer.ts'
import type { Setup } from './setup.ts'

export const contributor = 'development dealer'

export interface DealtKey {
  readonly key: Uint8Array
  readonly verificationKey: VerificationKey
  readonly setup: Setup
}

export async function dealKey(curve: Curve, r1cs: Uint8Array, domainPower: number): Promise<DealtKey> {
  const { powers, setup } = deal(curve, domainPower)
  const first: MemoryFile = { type: 'mem' }
  if ((await zKey.newZKey(r1cs, powers, first)) === -1) throw new Error('snarkjs made no key: see above')
  // A key without a contribution has delta = gamma, and anyone can forge under it.
  const last: MemoryFile = { type: 'mem' }
  await zKey.contribute(contents(first), last, contributor, randomBytes(64).toString('hex'))
  const key = contents(last)
  if (!(await zKey.verifyFromR1cs(r1cs, powers, key)))
    throw new Error('snarkjs made a key that it refuses itself')
  return { key, verificationKey: await zKey.exportVerificationKey(key), setup }
}

function contents(file: MemoryFile): Uint8Array {
  if (file.data === undefined) throw new Error('snarkjs wrote nothing')
  return file.data
}
