/** How bytes stand for real numbers, as ONNX has it: real = scale · (code - zeroPoint), codes rounded to even and saturated. */
import { dtypeFacts } from '@shardy/tensor'

export interface Quantization {
  readonly dtype: 'i8' | 'u8'
  readonly scale: number
  readonly zeroPoint: number
}

export function isSame(left: Quantization, right: Quantization): boolean {
  return left.dtype === right.dtype && left.scale === right.scale && left.zeroPoint === right.zeroPoint
}

/** To the nearest, halves to the even one. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x)
  const rest = x - below
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1
  return below % 2 === 0 ? below : below + 1
}

/** QuantizeLinear: the division is one of 32-bit floats. */
export function codeOf(x: number, { dtype, scale, zeroPoint }: Quantization): number {
  const { min, max } = dtypeFacts[dtype]
  const code = roundHalfEven(Math.fround(Math.fround(x) / Math.fround(scale))) + zeroPoint
  return Math.min(Math.max(code, min), max)
}

/** DequantizeLinear. */
export function realOf(code: number, { scale, zeroPoint }: Quantization): number {
  return Math.fround((code - zeroPoint) * Math.fround(scale))
}

/** Codes for everything from `min` to `max`. Zero always has a code of its own, since padding and relu need it. */
export function quantizationOf(min: number, max: number): Quantization {
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)]
  if (low === 0) return { dtype: 'u8', scale: scaleOf(high / 255), zeroPoint: 0 }
  const scale = scaleOf((high - low) / 255)
  const zeroPoint = Math.min(Math.max(Math.round(-128 - low / scale), -128), 127)
  // Rounding may give -0, which is no integer of its own.
  return { dtype: 'i8', scale, zeroPoint: zeroPoint + 0 }
}

/** As a 32-bit float, and never zero: a value that is always zero may have any scale. */
function scaleOf(scale: number): number {
  const float = Math.fround(scale)
  return float >= 2 ** -100 ? float : 1
}
