/**
 * Judges one question after the other, and keeps what the next one may need: programs that were read, blobs up to a bound, and secret
 * projections of weights that come again (docs/spec/checks.md, C15). Each thread has one, so no projection is ever used for two
 * answers at once, and none leaves the thread.
 */
import { decodeWork, type Work } from '@shardy/compute/work'
import type { Digest, ProgramId } from '@shardy/protocol'
import { type AnswerCheckAdapters, type AnswerVerdict, checkAnswer, checkDigest } from '@shardy/sdk'
import { type Projections, policies, projectWeights, seedBytes } from '@shardy/tensor/check'
import { groupFloats } from './floats.ts'
import type { Finding, Question } from './question.ts'

export interface Judge {
  /** The finding, or the blobs without which there is none. */
  judge(question: Question): Finding | readonly Digest[]
  /** Kept until newer ones take its room; whoever brings it has compared it with its digest. */
  keep(digest: Digest, bytes: Uint8Array): void
  /** How many sets of projections are kept. */
  projected(): number
}

/** The bytes of blobs that one thread keeps: several times the largest program's. */
export const keptBlobBytesMax = 1024 * 1024 * 1024
const keptProgramsMax = 256

interface KeptProgram {
  readonly work: Work
  /** Answers that were right since the last refusal: weights that come once are not worth folding. */
  rightCount: number
  projections: Projections | undefined
}

export function createJudge(adapters: AnswerCheckAdapters, blobBytesMax = keptBlobBytesMax): Judge {
  const programs = new Map<ProgramId, KeptProgram>()
  const blobs = new Map<Digest, Uint8Array>()
  let blobBytes = 0

  function programOf({ taskKind, program, programId }: Extract<Question, { kind: 'answer' }>): KeptProgram {
    const known = programs.get(programId)
    if (known !== undefined) return known
    const decoded = decodeWork(taskKind, program)
    if (!decoded.ok) throw new Error(`a task holds a broken program: ${decoded.reason}`)
    for (const oldest of programs.keys()) {
      if (programs.size < keptProgramsMax) break
      programs.delete(oldest)
    }
    const kept: KeptProgram = { work: decoded.work, rightCount: 0, projections: undefined }
    programs.set(programId, kept)
    return kept
  }

  /** Folded when they come for the second time: one pass over them is about what one check would save. */
  function projectionsOf(kept: KeptProgram): Projections | undefined {
    const { work } = kept
    if (kept.projections !== undefined || work.kind !== 'program' || kept.rightCount === 0) {
      return kept.projections
    }
    const seed = adapters.random(seedBytes)
    const made = projectWeights(work.program, policies.fixedWeights, blobs, seed, adapters.tools)
    kept.projections = made.size > 0 ? made : undefined
    return kept.projections
  }

  function judgeAnswer(question: Extract<Question, { kind: 'answer' }>): AnswerVerdict {
    const kept = programOf(question)
    const { work } = kept
    const { input, claimed, constants } = question
    const asked = { work, input, blobs }
    if (claimed.kind === 'digest') {
      return checkDigest({ ...asked, outputDigest: claimed.outputDigest }, adapters)
    }
    const { output, transcript } = claimed
    const projections = constants.length > 0 ? projectionsOf(kept) : undefined
    const verdict = checkAnswer({ ...asked, output, transcript, projections }, adapters)
    if (verdict.kind === 'right') kept.rightCount++
    else {
      // C15: whatever it was that refused, and whoever was refused, these have been used against it.
      kept.projections = undefined
      kept.rightCount = 0
    }
    return verdict
  }

  return {
    judge(question) {
      if (question.kind === 'floats') return { kind: 'groups', groups: groupFloats(question.outputs) }
      const missing = question.constants.filter((digest) => !blobs.has(digest))
      if (missing.length > 0) return missing
      for (const digest of question.constants) {
        // Moved behind all others: the ones that are not used go first.
        const bytes = blobs.get(digest) as Uint8Array
        blobs.delete(digest)
        blobs.set(digest, bytes)
      }
      return { kind: 'verdict', verdict: judgeAnswer(question) }
    },
    keep(digest, bytes) {
      blobBytes += bytes.length - (blobs.get(digest)?.length ?? 0)
      blobs.delete(digest)
      blobs.set(digest, bytes)
      for (const [oldest, { length }] of blobs) {
        // What has just come is wanted now, however large it is.
        if (blobBytes <= blobBytesMax || oldest === digest) break
        blobs.delete(oldest)
        blobBytes -= length
      }
    },
    projected: () => [...programs.values()].filter(({ projections }) => projections !== undefined).length,
  }
}
