/**
 * What dispatch wants workers to hear, as frames. All of one commit is put together worker by worker: small deliveries share a
 * frame and a signature, verdicts and closings a list; a large delivery has frames of its own.
 */
import type { Delivery, Effect, Task } from '@shardy/dispatch'
import { isCommitFirst } from '@shardy/dispatch'
import {
  type Attestation,
  type BatchDelivery,
  type BatchProgram,
  batchFrameBytesMax,
  batchMax,
  type CancelReason,
  type DeliveryId,
  deliveryStatement,
  encodeFrame,
  merkleRoot,
  type ProgramId,
  type Settlement,
  type Sha256,
  type Signature,
  signedBatch,
  statementLeaf,
  type WantedProof,
  type WorkerId,
} from '@shardy/protocol'
import type { Log } from '../log.ts'
import type { Proofs } from '../proofs/proofs.ts'
import type { Signer } from '../signer.ts'
import { isInline, type Payloads } from '../tasks/payloads.ts'

/** Where a worker's frames go. */
export interface Line {
  /** Sends after everything handed over before; `load` may read what is to be sent. */
  enqueue(load: () => Promise<readonly Uint8Array[]>): void
}

export interface OutgoingParts {
  readonly sha256: Sha256
  readonly signer: Signer
  readonly payloads: Payloads
  readonly proofs: Proofs
  readonly log: Log
  sign(payload: Uint8Array): Promise<Signature>
  lineOf(workerId: WorkerId): Line | undefined
  /** Still with the worker: reading its input took a while. */
  isWanted(delivery: Delivery): boolean
  /** The proof that comes with its answer, or when that is audited, is to be made like this. */
  asked(delivery: Delivery, proof: WantedProof): void
  /** Its input cannot be read. */
  failed(delivery: Delivery, detail: string): void
}

export interface Outgoing {
  /** All that one commit wants said. */
  perform(effects: readonly Effect[]): void
}

/** What has come together for one worker. */
interface Parcel {
  readonly small: Delivery[]
  readonly large: Delivery[]
  readonly closings: DeliveryId[]
  readonly settlements: Settlement[]
  readonly cancels: { readonly deliveryId: DeliveryId; readonly reason: CancelReason }[]
}

/** Room for the signature and for what a delivery has besides its payload. */
const frameRoomBytes = 4 * 1024
const deliveryRoomBytes = 160
/** A program that takes more goes with its delivery alone. */
const sharedProgramBytesMax = 16 * 1024

export function createOutgoing(parts: OutgoingParts): Outgoing {
  const { sha256, signer, payloads, proofs, log } = parts

  /** False where its task asks for a proof for which there is no key now: an answer could not count. */
  function wantedProof(delivery: Delivery): WantedProof | undefined | false {
    const { proof } = delivery.task.spec
    if (proof === 'none') return undefined
    const wanted = proofs.wanted(proof)
    if (wanted !== undefined) parts.asked(delivery, wanted)
    else parts.failed(delivery, `no key is in use for proofs of kind ${proof}`)
    return wanted ?? false
  }

  function perform(effects: readonly Effect[]): void {
    const parcels = new Map<WorkerId, Parcel>()
    const parcelOf = (workerId: WorkerId): Parcel => {
      let parcel = parcels.get(workerId)
      if (parcel === undefined) {
        parcel = { small: [], large: [], closings: [], settlements: [], cancels: [] }
        parcels.set(workerId, parcel)
      }
      return parcel
    }
    for (const effect of effects) {
      switch (effect.kind) {
        case 'deliver': {
          const { task, delivery } = effect
          const parcel = parcelOf(delivery.workerId)
          ;(isSmall(task) ? parcel.small : parcel.large).push(delivery)
          break
        }
        case 'closeCommitments':
          parcelOf(effect.workerId).closings.push(effect.deliveryId)
          break
        case 'settle': {
          const { deliveryId, outcome, rewardMicroCredit } = effect
          parcelOf(effect.workerId).settlements.push({ deliveryId, outcome, rewardMicroCredit })
          break
        }
        case 'cancelDelivery':
          parcelOf(effect.workerId).cancels.push({ deliveryId: effect.deliveryId, reason: effect.reason })
          break
        default:
      }
    }
    for (const [workerId, parcel] of parcels) send(workerId, parcel)
  }

  /** What frees the worker goes before what it is to do next. */
  function send(workerId: WorkerId, { small, large, closings, settlements, cancels }: Parcel): void {
    const line = parts.lineOf(workerId)
    // It left between the decision and now; dispatch hears of that on its own.
    if (line === undefined) return
    const lists: Uint8Array[] = cancels.map((cancel) => encodeFrame('cancel', cancel))
    for (const deliveryIds of slices(closings)) lists.push(encodeFrame('closings', { deliveryIds }))
    for (const some of slices(settlements)) lists.push(encodeFrame('settlements', { settlements: some }))
    if (lists.length > 0) line.enqueue(async () => lists)
    if (small.length > 0) line.enqueue(() => batched(small))
    sendLarge(line, large)
  }

  /** One after the other takes its place in the line: however many there are, few wait there, and their inputs are not all in memory. */
  function sendLarge(line: Line, [delivery, ...rest]: readonly Delivery[]): void {
    if (delivery === undefined) return
    line.enqueue(async () => {
      const frames = await alone(delivery)
      sendLarge(line, rest)
      return frames
    })
  }

  async function read(delivery: Delivery): Promise<Uint8Array | undefined> {
    try {
      return await payloads.input(delivery.task.spec)
    } catch (error) {
      log.error('inputNotRead', error, { deliveryId: delivery.deliveryId })
      parts.failed(delivery, 'the input could not be read')
      return undefined
    }
  }

  async function batched(deliveries: readonly Delivery[]): Promise<readonly Uint8Array[]> {
    const frames: Uint8Array[] = []
    let programs: BatchProgram[] = []
    let places = new Map<ProgramId, number>()
    let batch: BatchDelivery[] = []
    let leaves: Uint8Array[] = []
    let bytes = frameRoomBytes

    async function close(): Promise<void> {
      if (batch.length === 0) return
      const signature = await parts.sign(signedBatch(merkleRoot(leaves, sha256), leaves.length))
      frames.push(encodeFrame('deliveries', { programs, deliveries: batch, signature }))
      programs = []
      places = new Map()
      batch = []
      leaves = []
      bytes = frameRoomBytes
    }

    for (const delivery of deliveries) {
      const payload = payloads.heldInput(delivery.task.spec.taskId) ?? (await read(delivery))
      if (payload === undefined || !parts.isWanted(delivery)) continue
      const proof = wantedProof(delivery)
      if (proof === false) continue
      const { spec } = delivery.task
      const needed =
        payload.length + deliveryRoomBytes + (places.has(spec.programId) ? 0 : spec.program.length)
      if (batch.length === batchMax || bytes + needed > batchFrameBytesMax) await close()
      let program = places.get(spec.programId)
      if (program === undefined) {
        program = programs.push({ kind: spec.kind, program: spec.program }) - 1
        places.set(spec.programId, program)
        bytes += spec.program.length
      }
      bytes += payload.length + deliveryRoomBytes
      const { taskId, seed } = spec
      const { deliveryId, deadlineMs, workerId } = delivery
      const commitFirst = isCommitFirst(delivery.task)
      const returnOutput = returnsOutput(delivery.task)
      batch.push({ taskId, deliveryId, program, seed, deadlineMs, payload, commitFirst, returnOutput, proof })
      leaves.push(statementLeaf(deliveryStatement(describe(delivery), spec.programId, workerId), sha256))
    }
    await close()
    return frames
  }

  async function alone(delivery: Delivery): Promise<readonly Uint8Array[]> {
    const { spec } = delivery.task
    const attested = signer.attest(deliveryStatement(describe(delivery), spec.programId, delivery.workerId))
    // Awaited below; without this a failure would count as unhandled until then.
    attested.catch(() => {})
    const input = await read(delivery)
    if (input === undefined) return []
    const attestation = await attested
    if (!parts.isWanted(delivery)) return []
    const proof = wantedProof(delivery)
    if (proof === false) return []
    const meta = encodeFrame('delivery', { ...deliveryFrame(delivery, attestation), proof })
    return input.length > 0 ? [meta, input] : [meta]
  }

  return { perform }
}

function isSmall({ spec }: Task): boolean {
  return (
    isInline(spec.inputLength) &&
    isInline(spec.outputLength) &&
    spec.constants.length === 0 &&
    spec.program.length <= sharedProgramBytesMax &&
    // An audit follows its answer, frame by frame.
    spec.proof !== 'v3'
  )
}

/** The output is wanted where it is kept, and where it may have to be looked at: by a check, or tile by tile by an audit. */
export function returnsOutput({ spec }: Task): boolean {
  return spec.keepOutput || spec.verify.mode !== 'quorum' || !spec.exact || spec.proof === 'v3'
}

/** The parts of a delivery that both sides' statements cover. */
export function describe({
  task,
  deliveryId,
  deadlineMs,
}: {
  readonly task: { readonly spec: Pick<Task['spec'], 'taskId' | 'seed' | 'inputDigest'> }
  readonly deliveryId: DeliveryId
  readonly deadlineMs: Delivery['deadlineMs']
}) {
  const { taskId, seed, inputDigest } = task.spec
  return { taskId, deliveryId, seed, payloadDigest: inputDigest, deadlineMs }
}

function deliveryFrame(delivery: Delivery, attestation: Attestation) {
  const { spec } = delivery.task
  const mayBeChecked = spec.kind === 'program' && spec.verify.mode !== 'quorum'
  return {
    ...describe(delivery),
    kind: spec.kind,
    program: spec.program,
    complexity: spec.complexity,
    payloadLength: spec.inputLength,
    commitFirst: isCommitFirst(delivery.task),
    returnOutput: returnsOutput(delivery.task),
    returnTranscript: mayBeChecked,
    attestation,
  }
}

function* slices<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < list.length; from += batchMax) yield list.slice(from, from + batchMax)
}
