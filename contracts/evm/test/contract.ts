// A verifier on a chain: what is sent to it and what it answers, in our words. All arguments are static, so their ABI
// encoding is their words one after the other.

import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Contract } from '../src/compile.ts'
import type { Answer, Call } from './chain.ts'

/** In the order of the contract's enum. */
const refusals = ['None', 'NonCanonical', 'Infinity', 'OffCurve', 'False'] as const
const errors = new Map(
  ['NonCanonical', 'Infinity', 'OffCurve', 'ProofFalse', 'PrecompileRefused'].map((name) => [
    `0x${bytesToHex(keccak_256(utf8ToBytes(`${name}()`))).slice(0, 8)}`,
    name,
  ]),
)

export function calldata(contract: Contract, name: string, ...args: readonly (readonly bigint[])[]): string {
  const found = Object.entries(contract.selectors).find(([signature]) => signature.startsWith(`${name}(`))
  if (found === undefined) throw new Error(`the contract has no function ${name}`)
  return `0x${found[1]}${args.flat().map(word).join('')}`
}

export function word(value: bigint): string {
  if (value < 0n || value >> 256n !== 0n) throw new Error(`${value} does not fit a word`)
  return value.toString(16).padStart(64, '0')
}

/** The name of the refusal, `None`, or `reverts: NAME` with the error's name (`reverts: 0x` where there is none). */
export function readRefusal(answer: Answer): string {
  if (!answer.ok) return readRevert(answer)
  const value = BigInt(answer.data)
  const name = answer.data.length === 66 ? refusals[Number(value)] : undefined
  if (name === undefined) throw new Error(`no refusal: ${answer.data}`)
  return name
}

/** `true`, `false`, or as above. */
export function readVerdict(answer: Answer): string {
  if (!answer.ok) return readRevert(answer)
  if (answer.data === `0x${word(1n)}`) return 'true'
  if (answer.data === `0x${word(0n)}`) return 'false'
  throw new Error(`no boolean: ${answer.data}`)
}

export function readRevert({ data }: Answer): string {
  return `reverts: ${errors.get(data) ?? data}`
}

export const callOf = (to: string, data: string, gas?: bigint): Call =>
  gas === undefined ? { to, data } : { to, data, gas }
