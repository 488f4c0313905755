/**
 * Proofs of `task-proof-v2` (witness + taskId + seed + outputLen = resultDigest). The relation is linear: the matrices A and B of its
 * constraint are empty, so the quotient is zero, and all three points are sums over points of the key, which are tabulated when the key
 * is loaded. Proving is synchronous afterwards.
 */
import { elementLength } from '../bn254/bytes.ts'
import { type Curve, openCurve } from '../bn254/curve.ts'
import { fieldOrder } from '../bn254/orders.ts'
import { proofLength } from '../groth16/proofJson.ts'
import {
  coefficientLength,
  type ProvingKey,
  ProvingKeyError,
  parseProvingKey,
} from '../groth16/provingKey.ts'
import type { PublicSignals } from '../system.ts'
import { loadSingles, pointG1 } from './memory.ts'
import { drawScalar, writeScalar } from './scalars.ts'

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
  return open(await openCurve(), key)
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

function open(curve: Curve, key: ProvingKey): V2Prover {
  const { exports } = curve
  function load(source: Uint8Array, count: number): number {
    const stage = curve.reserve(source.length)
    curve.bytes().set(source, stage)
    const target = curve.reserve(count * pointG1)
    exports.load_g1(target, stage, count)
    return target
  }
  const linear = curve.reserve(exports.linear_size())
  exports.open_linear(linear, loadSingles(curve, key), load(key.a, wireCount), signalCount, load(key.c, 1))
  const scalars = curve.reserve((signalCount + 1) * elementLength)
  const [proof, blindA, blindB] = [
    curve.reserve(proofLength),
    curve.reserve(elementLength),
    curve.reserve(elementLength),
  ]

  return {
    prove(statement) {
      checkStatement(statement)
      const { taskId, seed, outputLength, resultDigest } = statement
      const rest = (resultDigest - taskId - seed - outputLength) % fieldOrder
      const witness = rest < 0n ? rest + fieldOrder : rest
      for (const [index, value] of [...v2Signals(statement), witness].entries())
        writeScalar(curve, scalars + index * elementLength, value)
      drawScalar(curve, blindA)
      drawScalar(curve, blindB)
      exports.prove_linear(proof, linear, scalars, signalCount + 1, blindA, blindB)
      return curve.bytes().slice(proof, proof + proofLength)
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
