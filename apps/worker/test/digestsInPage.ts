/** What `digests.test.ts` runs within a page: each vector through the code that tabs load, results as text. */
import { loadHashing } from '@shardy/crypto'
import { openField } from '@shardy/proofs'
import { type Digest, encodeHex, foldDigest } from '@shardy/protocol'

export interface Asked {
  readonly outputLengths: readonly number[]
  readonly operands: readonly (readonly number[])[]
  readonly sums: readonly (readonly number[])[]
}

export interface Found {
  /** For each length: by the tab's SHA-256 and `@shardy/protocol`, and by the field's WebAssembly. */
  readonly folds: readonly (readonly [tab: string, wasm: string])[]
  readonly operands: readonly (readonly [commitA: string, commitB: string])[]
  readonly sums: readonly string[]
}

const pieceBytes = 10_007

async function computeDigests({ outputLengths, operands, sums }: Asked): Promise<Found> {
  const hashing = await loadHashing()
  const opened = await openField()
  if (!opened.ok) throw new Error(opened.refusal.message)
  const { createFold, commitOperand, commitSums } = opened.field
  return {
    folds: outputLengths.map((length) => {
      const output = Uint8Array.from({ length }, (_, index) => (index * 167 + 13) & 0xff)
      const [hash, fold] = [hashing.createHash(), createFold()]
      for (let from = 0; from < length; from += pieceBytes) {
        const piece = output.subarray(from, from + pieceBytes)
        hash.update(piece)
        fold.update(piece)
      }
      const outputDigest = encodeHex(hash.digest()) as Digest
      return [String(foldDigest(outputDigest, length, hashing.sha256)), String(fold.finish().value)]
    }),
    operands: operands.map((each) => {
      const block = Int8Array.from(each)
      return [String(commitOperand(block, 'a')), String(commitOperand(block, 'b'))]
    }),
    sums: sums.map((each) => String(commitSums(Int32Array.from(each)))),
  }
}

declare global {
  var shardyDigests: typeof computeDigests
}
globalThis.shardyDigests = computeDigests
