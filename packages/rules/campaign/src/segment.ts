/**
 * The results of 1,024 items in one row (spec K5), once all of them have one: runs of equal status, attempts, cost and
 * code, then the digests of those that have one. A segment of equal fates takes 32 bytes per item and some twenty more.
 */
import {
  blob,
  choice,
  type Digest,
  decodeHex,
  encodeHex,
  field,
  type Infer,
  list,
  message,
  text,
  values,
  whole,
} from '@shardy/protocol'
import { codeLengthMax, digestBytes, itemsMax, retriesMax, segmentItems } from './limits.ts'
import { type ItemResult, type ItemStatus, itemStatuses } from './record.ts'

const segmentsMax = itemsMax / segmentItems

const resultRun = message('CampaignResultRun', {
  length: field(1, whole(1, segmentItems)),
  status: field(2, choice(itemStatuses)),
  attempts: field(3, whole(0, retriesMax + 1)),
  costMicroCredit: field(4, values.microCredit),
  code: field(5, text(codeLengthMax)),
})
type ResultRun = Infer<typeof resultRun>

export const resultSegment = message(
  'CampaignResultSegment',
  {
    segment: field(1, whole(0, segmentsMax - 1)),
    runs: field(2, list(resultRun.codec, segmentItems)),
    digests: field(3, blob(segmentItems * digestBytes)),
  },
  ({ runs, digests }) => {
    let [count, digestCount] = [0, 0]
    for (const [place, run] of runs.entries()) {
      const before = runs[place - 1]
      if (before !== undefined && isSameFate(before, run)) {
        return { field: 'runs', rule: `run ${place} goes on with the one before it` }
      }
      count += run.length
      if (hasOutput(run.status)) digestCount += run.length
    }
    if (count === 0 || count > segmentItems)
      return { field: 'runs', rule: `1 to ${segmentItems} items, not ${count}` }
    if (digests.length !== digestCount * digestBytes) {
      return { field: 'digests', rule: `${digestCount} digests, not ${digests.length} bytes` }
    }
    return undefined
  },
)
export type ResultSegment = Infer<typeof resultSegment>

export function segmentOf(index: number): number {
  return Math.floor(index / segmentItems)
}

/** Whoever ran and was taken has an output; nobody else has. */
export function hasOutput(status: ItemStatus): boolean {
  return status === 'verified' || status === 'accepted'
}

type Fate = Omit<ResultRun, 'length'>

function isSameFate(a: Fate, b: Fate): boolean {
  return (
    a.status === b.status &&
    a.attempts === b.attempts &&
    a.costMicroCredit === b.costMicroCredit &&
    a.code === b.code
  )
}

/** The results of one segment, ascending and without a gap from its first item on. */
export function packResults(results: readonly ItemResult[]): ResultSegment {
  const first = results[0]?.index ?? -1
  if (first < 0 || first % segmentItems !== 0 || results.length > segmentItems) {
    throw new RangeError(`${results.length} results from item ${first} on are no segment`)
  }
  const runs: { -readonly [Name in keyof ResultRun]: ResultRun[Name] }[] = []
  const digests: number[] = []
  for (const [place, { index, outputDigest, ...fate }] of results.entries()) {
    if (index !== first + place) throw new RangeError(`item ${first + place} is missing before item ${index}`)
    if ((outputDigest !== undefined) !== hasOutput(fate.status)) {
      throw new RangeError(`item ${index} is ${fate.status} with digest ${outputDigest}`)
    }
    const last = runs.at(-1)
    if (last !== undefined && isSameFate(last, fate)) last.length++
    else runs.push({ length: 1, ...fate })
    if (outputDigest !== undefined) digests.push(...(decodeHex(outputDigest) ?? []))
  }
  return { segment: segmentOf(first), runs, digests: Uint8Array.from(digests) }
}

export function unpackResults({ segment, runs, digests }: ResultSegment): readonly ItemResult[] {
  const results: ItemResult[] = []
  let [index, offset] = [segment * segmentItems, 0]
  for (const { length, ...fate } of runs) {
    for (const end = index + length; index < end; index++) {
      let outputDigest: Digest | undefined
      if (hasOutput(fate.status)) {
        outputDigest = encodeHex(digests.subarray(offset, offset + digestBytes)) as Digest
        offset += digestBytes
      }
      results.push({ index, outputDigest, ...fate })
    }
  }
  return results
}
