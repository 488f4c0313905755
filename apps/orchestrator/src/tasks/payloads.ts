/**
 * The bytes that tasks take and give. Small ones lie in the store beside their task and travel in its commit; larger ones are
 * blobs. What is on its way is held in memory: an input until its task has been handed out, an answer until its verdict.
 */
import type { TaskSpec } from '@shardy/dispatch'
import { type DeliveryId, inlinePayloadBytesMax, type TaskId } from '@shardy/protocol'
import type { Store } from '@shardy/storage'
import type { BlobKeeper } from '../blobs/keeper.ts'
import { idKey, type Table } from '../tables.ts'

/** An answer whose verdict is not known yet. */
export interface Answer {
  readonly output: Uint8Array
  /** The parts that the interactive check needs. */
  readonly transcript: readonly Uint8Array[]
}

type Input = Pick<TaskSpec, 'taskId' | 'inputDigest' | 'inputLength'>

export interface Payloads {
  /** Of a task that is about to be submitted; kept until it ends or memory is wanted for others. */
  holdInput(taskId: TaskId, input: Uint8Array): void
  /** At once when it is in memory. */
  heldInput(taskId: TaskId): Uint8Array | undefined
  input(spec: Input): Promise<Uint8Array>
  dropInput(taskId: TaskId): void
  /** False when too much waits already. */
  holdAnswer(deliveryId: DeliveryId, answer: Answer): boolean
  answer(deliveryId: DeliveryId): Answer | undefined
  dropAnswer(deliveryId: DeliveryId): void
  /** Bytes of answers that wait. */
  answerBytes(): number
}

export const isInline = (length: number): boolean => length <= inlinePayloadBytesMax

const inputBytesMax = 256 * 1024 * 1024
const answerBytesMax = 1024 * 1024 * 1024

export function createPayloads(store: Store<Table>, keeper: BlobKeeper): Payloads {
  const inputs = new Map<TaskId, Uint8Array>()
  const answers = new Map<DeliveryId, Answer>()
  let inputBytes = 0
  let answerBytes = 0

  function dropInput(taskId: TaskId): void {
    const input = inputs.get(taskId)
    if (input === undefined) return
    inputs.delete(taskId)
    inputBytes -= input.length
  }

  const sizeOf = ({ output, transcript }: Answer): number =>
    transcript.reduce((sum, part) => sum + part.length, output.length)

  return {
    holdInput(taskId, input) {
      dropInput(taskId)
      inputs.set(taskId, input)
      inputBytes += input.length
      // The oldest are on disk by now.
      for (const oldest of inputs.keys()) {
        if (inputBytes <= inputBytesMax) break
        dropInput(oldest)
      }
    },
    heldInput: (taskId) => inputs.get(taskId),
    async input({ taskId, inputDigest, inputLength }) {
      const held = inputs.get(taskId)
      if (held !== undefined) return held
      if (inputLength === 0) return new Uint8Array(0)
      const kept = isInline(inputLength) ? await store.get('inputs', idKey(taskId)) : undefined
      return kept ?? keeper.bytes(inputDigest)
    },
    dropInput,
    holdAnswer(deliveryId, answer) {
      const bytes = sizeOf(answer)
      if (answers.size > 0 && answerBytes + bytes > answerBytesMax) return false
      answers.set(deliveryId, answer)
      answerBytes += bytes
      return true
    },
    answer: (deliveryId) => answers.get(deliveryId),
    dropAnswer(deliveryId) {
      const answer = answers.get(deliveryId)
      if (answer === undefined) return
      answers.delete(deliveryId)
      answerBytes -= sizeOf(answer)
    },
    answerBytes: () => answerBytes,
  }
}
