/**
 * The fold of an output into the field (spec E4, E5) in WebAssembly, from bytes that arrive in pieces. It gives what
 * `foldOutputToField` of `@shardy/protocol` gives, from one pass that finds the digest as well.
 */
import { type Digest, decodeHex, encodeHex } from '@shardy/protocol'
import { type Instance, stageBytes } from './instance.ts'

export interface FoldedOutput {
  readonly outputDigest: Digest
  readonly outputLength: number
  readonly value: bigint
}

/** One fold in the making. Any number may be in the making at once, and their updates may interleave. */
export interface OutputFold {
  update(bytes: Uint8Array): OutputFold
  /** Ends the fold; using it again afterwards is a bug and throws. */
  finish(): FoldedOutput
}

export interface Folds {
  createFold(): OutputFold
  foldDigest(outputDigest: Digest, outputLength: number): bigint
  /** 64 bytes, highest first, modulo r. */
  reduceWide(wide: Uint8Array): bigint
}

export class FoldEndedError extends Error {
  override readonly name = 'FoldEndedError'
  constructor() {
    super('this fold has given its value already')
  }
}

export function createFolds({ run, bytes, at, element }: Instance): Folds {
  const stateBytes = run.fold_state_bytes()

  function createFold(): OutputFold {
    run.fold_begin(at.state)
    let state: Uint8Array | undefined = bytes.slice(at.state, at.state + stateBytes)
    let outputLength = 0
    const fold: OutputFold = {
      update(piece) {
        if (state === undefined) throw new FoldEndedError()
        bytes.set(state, at.state)
        for (let offset = 0; offset < piece.length; offset += stageBytes) {
          const staged = piece.subarray(offset, offset + stageBytes)
          bytes.set(staged, at.stage)
          run.fold_update(at.state, at.stage, staged.length)
        }
        outputLength += piece.length
        state.set(bytes.subarray(at.state, at.state + stateBytes))
        return fold
      },
      finish() {
        if (state === undefined) throw new FoldEndedError()
        bytes.set(state, at.state)
        state = undefined
        run.fold_finish(at.state, at.digest, at.out)
        const outputDigest = encodeHex(bytes.slice(at.digest, at.digest + 32)) as Digest
        return { outputDigest, outputLength, value: element() }
      },
    }
    return fold
  }

  return {
    createFold,
    foldDigest(outputDigest, outputLength) {
      const digest = decodeHex(outputDigest)
      if (digest?.length !== 32) throw new TypeError(`${outputDigest} is no digest`)
      if (!Number.isSafeInteger(outputLength) || outputLength < 0)
        throw new RangeError(`${outputLength} is no length`)
      bytes.set(digest, at.digest)
      run.fold_digest(at.digest, Math.floor(outputLength / 2 ** 32), outputLength % 2 ** 32, at.out)
      return element()
    },
    reduceWide(wide) {
      if (wide.length !== 64) throw new RangeError(`64 bytes are reduced, not ${wide.length}`)
      bytes.set(wide, at.stage)
      run.reduce_wide(at.stage, at.out)
      return element()
    },
  }
}
