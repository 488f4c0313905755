/** What one item is given (spec K2), made when it is submitted: no list of inputs is ever held. */
import { type Digest, encodeHex } from '@shardy/protocol'
import { digestBytes } from '../limits.ts'
import type { Manifest } from './manifest.ts'

export type ItemInput =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'blob'; readonly digest: Digest }
  /** The digest stands in the list blob, at this offset. */
  | { readonly kind: 'listed'; readonly list: Digest; readonly offset: number }

export interface ItemWork {
  readonly input: ItemInput
  readonly seed: bigint
}

const numberBytes = 8

function filled(template: Uint8Array, offset: number, number: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(template.length, offset + numberBytes))
  bytes.set(template)
  new DataView(bytes.buffer).setBigUint64(offset, BigInt(number), true)
  return bytes
}

/** The index has to be one of the campaign's. */
export function itemWork({ work, inputs }: Manifest, index: number): ItemWork {
  const { range, seeds, blobs, list } = inputs
  const { seed } = work
  if (range !== undefined) {
    const bytes = filled(range.template, range.offset, range.from + index)
    return { input: { kind: 'bytes', bytes }, seed }
  }
  if (seeds !== undefined) {
    const input: ItemInput =
      seeds.input === undefined
        ? { kind: 'bytes', bytes: new Uint8Array(0) }
        : { kind: 'blob', digest: seeds.input }
    return { input, seed: BigInt(seeds.from + index) }
  }
  if (list !== undefined) {
    return { input: { kind: 'listed', list: list.digest, offset: index * digestBytes }, seed }
  }
  const digest = blobs?.digests[index]
  if (digest === undefined) throw new RangeError(`item ${index} is none of the campaign's`)
  return { input: { kind: 'blob', digest }, seed }
}

/** The digests in a piece of a list blob that begins and ends between two of them. */
export function digestsIn(bytes: Uint8Array): readonly Digest[] {
  if (bytes.length % digestBytes !== 0) throw new RangeError(`${bytes.length} bytes are no whole digests`)
  return Array.from(
    { length: bytes.length / digestBytes },
    (_, index) => encodeHex(bytes.subarray(index * digestBytes, (index + 1) * digestBytes)) as Digest,
  )
}
