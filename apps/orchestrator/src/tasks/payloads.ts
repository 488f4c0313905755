/**
 * The bytes that tasks take and give. Small ones lie in the store beside their task and travel in its commit; larger ones are
 * blobs. What is on its way is held in memory: an input until its task has been handed out, an answer until its verdict.
 */
import type { TaskSpec } from '@shardy/dispatch'
import {
  type DeliveryId,
  type Digest,
  encodeHex,
  inlinePayloadBytesMax,
  type Sha256,
  type TaskId,
} from '@shardy/protocol'
import type { Store } from '@shardy/storage'
import { payloadKey, type Table } from '../tables.ts'

/** An answer whose verdict is not known yet. */
export interface Answer {
  readonly output: Uint8Array
  /** The parts that the interactive check needs. */
  readonly transcript: readonly Uint8Array[]
}

type Input = Pick<TaskSpec, 'taskId' | 'submittedAtMs' | 'inputDigest' | 'inputLength'>

export interface Payloads {
  /** Of a task that is about to be submitted; kept until it ends or, once it is written, memory is wanted for others. */
  holdInput(taskId: TaskId, input: Uint8Array): void
  /** What is held goes into the task's commit, and may be read back from there. */
  inputToWrite(taskId: TaskId): Uint8Array | undefined
  /** At once when it is in memory. */
  heldInput(taskId: TaskId): Uint8Array | undefined
  input(spec: Input): Promise<Uint8Array>
  dropInput(taskId: TaskId): void
  /**
   * False when too much waits already. A delivery has one answer. It may be a view of the frame that it came in: if it
   * waits for long it is copied out, so that small answers do not keep large frames.
   */
  holdAnswer(deliveryId: DeliveryId, answer: Answer): boolean
  answer(deliveryId: DeliveryId): Answer | undefined
  dropAnswer(deliveryId: DeliveryId): void
  /** Bytes of answers that wait. */
  answerBytes(): number
}

export const isInline = (length: number): boolean => length <= inlinePayloadBytesMax

export interface PayloadBounds {
  readonly inputBytesMax: number
  readonly answerBytesMax: number
  /** So many bytes of frames may be kept by what is cut from them, twice over. */
  readonly frameBytesMax: number
}

const defaultBounds: PayloadBounds = {
  inputBytesMax: 256 * 1024 * 1024,
  answerBytesMax: 1024 * 1024 * 1024,
  frameBytesMax: 32 * 1024 * 1024,
}

export function answerBytes({ output, transcript }: Answer): number {
  return transcript.reduce((sum, part) => sum + part.length, output.length)
}

function ownCopy({ output, transcript }: Answer): Answer {
  const isWhole = output.length === output.buffer.byteLength
  const copy = (part: Uint8Array): Uint8Array => Uint8Array.prototype.slice.call(part)
  return isWhole ? { output, transcript } : { output: copy(output), transcript: transcript.map(copy) }
}

export function createPayloads(
  store: Store<Table>,
  blobs: { bytes(digest: Digest): Promise<Uint8Array> },
  { inputBytesMax, answerBytesMax, frameBytesMax }: PayloadBounds = defaultBounds,
  /** Given, an input that lies under the task's id and is not the one it names is passed over. */
  sha256?: Sha256,
): Payloads {
  const isNamed = (bytes: Uint8Array, digest: Digest): boolean =>
    sha256 === undefined || encodeHex(sha256(bytes)) === digest

  /** Of tasks whose commit is still to come: there is no other copy. They are as many as submissions under way. */
  const unwritten = new Map<TaskId, Uint8Array>()
  const inputs = new Map<TaskId, Uint8Array>()
  const answers = new Map<DeliveryId, Answer>()
  let inputBytes = 0
  let answersBytes = 0
  /** Answers that came since the frames of the others, or of those before them, were let go. */
  let young: DeliveryId[] = []
  let old: DeliveryId[] = []
  let youngFrameBytes = 0
  let latestFrame: ArrayBufferLike | undefined

  /** Those that came a while ago and still wait are copied out. */
  function noteFrame(deliveryId: DeliveryId, { buffer }: Uint8Array): void {
    young.push(deliveryId)
    if (buffer === latestFrame) return
    latestFrame = buffer
    youngFrameBytes += buffer.byteLength
    if (youngFrameBytes < frameBytesMax) return
    for (const each of old) {
      const answer = answers.get(each)
      if (answer !== undefined) answers.set(each, ownCopy(answer))
    }
    old = young
    young = []
    youngFrameBytes = 0
    latestFrame = undefined
  }

  const heldInput = (taskId: TaskId): Uint8Array | undefined => unwritten.get(taskId) ?? inputs.get(taskId)

  function dropInput(taskId: TaskId): void {
    unwritten.delete(taskId)
    const input = inputs.get(taskId)
    if (input === undefined) return
    inputs.delete(taskId)
    inputBytes -= input.length
  }

  return {
    holdInput(taskId, input) {
      dropInput(taskId)
      unwritten.set(taskId, input)
    },
    inputToWrite(taskId) {
      const input = unwritten.get(taskId)
      if (input === undefined) return inputs.get(taskId)
      unwritten.delete(taskId)
      inputs.set(taskId, input)
      inputBytes += input.length
      for (const oldest of inputs.keys()) {
        if (inputBytes <= inputBytesMax) break
        dropInput(oldest)
      }
      return input
    },
    heldInput,
    async input(spec) {
      const { taskId, inputDigest, inputLength } = spec
      const held = heldInput(taskId)
      if (held !== undefined && isNamed(held, inputDigest)) return held
      if (inputLength === 0) return new Uint8Array(0)
      const kept = isInline(inputLength) ? await store.get('taskInputs', payloadKey(spec)) : undefined
      return kept !== undefined && isNamed(kept, inputDigest) ? kept : blobs.bytes(inputDigest)
    },
    dropInput,
    holdAnswer(deliveryId, answer) {
      if (answers.has(deliveryId)) throw new Error(`delivery ${deliveryId} has its answer already`)
      const bytes = answerBytes(answer)
      if (answers.size > 0 && answersBytes + bytes > answerBytesMax) return false
      answers.set(deliveryId, answer)
      answersBytes += bytes
      noteFrame(deliveryId, answer.output)
      return true
    },
    answer: (deliveryId) => answers.get(deliveryId),
    dropAnswer(deliveryId) {
      const answer = answers.get(deliveryId)
      if (answer === undefined) return
      answers.delete(deliveryId)
      answersBytes -= answerBytes(answer)
    },
    answerBytes: () => answersBytes,
  }
}
