/**
 * Why bytes were refused. Decoders return one of these instead of throwing, always naming the field, so that
 * the sender can be told what was wrong and what would have been right.
 */
export type Refusal =
  | { readonly kind: 'truncated'; readonly field: string }
  | { readonly kind: 'missing'; readonly field: string }
  | { readonly kind: 'tooLong'; readonly field: string; readonly limit: number; readonly actual: number }
  | {
      readonly kind: 'wrongLength'
      readonly field: string
      readonly expected: number
      readonly actual: number
    }
  | {
      readonly kind: 'outOfRange'
      readonly field: string
      readonly min: string
      readonly max: string
      readonly actual: string
    }
  | { readonly kind: 'unknownChoice'; readonly field: string; readonly actual: number }
  | { readonly kind: 'unknownField'; readonly field: string; readonly number: number }
  | {
      readonly kind: 'wrongWireType'
      readonly field: string
      readonly expected: number
      readonly actual: number
    }
  | { readonly kind: 'badText'; readonly field: string }
  | { readonly kind: 'badPublicKey'; readonly field: string }
  | { readonly kind: 'badSignature'; readonly field: string }
  | { readonly kind: 'inconsistent'; readonly field: string; readonly rule: string }
  | { readonly kind: 'nonCanonical'; readonly field: string }
  | { readonly kind: 'unknownFrame'; readonly field: string; readonly actual: number }
  | { readonly kind: 'unexpectedFrame'; readonly field: string; readonly sender: string }

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal }

/** One English sentence for a person; programs read `kind` and the fields. */
export function describeRefusal(refusal: Refusal): string {
  const { field } = refusal
  switch (refusal.kind) {
    case 'truncated':
      return `${field} ends before its bytes do`
    case 'missing':
      return `${field} is missing`
    case 'tooLong':
      return `${field} has ${refusal.actual}, the limit is ${refusal.limit}`
    case 'wrongLength':
      return `${field} has ${refusal.actual} bytes, expected ${refusal.expected}`
    case 'outOfRange':
      return `${field} is ${refusal.actual}, allowed is ${refusal.min} to ${refusal.max}`
    case 'unknownChoice':
      return `${field} has the unknown value ${refusal.actual}`
    case 'unknownField':
      return `${field} has the unknown field number ${refusal.number}`
    case 'wrongWireType':
      return `${field} has wire type ${refusal.actual}, expected ${refusal.expected}`
    case 'badText':
      return `${field} is not printable ASCII`
    case 'badPublicKey':
      return `${field} is not an uncompressed P-256 point (0x04 and 64 bytes)`
    case 'badSignature':
      return `${field} is not a P-256 signature with r and s in range and s in the lower half`
    case 'inconsistent':
      return `${field}: ${refusal.rule}`
    case 'nonCanonical':
      return `${field} is not in its one accepted encoding`
    case 'unknownFrame':
      return `${field} has the unknown type ${refusal.actual}`
    case 'unexpectedFrame':
      return `${field} is not a frame that the ${refusal.sender} sends`
  }
}
