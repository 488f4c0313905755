/** Numbers as snarkjs writes them: decimal, in a string, without a sign or leading zeros. */
import { type Outcome, refuse } from '../refusal.ts'

/** Any number below 2^256 has at most this many digits. */
const digitsMax = 78
const canonical = /^(0|[1-9][0-9]*)$/

export function parseDecimal(text: unknown, name: string, modulus: bigint): Outcome<bigint> {
  if (typeof text !== 'string') return refuse('malformed', `${name} is not a string of digits`)
  if (text.length === 0 || text.length > digitsMax)
    return refuse('malformed', `${name} has ${text.length} characters, not 1 to ${digitsMax}`)
  if (!/^[0-9]+$/.test(text)) return refuse('malformed', `${name} is not written in digits alone`)
  if (!canonical.test(text)) return refuse('nonCanonical', `${name} begins with a zero: ${text}`)
  const value = BigInt(text)
  if (value >= modulus) return refuse('nonCanonical', `${name} is ${value}, not below ${modulus}`)
  return { ok: true, value }
}
