/** What a lite task asks for: canonical bytes within bounds (docs/spec/lite.md, F1 to F3), and what follows from them alone. */
import { type Decoded, field, message, payloadBytesMax, type Refusal, whole } from '@shardy/protocol'
import { byteStepsMax, laneBytesMin, lanesMax, roundsMax, superLiteInputBytesMin } from './limits.ts'

export interface SuperLiteProgram {
  readonly kind: 'superLite'
  readonly inputLength: number
  readonly rounds: number
}

export interface LiteProgram {
  readonly kind: 'lite'
  readonly inputLength: number
  readonly rounds: number
  readonly lanes: number
}

export type AnyLiteProgram = SuperLiteProgram | LiteProgram

interface Counts {
  readonly inputLength: number
  readonly rounds: number
}

const version = 1

const superLiteMessage = message(
  'SuperLiteProgram',
  {
    version: field(1, whole(version, version)),
    inputLength: field(2, whole(superLiteInputBytesMin, payloadBytesMax)),
    rounds: field(3, whole(1, roundsMax)),
  },
  brokenFuel,
)

const liteMessage = message(
  'LiteProgram',
  {
    version: field(1, whole(version, version)),
    inputLength: field(2, whole(laneBytesMin, payloadBytesMax)),
    rounds: field(3, whole(1, roundsMax)),
    lanes: field(4, whole(1, lanesMax)),
  },
  (program) => {
    const { inputLength, lanes } = program
    if (inputLength >= laneBytesMin * lanes) return brokenFuel(program)
    const rule = `${lanes} lanes need ${laneBytesMin * lanes} input bytes, there are ${inputLength}`
    return { field: 'lanes', rule }
  },
)

function brokenFuel(counts: Counts): { readonly field: string; readonly rule: string } | undefined {
  const steps = byteStepsOf(counts)
  if (steps <= byteStepsMax) return undefined
  const rule = `${counts.rounds} rounds over ${counts.inputLength} bytes are ${steps} byte steps, the limit is ${byteStepsMax}`
  return { field: 'rounds', rule }
}

function byteStepsOf({ inputLength, rounds }: Counts): number {
  return inputLength * rounds
}

/** For a program within its bounds; another is a bug of the caller and throws. */
export function encodeLite(program: AnyLiteProgram): Uint8Array {
  return program.kind === 'lite'
    ? liteMessage.encode({ version, ...program })
    : superLiteMessage.encode({ version, ...program })
}

export function decodeLite(kind: AnyLiteProgram['kind'], bytes: Uint8Array): Decoded<AnyLiteProgram> {
  if (kind === 'lite') {
    const decoded = liteMessage.decode(bytes)
    if (!decoded.ok) return decoded
    const { inputLength, rounds, lanes } = decoded.value
    return { ok: true, value: { kind, inputLength, rounds, lanes } }
  }
  const decoded = superLiteMessage.decode(bytes)
  if (!decoded.ok) return decoded
  const { inputLength, rounds } = decoded.value
  return { ok: true, value: { kind, inputLength, rounds } }
}

/** A program of counts that may be anything, such as those of a request. */
export function parseLite(counts: AnyLiteProgram): Decoded<AnyLiteProgram> {
  const definition = counts.kind === 'lite' ? liteMessage : superLiteMessage
  for (const name of ['inputLength', 'rounds', ...(counts.kind === 'lite' ? ['lanes'] : [])] as const) {
    const value = Reflect.get(counts, name) as unknown
    if (Number.isSafeInteger(value) && (value as number) >= 0) continue
    const fieldName = `${definition.name}.${name}`
    const max = String(Number.MAX_SAFE_INTEGER)
    return { ok: false, refusal: outOfRange(fieldName, '0', max, String(value)) }
  }
  // The wire's own reader says which bound is broken, so that JSON and bytes are refused in the same words.
  return decodeLite(counts.kind, unboundedMessage.encode({ version, lanes: 0, ...counts }))
}

const count = whole(0, Number.MAX_SAFE_INTEGER)
const unboundedMessage = message('LiteCounts', {
  version: field(1, count),
  inputLength: field(2, count),
  rounds: field(3, count),
  lanes: field(4, count),
})

function outOfRange(name: string, min: string, max: string, actual: string): Refusal {
  return { kind: 'outOfRange', field: name, min, max, actual }
}

/** Byte steps: what a lease and a price rest on, and what a check costs again (F8). */
export function liteSteps(program: AnyLiteProgram): number {
  return byteStepsOf(program)
}

export function liteOutputLength(program: AnyLiteProgram): number {
  return program.kind === 'lite' ? 8 * program.lanes : 4
}

export function describeLite(program: AnyLiteProgram): string {
  const { inputLength, rounds } = program
  const over = `${plural(rounds, 'round')} over ${plural(inputLength, 'byte')}`
  return program.kind === 'lite'
    ? `lite hash of ${over} in ${plural(program.lanes, 'lane')}`
    : `super-lite hash of ${over}`
}

export function refuseLiteInput({ inputLength }: AnyLiteProgram, input: Uint8Array): Refusal | undefined {
  if (input.length === inputLength) return undefined
  return { kind: 'wrongLength', field: 'input', expected: inputLength, actual: input.length }
}

function plural(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`
}
