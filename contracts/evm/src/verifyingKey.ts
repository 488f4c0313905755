// A Groth16 verifying key over BN254, read strictly from the JSON in which snarkjs writes it. Only what is written into
// a contract is kept; whether the key belongs to its circuit is for those to check who made it.

export const baseModulus = 21888242871839275222246405745257275088696311157297823662689037894645226208583n
export const scalarModulus = 21888242871839275222246405745257275088548364400416034343698204186575808495617n

export type CurvePoint = { readonly x: bigint; readonly y: bigint }
/** Coordinates as [real part, imaginary part], as in the JSON; EIP-197 wants them the other way round. */
export type TwistPoint = { readonly x: readonly [bigint, bigint]; readonly y: readonly [bigint, bigint] }

export type VerifyingKey = {
  readonly alpha: CurvePoint
  readonly beta: TwistPoint
  readonly gamma: TwistPoint
  readonly delta: TwistPoint
  /** One more than there are public signals. */
  readonly inputs: readonly CurvePoint[]
}

export class VerifyingKeyError extends Error {
  override readonly name = 'VerifyingKeyError'
}

export function readVerifyingKey(text: string): VerifyingKey {
  const json: unknown = JSON.parse(text)
  const field = (name: string): unknown => {
    if (typeof json !== 'object' || json === null || !(name in json))
      throw new VerifyingKeyError(`the verifying key has no ${name}`)
    return (json as Record<string, unknown>)[name]
  }
  if (field('protocol') !== 'groth16')
    throw new VerifyingKeyError(`the verifying key is for ${String(field('protocol'))}, not groth16`)
  if (field('curve') !== 'bn128')
    throw new VerifyingKeyError(`the verifying key is over ${String(field('curve'))}, not bn128`)
  const points = list(field('IC'), 'IC')
  if (points.length !== Number(field('nPublic')) + 1)
    throw new VerifyingKeyError(
      `IC has ${points.length} points for ${String(field('nPublic'))} public signals: one more is wanted`,
    )
  return {
    alpha: curvePoint(field('vk_alpha_1'), 'vk_alpha_1'),
    beta: twistPoint(field('vk_beta_2'), 'vk_beta_2'),
    gamma: twistPoint(field('vk_gamma_2'), 'vk_gamma_2'),
    delta: twistPoint(field('vk_delta_2'), 'vk_delta_2'),
    // At infinity a signal would not count at all: a circuit that leaves one unbound is refused here.
    inputs: points.map((point, index) => curvePoint(point, `IC[${index}]`)),
  }
}

function curvePoint(value: unknown, name: string): CurvePoint {
  const [x, y, z] = list(value, name, 3)
  if (z !== '1') throw new VerifyingKeyError(`${name} is at infinity or not affine: its z is ${String(z)}`)
  return { x: coordinate(x, name), y: coordinate(y, name) }
}

function twistPoint(value: unknown, name: string): TwistPoint {
  const [x, y, z] = list(value, name, 3)
  const [zReal, zImaginary] = list(z, name, 2)
  if (zReal !== '1' || zImaginary !== '0')
    throw new VerifyingKeyError(`${name} is at infinity or not affine: its z is ${String(z)}`)
  return { x: pair(x, name), y: pair(y, name) }
}

function pair(value: unknown, name: string): readonly [bigint, bigint] {
  const [real, imaginary] = list(value, name, 2)
  return [coordinate(real, name), coordinate(imaginary, name)]
}

function list(value: unknown, name: string, length?: number): readonly unknown[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length))
    throw new VerifyingKeyError(`${name} is not a list${length === undefined ? '' : ` of ${length}`}`)
  return value
}

function coordinate(value: unknown, name: string): bigint {
  if (typeof value !== 'string' || !/^(0|[1-9][0-9]*)$/.test(value))
    throw new VerifyingKeyError(`${name} holds ${String(value)}, which is no canonical decimal number`)
  const number = BigInt(value)
  if (number >= baseModulus)
    throw new VerifyingKeyError(`${name} holds ${value}, which is not below the modulus`)
  return number
}
