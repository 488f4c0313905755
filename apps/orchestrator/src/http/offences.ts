/** Wrong answers, with what a stranger needs to find out for himself that they are wrong. Nothing here asks to be believed. */
import {
  ApiError,
  encodeBase64,
  inlineInputBytesMax,
  type OffenceEvidence,
  type OffencePage,
} from '@shardy/api'
import { deliveryStatement } from '@shardy/protocol'
import { describe } from '../gateway/outgoing.ts'
import type { Services } from '../orchestrator.ts'
import { idKey } from '../tables.ts'
import { decodeRecord } from '../tasks/archive.ts'
import { type OffenceRecord, offenceRecord } from '../tasks/offences.ts'
import { findTask } from './taskView.ts'

function viewOffence({
  answer: _,
  evidence: _evidence,
  rightDigest: _rightDigest,
  amountMicroCredit,
  ...offence
}: OffenceRecord): OffencePage['offences'][number] {
  return { ...offence, amountMicroCredit: String(amountMicroCredit) }
}

export async function listOffences(
  { store }: Services,
  { limit = '50', cursor }: { readonly limit?: string; readonly cursor?: string },
): Promise<OffencePage> {
  const offences: OffencePage['offences'] = []
  // A zero byte behind an id makes the first key after it.
  const from = cursor === undefined ? {} : { gte: idKey(cursor, '00') }
  for await (const { value } of store.iterate('offences', { ...from, limit: Number(limit) + 1 })) {
    const nextCursor = offences.at(-1)?.deliveryId
    if (offences.length === Number(limit)) return { offences, ...(nextCursor && { nextCursor }) }
    offences.push(viewOffence(decodeRecord(offenceRecord, value)))
  }
  return { offences }
}

export async function getOffence(services: Services, deliveryId: string): Promise<OffenceEvidence> {
  const { dispatcher, identity, payloads, signer, store } = services
  await dispatcher.caughtUp()
  const bytes = await store.get('offences', idKey(deliveryId))
  if (bytes === undefined) {
    const detail = `delivery ${deliveryId} is no offence`
    throw new ApiError('unknownOffence', { detail, field: 'deliveryId', value: deliveryId })
  }
  const offence = decodeRecord(offenceRecord, bytes)
  const { taskId, workerId, answer } = offence
  const task = await findTask(services, taskId)
  const delivery = task?.deliveries.find((each) => each.deliveryId === deliveryId)
  const standing = dispatcher.state().standings.get(workerId)
  if (task === undefined || delivery === undefined || standing === undefined) {
    const detail = `task ${taskId} was forgotten, and with it what could be repeated`
    throw new ApiError('unknownTask', { detail, field: 'taskId', value: taskId })
  }
  const { spec } = task
  const isHere = spec.inputLength <= inlineInputBytesMax
  const input = isHere ? await payloads.input(spec) : undefined
  const attestation = await signer.attest(
    deliveryStatement(describe({ ...delivery, task }), spec.programId, workerId),
  )
  return {
    ...viewOffence(offence),
    kind: spec.kind,
    program: encodeBase64(spec.program),
    programId: spec.programId,
    seed: String(spec.seed),
    input: {
      digest: spec.inputDigest,
      length: spec.inputLength,
      ...(input !== undefined && { base64: encodeBase64(input) }),
    },
    ...(offence.rightDigest && { rightDigest: offence.rightDigest }),
    deadlineMs: delivery.deadlineMs,
    workerKey: encodeBase64(standing.publicKey),
    orchestratorKey: encodeBase64(identity.publicKey),
    delivery: viewAttestation(attestation),
    answer: viewAttestation(answer),
    ...(delivery.traceRoot && { traceRoot: delivery.traceRoot }),
  }
}

function viewAttestation({
  signature,
  index,
  count,
  path,
}: OffenceRecord['answer']): OffenceEvidence['answer'] {
  return { signature: encodeBase64(signature), index, count, path: [...path] }
}
