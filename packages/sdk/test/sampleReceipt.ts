/** For tests: receipts made with real keys, and signed anew after a change, so that only the change is wrong. */
import { generateIdentity, type Identity } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import {
  type Attestation,
  batchStatements,
  type DeliveryId,
  type Digest,
  deliveryStatement,
  encodeHex,
  type MicroCredit,
  type OrchestratorId,
  type Outcome,
  type ProvenBlock,
  quorum,
  type Receipt,
  type ReceiptContent,
  type ReceiptDelivery,
  receiptPayload,
  resultStatement,
  type Statement,
  type TaskId,
  type TimeMs,
  type WorkerId,
  type ZkProofPayload,
} from '@shardy/protocol'
import {
  encodeProgram,
  evaluate,
  inputLength,
  matmulProgram,
  outputLength,
  type Program,
  programId,
} from '@shardy/tensor'

export interface SampleDelivery {
  readonly worker: Identity
  readonly outcome: Outcome
  /** What the worker answered; undefined when it did not. */
  readonly output?: Uint8Array | undefined
  readonly proof?: ZkProofPayload
  readonly block?: ProvenBlock
  readonly rewardMicroCredit?: bigint
}

export interface SampleReceipt {
  readonly receipt: Receipt
  readonly program: Program
  readonly input: Uint8Array<ArrayBuffer>
  readonly output: Uint8Array
  readonly orchestratorId: OrchestratorId
  /** The orchestrator's signature over a changed content. */
  sign(content: ReceiptContent): Promise<Receipt>
}

export const digestOf = (bytes: Uint8Array): Digest => encodeHex(sha256(bytes)) as Digest

async function attest(identity: Identity, statements: readonly Statement[]): Promise<readonly Attestation[]> {
  const batch = batchStatements(statements, sha256)
  return batch.attest(await identity.sign(batch.payload))
}

const id16 = (number: number): string => number.toString(16).padStart(32, '0')

/** Deliveries are attested by the orchestrator in one batch, answers by each worker alone, as the network does it. */
export async function makeSampleReceipt(
  deliveries?: (output: Uint8Array) => Promise<readonly SampleDelivery[]>,
  /** Signed by everybody, though it takes other inputs than the one that is given out. */
  misfit?: Program,
): Promise<SampleReceipt> {
  const asked: Program = matmulProgram({ m: 3, k: 5, n: 2 })
  const program = misfit ?? asked
  const input = Uint8Array.from({ length: inputLength(asked) }, (_, index) => (index * 37 + 11) & 0xff)
  const output = misfit ? new Uint8Array(outputLength(misfit)) : evaluate(asked, input)
  const orchestrator = await generateIdentity({ extractable: false })
  const samples = await (deliveries ?? twoThatAgree)(output)
  const task = {
    taskId: id16(0xabc) as TaskId,
    seed: 7n,
    payloadDigest: digestOf(input),
    deadlineMs: 1_760_000_060_000 as TimeMs,
  }
  const programIdentity = programId(program, sha256)
  const said = samples.map((_, index) => ({ ...task, deliveryId: id16(index + 1) as DeliveryId }))
  const workerIds = samples.map(({ worker }) => encodeHex(sha256(worker.publicKey)) as WorkerId)
  const given = await attest(
    orchestrator,
    said.map((each, index) => deliveryStatement(each, programIdentity, workerIds[index] as WorkerId)),
  )
  const listed = samples.map(async (sample, index): Promise<ReceiptDelivery> => {
    const statement = said[index]
    const attestation = given[index]
    const workerId = workerIds[index]
    if (!statement || !attestation || !workerId) throw new Error('a sample has no statement')
    const { deliveryId, deadlineMs } = statement
    let answer: ReceiptDelivery['answer']
    if (sample.output !== undefined) {
      const outputDigest = digestOf(sample.output)
      const said = { outputDigest, traceRoot: undefined }
      const result = resultStatement(statement, programIdentity, workerId, said)
      const [own] = await attest(sample.worker, [result])
      answer = own && { ...said, attestation: own, proof: sample.proof, block: sample.block }
    }
    const { outcome, rewardMicroCredit = outcome === 'accepted' ? 500n : 0n } = sample
    return {
      deliveryId,
      workerKey: sample.worker.publicKey,
      deadlineMs,
      attestation,
      answer,
      outcome,
      rewardMicroCredit: rewardMicroCredit as MicroCredit,
    }
  })
  const content: ReceiptContent = {
    taskId: task.taskId,
    kind: 'program',
    program: encodeProgram(program),
    programId: programIdentity,
    seed: task.seed,
    inputDigest: task.payloadDigest,
    inputLength: inputLength(program),
    outputDigest: digestOf(output),
    outputLength: outputLength(program),
    basis: 'agreement',
    verify: quorum(2, 2),
    checkedBy: undefined,
    deliveries: await Promise.all(listed),
    orchestratorKey: orchestrator.publicKey,
    decidedAtMs: 1_760_000_000_000 as TimeMs,
  }
  const sign = async (changed: ReceiptContent): Promise<Receipt> => ({
    ...changed,
    signature: await orchestrator.sign(receiptPayload(changed)),
  })
  const orchestratorId = encodeHex(sha256(orchestrator.publicKey)) as OrchestratorId
  return { receipt: await sign(content), program, input, output, orchestratorId, sign }
}

async function twoThatAgree(output: Uint8Array): Promise<readonly SampleDelivery[]> {
  const worker = () => generateIdentity({ extractable: false })
  return [
    { worker: await worker(), outcome: 'accepted', output },
    { worker: await worker(), outcome: 'accepted', output },
  ]
}
