/** Where the items of a campaign come from (spec K2): exactly one of four, each with a count that is known beforehand. */
import { blob, field, type Infer, list, message, optional, values, whole } from '@shardy/protocol'
import { inlineBlobsMax, itemsMax, templateBytesMax } from '../limits.ts'

const safeInteger = Number.MAX_SAFE_INTEGER

/** Item i has the template with `from + i` written into it at `offset`, eight bytes, little end first. */
const rangeInputs = message('CampaignRange', {
  from: field(1, whole(0, safeInteger)),
  /** Not itself in the range. */
  to: field(2, whole(1, safeInteger)),
  template: field(3, blob(templateBytesMax)),
  /** At the template's end: appended. */
  offset: field(4, whole(0, templateBytesMax)),
})

/** Item i has the same input as any other, and the seed `from + i`. */
const seedInputs = message('CampaignSeeds', {
  from: field(1, whole(0, safeInteger)),
  to: field(2, whole(1, safeInteger)),
  /** Absent: work that takes no bytes, only a seed. */
  input: field(3, optional(values.digest)),
})

const blobInputs = message('CampaignBlobs', {
  digests: field(1, list(values.digest, inlineBlobsMax)),
})

/** A blob that holds the items' digests, 32 bytes each, one after the other. */
const listInputs = message('CampaignList', {
  digest: field(1, values.digest),
  count: field(2, whole(1, itemsMax)),
})

export const campaignInputs = message('CampaignInputs', {
  range: field(1, optional(rangeInputs.codec)),
  seeds: field(2, optional(seedInputs.codec)),
  blobs: field(3, optional(blobInputs.codec)),
  list: field(4, optional(listInputs.codec)),
})
export type CampaignInputs = Infer<typeof campaignInputs>

export const inputKinds = ['range', 'seeds', 'blobs', 'list'] as const

export interface Flaw {
  readonly field: string
  readonly value: string
  readonly rule: string
}

export function inputsFlaw(inputs: CampaignInputs): Flaw | undefined {
  const given = inputKinds.filter((kind) => inputs[kind] !== undefined)
  if (given.length !== 1) {
    const value = given.length === 0 ? 'none' : given.join(' and ')
    return { field: 'inputs', value, rule: `exactly one of ${inputKinds.join(', ')}` }
  }
  const { range, seeds, blobs } = inputs
  const span = range ?? seeds
  if (span !== undefined && !(span.to > span.from && span.to - span.from <= itemsMax)) {
    const field = `inputs.${range === undefined ? 'seeds' : 'range'}.to`
    return { field, value: String(span.to), rule: `from + 1 to from + ${itemsMax}; from is ${span.from}` }
  }
  if (range !== undefined && range.offset > range.template.length) {
    const rule = `at most ${range.template.length}, the template's length`
    return { field: 'inputs.range.offset', value: String(range.offset), rule }
  }
  if (blobs !== undefined && blobs.digests.length === 0) {
    return { field: 'inputs.blobs.digests', value: 'a list of 0', rule: `1 to ${inlineBlobsMax} digests` }
  }
  return undefined
}

export function countOf({ range, seeds, blobs, list: listed }: CampaignInputs): number {
  const span = range ?? seeds
  return span === undefined ? (listed?.count ?? blobs?.digests.length ?? 0) : span.to - span.from
}
