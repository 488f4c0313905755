/**
 * A Groth16 proof between the form that snarkjs writes and its 256 bytes: A, B, C as EIP-197 orders them. Both forms are strict, so
 * that a proof has one of each; whether the points are on the curve is found out by who verifies.
 */
import { proofLength } from '@shardy/protocol'
import { elementLength, isZero, readElement, writeElement } from '../bn254/bytes.ts'
import { parseDecimal } from '../bn254/decimal.ts'
import { baseOrder } from '../bn254/orders.ts'
import { type Outcome, type Refused, refuse } from '../refusal.ts'

export { proofLength }

export type Pair = readonly [string, string]

export interface Groth16Json {
  readonly pi_a: readonly [string, string, '1']
  readonly pi_b: readonly [Pair, Pair, readonly ['1', '0']]
  readonly pi_c: readonly [string, string, '1']
  readonly protocol: 'groth16'
  readonly curve: 'bn128'
}

const fields = ['curve', 'pi_a', 'pi_b', 'pi_c', 'protocol']

export function proofFromJson(json: unknown): Outcome<Uint8Array> {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return refuse('malformed', 'a proof in JSON is an object')
  const proof: Readonly<Record<string, unknown>> = { ...json }
  if (proof.protocol !== 'groth16')
    return refuse('wrongSystem', `the proof's protocol is ${show(proof.protocol)}, not "groth16"`)
  if (proof.curve !== 'bn128')
    return refuse('wrongCurve', `the proof's curve is ${show(proof.curve)}, not "bn128"`)
  const names = Object.keys(proof).sort()
  if (names.join() !== fields.join())
    return refuse(
      'malformed',
      `a proof has the fields ${fields.join(', ')}; this one has ${names.slice(0, 8).join(', ')}`,
    )
  const bytes = new Uint8Array(proofLength)
  const refused =
    writeG1(bytes, 0, proof.pi_a, 'pi_a') ??
    writeG2(bytes, 64, proof.pi_b) ??
    writeG1(bytes, 192, proof.pi_c, 'pi_c')
  return refused ?? { ok: true, value: bytes }
}

/** About three times what a proof takes. */
const textLengthMax = 4_096

export function proofFromText(text: string): Outcome<Uint8Array> {
  if (text.length > textLengthMax)
    return refuse(
      'malformed',
      `the proof's JSON has ${text.length} characters, and at most ${textLengthMax} are read`,
    )
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return refuse('malformed', `the proof's JSON cannot be parsed; it has ${text.length} characters`)
  }
  return proofFromJson(json)
}

/** Only what `proofFromJson` would give back as the same bytes is taken. */
export function proofToJson(proof: Uint8Array): Outcome<Groth16Json> {
  const refused = refuseLength(proof)
  if (refused !== undefined) return refused
  for (const [name, at, length] of [
    ['A', 0, 64],
    ['B', 64, 128],
    ['C', 192, 64],
  ] as const)
    if (isZero(proof, at, length)) return refuse('infinity', `${name} is the point at infinity`)
  const numbers = Array.from({ length: 8 }, (_, index) => readElement(proof, index * elementLength))
  const above = numbers.findIndex((number) => number >= baseOrder)
  if (above >= 0) return refuse('nonCanonical', `the number ${above + 1} of 8 is not below ${baseOrder}`)
  const [ax, ay, bx1, bx0, by1, by0, cx, cy] = numbers.map(String) as [
    ...[string, string, string, string, string, string, string, string],
  ]
  return {
    ok: true,
    value: {
      pi_a: [ax, ay, '1'],
      pi_b: [
        [bx0, bx1],
        [by0, by1],
        ['1', '0'],
      ],
      pi_c: [cx, cy, '1'],
      protocol: 'groth16',
      curve: 'bn128',
    },
  }
}

export function refuseLength(proof: Uint8Array): Refused | undefined {
  if (proof.length === proofLength) return undefined
  return refuse('malformed', `the proof has ${proof.length} bytes, not ${proofLength}`)
}

/** A point of snarkjs' JSON: two coordinates and a Z, which is 1, or 0 at infinity. */
export function writeG1(target: Uint8Array, at: number, json: unknown, name: string): Refused | undefined {
  if (!isList(json, 3)) return refuse('malformed', `${name} is not a list of three numbers`)
  const [x, y, z] = json
  if (z === '0') return refuse('infinity', `${name} is the point at infinity`)
  if (z !== '1') return refuse('malformed', `${name} ends with ${show(z)}, not "1"`)
  return (
    writeCoordinate(target, at, x, `${name}.x`) ?? writeCoordinate(target, at + elementLength, y, `${name}.y`)
  )
}

export function writeG2(target: Uint8Array, at: number, json: unknown, name = 'pi_b'): Refused | undefined {
  if (!isList(json, 3) || !json.every((part) => isList(part, 2)))
    return refuse('malformed', `${name} is not a list of three pairs of numbers`)
  const [x, y, z] = json as readonly (readonly [unknown, unknown])[] as [Two, Two, Two]
  if (z[0] === '0' && z[1] === '0') return refuse('infinity', `${name} is the point at infinity`)
  if (z[0] !== '1' || z[1] !== '0')
    return refuse('malformed', `${name} ends with ${show(z[0])}, ${show(z[1])}, not "1", "0"`)
  const parts = [
    [x[1], 'x.c1'],
    [x[0], 'x.c0'],
    [y[1], 'y.c1'],
    [y[0], 'y.c0'],
  ] as const
  for (const [index, [part, label]] of parts.entries()) {
    const refused = writeCoordinate(target, at + index * elementLength, part, `${name}.${label}`)
    if (refused !== undefined) return refused
  }
  return undefined
}

type Two = readonly [unknown, unknown]

function writeCoordinate(target: Uint8Array, at: number, json: unknown, name: string): Refused | undefined {
  const number = parseDecimal(json, name, baseOrder)
  if (!number.ok) return number
  writeElement(target, at, number.value)
  return undefined
}

function isList(json: unknown, length: number): json is readonly unknown[] {
  return Array.isArray(json) && json.length === length
}

/** Short, whatever it is: an object is not asked for its text, which JSON can make it fail to give. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  if (value === undefined) return 'missing'
  return typeof value === 'number' ? String(value) : typeof value
}
