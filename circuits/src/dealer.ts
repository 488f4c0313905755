// A trusted dealer for DEVELOPMENT keys: draws tau, alpha and beta, and writes the powers-of-tau file that a ceremony
// would have ended with, for one domain. Whoever runs it could keep the secrets and forge any proof under the key.
// It forgets them when it returns; nobody else can check that it did.

import { randomBytes } from 'node:crypto'
import type { Curve } from 'ffjavascript'
import { fieldModulus } from './curve.ts'
import { invertAll, power, reduce, rootOfUnity } from './field.ts'
import { createFixedBase } from './fixedBase.ts'
import { encodeSections } from './sections.ts'
import type { Setup } from './setup.ts'

export interface Dealt {
  /** A prepared powers-of-tau file of exactly this power. */
  readonly powers: Uint8Array
  readonly setup: Setup
}

export function deal(curve: Curve, domainPower: number): Dealt {
  const domain = 2 ** domainPower
  const [tau, alpha, beta] = [drawSecret(), drawSecret(), drawSecret()]
  const inG1 = createFixedBase(curve, 'G1')
  const inG2 = createFixedBase(curve, 'G2')
  const lagrange = lagrangeAt(tau, domain)
  const scaled = (by: bigint) => inG1(lagrange.map((value) => (value * by) % fieldModulus))
  // Smaller domains come first in the prepared sections; no circuit that uses this file reads them.
  const smaller = domain - 1
  const pointBytes = { G1: 64, G2: 128 }
  const sections = new Map<number, Uint8Array>([
    [1, header(curve, domainPower)],
    [2, inG1(powersOf(tau, 2 * domain - 1))],
    [3, padEnd(inG2([1n, tau]), domain * pointBytes.G2)],
    [4, padEnd(inG1([alpha, (alpha * tau) % fieldModulus]), domain * pointBytes.G1)],
    [5, padEnd(inG1([beta, (beta * tau) % fieldModulus]), domain * pointBytes.G1)],
    [6, inG2([beta])],
    [7, new Uint8Array(4)],
    [12, joinBytes(new Uint8Array(smaller * 64), inG1(lagrange), inG1(lagrangeAt(tau, 2 * domain)))],
    [13, joinBytes(new Uint8Array(smaller * 128), inG2(lagrange))],
    [14, joinBytes(new Uint8Array(smaller * 64), scaled(alpha))],
    [15, joinBytes(new Uint8Array(smaller * 64), scaled(beta))],
  ])
  const setup = {
    tauG2: inG2([tau]),
    tauDomainG2: inG2([power(tau, BigInt(domain))]),
    alphaG2: inG2([alpha]),
  }
  return { powers: encodeSections('ptau', sections), setup }
}

/** Uniform: 320 bits reduced leave a bias below 2^-64. */
function drawSecret(): bigint {
  const secret = reduce(BigInt(`0x${randomBytes(40).toString('hex')}`))
  return secret === 0n ? drawSecret() : secret
}

function powersOf(base: bigint, count: number): bigint[] {
  const values: bigint[] = []
  for (let value = 1n; values.length < count; value = (value * base) % fieldModulus) values.push(value)
  return values
}

/** The Lagrange basis of the roots of unity of this order, at a point that is none of them. */
function lagrangeAt(point: bigint, order: number): bigint[] {
  const roots = powersOf(rootOfUnity(order), order)
  const inverses = invertAll(roots.map((root) => reduce(point - root)))
  const vanishing = reduce(power(point, BigInt(order)) - 1n)
  const factor = (vanishing * power(BigInt(order), fieldModulus - 2n)) % fieldModulus
  return roots.map(
    (root, index) => (((factor * root) % fieldModulus) * (inverses[index] ?? 0n)) % fieldModulus,
  )
}

function header(curve: Curve, domainPower: number): Uint8Array {
  const bytes = Buffer.alloc(4 + 32 + 8)
  bytes.writeUInt32LE(32, 0)
  bytes.set(Buffer.from(curve.q.toString(16).padStart(64, '0'), 'hex').reverse(), 4)
  bytes.writeUInt32LE(domainPower, 36)
  bytes.writeUInt32LE(domainPower, 40)
  return bytes
}

function padEnd(bytes: Uint8Array, length: number): Uint8Array {
  const padded = new Uint8Array(length)
  padded.set(bytes)
  return padded
}

const joinBytes = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
