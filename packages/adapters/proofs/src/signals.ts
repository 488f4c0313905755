/** Public signals: a fixed number of field elements, each below the field's order, in JSON as decimal strings. */
import { parseDecimal } from './bn254/decimal.ts'
import { fieldOrder } from './bn254/orders.ts'
import { type Outcome, type Refused, refuse } from './refusal.ts'
import type { PublicSignals } from './system.ts'

/** More than any circuit of ours has; a key with more is refused. */
export const signalsMax = 64

export function refuseSignals(signals: PublicSignals, count: number): Refused | undefined {
  if (signals.length !== count)
    return refuse('signalCount', `there are ${signals.length} public signals, and the key takes ${count}`)
  for (let index = 0; index < count; index++) {
    const signal = signals[index]
    if (typeof signal !== 'bigint') return refuse('malformed', `signal ${index} is no bigint`)
    if (signal < 0n || signal >= fieldOrder)
      return refuse('nonCanonical', `signal ${index} is ${short(signal)}, not from 0 to below ${fieldOrder}`)
  }
  return undefined
}

export function signalsFromJson(json: unknown): Outcome<PublicSignals> {
  if (!Array.isArray(json)) return refuse('malformed', 'public signals in JSON are a list')
  if (json.length > signalsMax)
    return refuse(
      'signalCount',
      `there are ${json.length} public signals, and at most ${signalsMax} are taken`,
    )
  const signals: bigint[] = []
  for (const [index, text] of json.entries()) {
    const signal = parseDecimal(text, `signal ${index}`, fieldOrder)
    if (!signal.ok) return signal
    signals.push(signal.value)
  }
  return { ok: true, value: signals }
}

export function signalsToJson(signals: PublicSignals): readonly string[] {
  return signals.map(String)
}

function short(value: bigint): string {
  const text = value.toString(16)
  return text.length > 70 ? `a number of ${text.length} hexadecimal digits` : String(value)
}
