// Three points of a key's setup, kept beside its circuit: from them `keyCheck.ts` can tell whether a key belongs to the
// circuit. They are public: nothing can be forged with them that could not be forged without.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { circuitsFolder } from './compile.ts'

/** In affine form, as key files hold points. */
export interface Setup {
  readonly tauG2: Uint8Array
  /** tau to the size of the domain. */
  readonly tauDomainG2: Uint8Array
  readonly alphaG2: Uint8Array
}

export const setupFile = (circuit: string): string => path.join(circuitsFolder, circuit, 'setup.json')

export function readSetup(circuit: string): Setup {
  const { tauG2, tauDomainG2, alphaG2 } = JSON.parse(readFileSync(setupFile(circuit), 'utf8'))
  return { tauG2: decodePoint(tauG2), tauDomainG2: decodePoint(tauDomainG2), alphaG2: decodePoint(alphaG2) }
}

export function encodeSetup({ tauG2, tauDomainG2, alphaG2 }: Setup): string {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  return JSON.stringify({
    tauG2: hex(tauG2),
    tauDomainG2: hex(tauDomainG2),
    alphaG2: hex(alphaG2),
  })
}

function decodePoint(hex: unknown): Uint8Array {
  if (typeof hex !== 'string' || !/^[0-9a-f]{256}$/.test(hex)) throw new Error('a point is 256 digits of hex')
  return new Uint8Array(Buffer.from(hex, 'hex'))
}
