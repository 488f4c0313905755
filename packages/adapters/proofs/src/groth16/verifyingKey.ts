/** A Groth16 verifying key as snarkjs exports it, read strictly; its points are bytes until a verifier is opened on them. */
import { elementLength } from '../bn254/bytes.ts'
import { type Outcome, refuse } from '../refusal.ts'
import { signalsMax } from '../signals.ts'
import { show, writeG1, writeG2 } from './proofJson.ts'

const [g1, g2] = [2 * elementLength, 4 * elementLength]

export interface VerifyingKey {
  readonly system: 'groth16'
  readonly signalCount: number
  readonly alpha: Uint8Array
  readonly beta: Uint8Array
  readonly gamma: Uint8Array
  readonly delta: Uint8Array
  /** One point for the constant, then one for each public signal. */
  readonly signals: readonly Uint8Array[]
}

export function parseVerifyingKey(json: unknown): Outcome<VerifyingKey> {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return refuse('malformed', 'a verifying key in JSON is an object')
  const key: Readonly<Record<string, unknown>> = { ...json }
  if (key.protocol !== 'groth16')
    return refuse('wrongSystem', `the key's protocol is ${show(key.protocol)}, not "groth16"`)
  if (key.curve !== 'bn128') return refuse('wrongCurve', `the key's curve is ${show(key.curve)}, not "bn128"`)
  const { nPublic, IC } = key
  if (typeof nPublic !== 'number' || !Number.isSafeInteger(nPublic) || nPublic < 1 || nPublic > signalsMax)
    return refuse('signalCount', `the key's nPublic is ${show(nPublic)}, not from 1 to ${signalsMax}`)
  if (!Array.isArray(IC)) return refuse('malformed', 'the key has no list IC')
  if (IC.length !== nPublic + 1)
    return refuse(
      'signalCount',
      `the key has ${IC.length} points IC for ${nPublic} signals, not ${nPublic + 1}`,
    )
  const alpha = new Uint8Array(g1)
  const [beta, gamma, delta] = [new Uint8Array(g2), new Uint8Array(g2), new Uint8Array(g2)]
  const refused =
    writeG1(alpha, 0, key.vk_alpha_1, 'vk_alpha_1') ??
    writeG2(beta, 0, key.vk_beta_2, 'vk_beta_2') ??
    writeG2(gamma, 0, key.vk_gamma_2, 'vk_gamma_2') ??
    writeG2(delta, 0, key.vk_delta_2, 'vk_delta_2')
  if (refused !== undefined) return refused
  const signals: Uint8Array[] = []
  for (const [index, point] of IC.entries()) {
    const bytes = new Uint8Array(g1)
    const refusedPoint = writeG1(bytes, 0, point, `IC[${index}]`)
    if (refusedPoint !== undefined) return refusedPoint
    signals.push(bytes)
  }
  return { ok: true, value: { system: 'groth16', signalCount: nPublic, alpha, beta, gamma, delta, signals } }
}
