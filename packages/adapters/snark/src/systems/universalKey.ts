/**
 * The verifying key of a universal system (PLONK, FFLONK) as snarkjs exports it, read strictly: numbers in their one form,
 * points of their groups, and roots of unity that are the ones snarkjs takes for granted.
 */
import {
  baseOrder,
  fieldOrder,
  type Outcome,
  type Refused,
  refuse,
  type SystemName,
  signalsMax,
} from '@shardy/proofs'
import { withSnarkjs } from '../snarkjs.ts'
import { power, readDecimal, rootOfUnity } from './field.ts'
import { isOnCurve, objectOf, pointFromJson, refuseKind, show } from './proofForm.ts'

/** The field has roots of unity of order 2^28 and no higher. */
const domainPowerMax = 28

export interface KeyForm {
  readonly system: SystemName
  /** Commitments that no circuit can leave at infinity. */
  readonly points: readonly string[]
  /** Selectors: one that the circuit does not use is the point at infinity. */
  readonly selectors: readonly string[]
  readonly numbers: readonly string[]
}

export interface UniversalKey {
  readonly system: SystemName
  readonly signalCount: number
  readonly domainPower: number
  readonly numbers: ReadonlyMap<string, bigint>
  /** Only the fields that were read, as snarkjs takes them. */
  readonly json: Readonly<Record<string, unknown>>
}

export function parseUniversalKey(form: KeyForm, json: unknown): Outcome<UniversalKey> {
  const object = objectOf(json, 'a verifying key')
  if (!object.ok) return object
  const fields = object.value
  const wrongKind = refuseKind(fields, form.system, 'key')
  if (wrongKind !== undefined) return wrongKind
  const { nPublic, power: domainPower, X_2 } = fields
  if (!isWhole(nPublic, 1, signalsMax))
    return refuse(
      'signalCount',
      `the key's nPublic is ${show(nPublic)}, not a number from 1 to ${signalsMax}`,
    )
  if (!isWhole(domainPower, 1, domainPowerMax) || nPublic > 2 ** domainPower)
    return refuse(
      'malformed',
      `the key's power is ${show(domainPower)}, not from 1 to ${domainPowerMax}, or too small`,
    )
  const numbers = new Map<string, bigint>()
  for (const name of form.numbers) {
    const number = readDecimal(fields[name], name, fieldOrder)
    if (!number.ok) return number
    numbers.set(name, number.value)
  }
  for (const name of [...form.points, ...form.selectors]) {
    const refused = refusePoint(fields[name], name, form.selectors.includes(name))
    if (refused !== undefined) return refused
  }
  const refused = refuseTwistNumbers(X_2) ?? refuseRoots(numbers, domainPower)
  if (refused !== undefined) return refused
  const names = [
    'nPublic',
    'power',
    'X_2',
    'curve',
    'protocol',
    ...form.points,
    ...form.selectors,
    ...form.numbers,
  ]
  return {
    ok: true,
    value: {
      system: form.system,
      signalCount: nPublic,
      domainPower,
      numbers,
      json: Object.fromEntries(names.map((name) => [name, structuredClone(fields[name])])),
    },
  }
}

/** The one point of the second group: the secret, in it. */
export async function refuseSecretPoint(key: UniversalKey): Promise<Refused | undefined> {
  return withSnarkjs(async ({ curve: { G2, r } }) => {
    const pairs = key.json.X_2 as readonly (readonly string[])[]
    const point = G2.fromObject(pairs.map((pair) => pair.map(BigInt)))
    if (!G2.isValid(point)) return refuse('offCurve', 'X_2 is not on the curve')
    return G2.isZero(G2.timesScalar(point, r))
      ? undefined
      : refuse('wrongSubgroup', 'X_2 is not in the subgroup')
  })
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
}

/** As snarkjs writes it. */
const infinity = ['0', '1', '0']

const isListOf = (json: unknown, values: readonly string[]): boolean =>
  Array.isArray(json) &&
  json.length === values.length &&
  values.every((value, index) => json[index] === value)

function refusePoint(json: unknown, name: string, mayBeInfinity: boolean): Refused | undefined {
  if (mayBeInfinity && isListOf(json, infinity)) return undefined
  const point = pointFromJson(json, name)
  if (!point.ok) return point
  return isOnCurve(point.value) ? undefined : refuse('offCurve', `${name} is not on the curve`)
}

function refuseTwistNumbers(json: unknown): Refused | undefined {
  if (
    !Array.isArray(json) ||
    json.length !== 3 ||
    !json.every((pair) => Array.isArray(pair) && pair.length === 2)
  )
    return refuse('malformed', 'X_2 is not a list of three pairs of numbers')
  const [x = [], y = [], z = []] = json as readonly (readonly unknown[])[]
  if (isListOf(z, ['0', '0'])) return refuse('infinity', 'X_2 is the point at infinity')
  if (z[0] !== '1' || z[1] !== '0') return refuse('malformed', 'X_2 does not end with "1", "0"')
  for (const part of [...x, ...y]) {
    const number = readDecimal(part, 'a number of X_2', baseOrder)
    if (!number.ok) return number
  }
  return undefined
}

/** snarkjs computes with some of these and with its own of the others; a key in which they differ is no key of its. */
function refuseRoots(numbers: ReadonlyMap<string, bigint>, domainPower: number): Refused | undefined {
  const w = rootOfUnity(domainPower)
  const isPrimitive = (value: bigint, order: bigint, prime: bigint) =>
    power(value, order) === 1n && power(value, order / prime) !== 1n
  const checks: readonly (readonly [string, (value: bigint) => boolean])[] = [
    ['w', (value) => value === w],
    ['w3', (value) => isPrimitive(value, 3n, 3n)],
    ['w4', (value) => isPrimitive(value, 4n, 2n)],
    ['w8', (value) => isPrimitive(value, 8n, 2n)],
    ['wr', (value) => power(value, 3n) === w],
  ]
  for (const [name, holds] of checks) {
    const value = numbers.get(name)
    if (value !== undefined && !holds(value))
      return refuse('malformed', `the key's ${name} is not the root of one that its name says`)
  }
  return undefined
}
