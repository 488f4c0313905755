/**
 * Proofs of `task-proof-v2` (witness + taskId + seed + outputLen = resultDigest). The relation is linear: the matrices A and B of its
 * constraint are empty, so the quotient is zero, and all three points are sums over points of the key, which are tabulated when the key
 * is loaded. Proving is synchronous afterwards.
 */
import { openFixedBaseG1, openFixedBaseG2 } from '../bn254/fixedBase.ts'
import { frSize, g1Size, g2Size, loadMcl, type Mcl, plainFr } from '../bn254/mcl.ts'
import { openNumbers } from '../bn254/numbers.ts'
import { fieldOrder } from '../bn254/orders.ts'
import { g1Length, g2Length, openPoints } from '../bn254/points.ts'
import { openRandomScalars } from '../bn254/randomScalars.ts'
import { openSubgroup } from '../bn254/subgroup.ts'
import { proofLength } from '../groth16/proofJson.ts'
import {
  coefficientLength,
  type ProvingKey,
  ProvingKeyError,
  parseProvingKey,
} from '../groth16/provingKey.ts'
import type { PublicSignals } from '../system.ts'

export interface V2Statement {
  /** 16 bytes as a number, the big end first. */
  readonly taskId: bigint
  readonly seed: bigint
  /** In bytes. */
  readonly outputLength: bigint
  /** The fold of the output to the field. */
  readonly resultDigest: bigint
}

export interface V2Prover {
  /** 256 bytes. Every call gives others, all of them good: nothing may be keyed on a proof's bytes. */
  prove(statement: V2Statement): Uint8Array
}

/** In the order of the circuit. */
export function v2Signals({ taskId, seed, outputLength, resultDigest }: V2Statement): PublicSignals {
  return [taskId, seed, outputLength, resultDigest]
}

const signalCount = 4
const wireCount = 6

export async function createV2Prover(zkey: Uint8Array): Promise<V2Prover> {
  const key = parseProvingKey(zkey)
  checkShape(key)
  return open(await loadMcl(), key)
}

function checkShape(key: ProvingKey): void {
  if (key.wireCount !== wireCount || key.signalCount !== signalCount)
    throw new ProvingKeyError(
      `the key is for ${key.wireCount} wires and ${key.signalCount} signals; v2 has ${wireCount} and ${signalCount}`,
    )
  const isBlank = key.b1.every((byte) => byte === 0) && key.b2.every((byte) => byte === 0)
  const view = new DataView(key.coefficients.buffer, key.coefficients.byteOffset, key.coefficients.byteLength)
  for (let entry = 0; entry < key.coefficientCount; entry++)
    if (view.getUint32(entry * coefficientLength, true) !== 0)
      throw new ProvingKeyError('the key is for a relation that multiplies; that of v2 is linear')
  if (!isBlank) throw new ProvingKeyError('the key has points for a matrix B; that of v2 is empty')
}

function open(mcl: Mcl, key: ProvingKey): V2Prover {
  const numbers = openNumbers(mcl)
  const points = openPoints(mcl, openSubgroup(mcl, numbers))
  const drawScalar = openRandomScalars(mcl)

  function load(source: Uint8Array, index = 0): number {
    const target = mcl.reserve(g1Size)
    points.loadG1(target, source, index * g1Length)
    return target
  }
  const betaG2 = mcl.reserve(g2Size)
  points.loadG2(betaG2, key.betaG2, 0)
  const deltaG2 = mcl.reserve(g2Size)
  points.loadG2(deltaG2, key.deltaG2, 0)

  // α and the point of the wire that is always one.
  const constant = mcl.reserve(g1Size)
  mcl._mclBnG1_add(constant, load(key.alphaG1), load(key.a))
  const signals = Array.from({ length: signalCount }, (_, index) =>
    openFixedBaseG1(mcl, load(key.a, index + 1)),
  )
  const witness = openFixedBaseG1(mcl, load(key.c))
  const beta = openFixedBaseG1(mcl, load(key.betaG1))
  const delta = openFixedBaseG1(mcl, load(key.deltaG1))
  const deltaTwisted = openFixedBaseG2(mcl, deltaG2)

  const [a, b, c] = [mcl.reserve(g1Size), mcl.reserve(g2Size), mcl.reserve(g1Size)]
  const [blindA, blindB, scalar, raw] = [
    mcl.reserve(frSize),
    mcl.reserve(frSize),
    mcl.reserve(frSize),
    mcl.reserve(frSize),
  ]

  /** Where the scalar's plain bytes are: the next call writes others there. */
  function plain(source: number): number {
    plainFr(mcl, raw, source)
    return raw
  }

  return {
    prove(statement) {
      checkStatement(statement)
      const { taskId, seed, outputLength, resultDigest } = statement
      drawScalar(blindA)
      drawScalar(blindB)

      // A = α + Σ wireᵢ·Aᵢ + r·δ
      mcl.bytes().copyWithin(a, constant, constant + g1Size)
      for (const [index, signal] of v2Signals(statement).entries()) {
        numbers.writeFr(scalar, signal)
        signals[index]?.addProduct(a, mcl.bytes(), plain(scalar))
      }
      delta.addProduct(a, mcl.bytes(), plain(blindA))

      // B = β + s·δ
      mcl.bytes().copyWithin(b, betaG2, betaG2 + g2Size)
      deltaTwisted.addProduct(b, mcl.bytes(), plain(blindB))

      // C = witness·C₅ + s·A + r·(β + s·δ) − r·s·δ, of which the last three are s·A + r·β.
      mcl._mclBnG1_normalize(a, a)
      mcl._mclBnG1_mul(c, a, blindB)
      const rest = resultDigest - taskId - seed - outputLength
      numbers.writeFr(scalar, ((rest % fieldOrder) + fieldOrder) % fieldOrder)
      witness.addProduct(c, mcl.bytes(), plain(scalar))
      beta.addProduct(c, mcl.bytes(), plain(blindA))

      mcl._mclBnG1_normalize(c, c)
      mcl._mclBnG2_normalize(b, b)
      const proof = new Uint8Array(proofLength)
      points.writeG1(proof, 0, a)
      points.writeG2(proof, g1Length, b)
      points.writeG1(proof, g1Length + g2Length, c)
      return proof
    },
  }
}

function checkStatement({ taskId, seed, outputLength, resultDigest }: V2Statement): void {
  const bounds = [
    ['taskId', taskId, 2n ** 128n],
    ['seed', seed, 2n ** 64n],
    ['outputLength', outputLength, 2n ** 64n],
    ['resultDigest', resultDigest, fieldOrder],
  ] as const
  for (const [name, value, bound] of bounds)
    if (value < 0n || value >= bound)
      throw new RangeError(`${name} is ${value}, not from 0 to below ${bound}`)
}
