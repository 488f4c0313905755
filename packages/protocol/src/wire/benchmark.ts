/**
 * Admission by work (spec W40–W45): the orchestrator sends a chain's parameters, the worker computes it and answers with a root
 * over its checkpoints, the orchestrator has some cells opened and computes their steps again (docs/spec/benchmark.md). Also what
 * the worker is told of it: its tier, and why it gets nothing.
 */
import { messageLengthMax, tierMax } from '../limits.ts'
import { blob, hex, list, text, whole } from '../schema/codec.ts'
import { field, type Infer, message } from '../schema/message.ts'
import { digest, durationMs } from '../values.ts'

const benchmarkId = hex<string>(16)
const parametersBytesMax = 1024
const openingsMax = 16
/** A cell is row + rows × segment; a chain has 2^18 of them at most. */
const indexMax = 2 ** 20 - 1
/** Two rows of 1024 bytes, and their paths. */
const openingBytesMax = 8 * 1024

export const benchmark = message('Benchmark', {
  benchmarkId: field(1, benchmarkId),
  parameters: field(2, blob(parametersBytesMax)),
  /** From when it is sent until the root is here. */
  withinMs: field(3, durationMs),
})
export type Benchmark = Infer<typeof benchmark>

export const benchmarkRoot = message('BenchmarkRoot', {
  benchmarkId: field(1, benchmarkId),
  root: field(2, digest),
  /** Bytes of device memory that were allocated, touched and verified beside it. */
  stableBytes: field(3, whole(0, Number.MAX_SAFE_INTEGER)),
})
export type BenchmarkRoot = Infer<typeof benchmarkRoot>

export const benchmarkOpen = message('BenchmarkOpen', {
  benchmarkId: field(1, benchmarkId),
  indexes: field(2, list(whole(0, indexMax), openingsMax)),
})
export type BenchmarkOpen = Infer<typeof benchmarkOpen>

/** One opening a frame, in the order of the indexes. */
export const benchmarkOpening = message('BenchmarkOpening', {
  benchmarkId: field(1, benchmarkId),
  index: field(2, whole(0, indexMax)),
  opening: field(3, blob(openingBytesMax)),
})
export type BenchmarkOpening = Infer<typeof benchmarkOpening>

/** Measured by the orchestrator; repeated when it is measured anew. */
export const admitted = message('Admitted', {
  tier: field(1, whole(0, tierMax)),
  operationsPerSecond: field(2, whole(0, Number.MAX_SAFE_INTEGER)),
  message: field(3, text(messageLengthMax)),
})
export type AdmittedFrame = Infer<typeof admitted>

/** Why the worker gets nothing: a stable name, and words for a person. */
export const idle = message('Idle', {
  constraint: field(1, text(32)),
  message: field(2, text(messageLengthMax)),
})
export type Idle = Infer<typeof idle>
