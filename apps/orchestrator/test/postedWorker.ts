/** A worker without a line: what it says is posted to dispatch, signed by its own key. For what needs answers and no network. */
import { generateIdentity, type Identity } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import type { Delivery, Profile } from '@shardy/dispatch'
import { batchStatements, type Digest, encodeHex, resultStatement, type WorkerId } from '@shardy/protocol'
import { profile as oneKind } from './dispatchTask.ts'
import type { TestNetwork } from './network.ts'

export interface PostedWorker {
  readonly workerId: WorkerId
  readonly identity: Identity
  /** The delivery of that task that it has; waits for it. */
  delivery(taskId: string): Promise<Delivery>
  answer(taskId: string, output: Uint8Array): Promise<void>
  leave(): Promise<void>
}

const profile: Profile = {
  ...oneKind,
  kinds: ['program', 'lite', 'superLite', 'shader'],
  tier: 2,
  slots: 4,
  prefetch: 4,
}

export async function joinPosted(
  { orchestrator }: TestNetwork,
  changes: Partial<Profile> = {},
): Promise<PostedWorker> {
  const { dispatcher, payloads } = orchestrator.services
  const identity = await generateIdentity({ extractable: false })
  const workerId = encodeHex(sha256(identity.publicKey)) as WorkerId
  await dispatcher.post({
    kind: 'workerJoined',
    workerId,
    publicKey: identity.publicKey,
    profile: { ...profile, ...changes },
  })
  async function delivery(taskId: string): Promise<Delivery> {
    for (let looks = 0; looks < 1_000; looks++) {
      const found = [...dispatcher.state().deliveries.values()].find(
        (each) => each.workerId === workerId && each.task.spec.taskId === taskId,
      )
      if (found !== undefined) return found
      await dispatcher.caughtUp()
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    throw new Error(`task ${taskId} did not come`)
  }
  return {
    workerId,
    identity,
    delivery,
    async answer(taskId, output) {
      const { task, deliveryId, deadlineMs } = await delivery(taskId)
      const { programId, seed, inputDigest } = task.spec
      const given = { taskId: task.spec.taskId, deliveryId, seed, payloadDigest: inputDigest, deadlineMs }
      const said = { outputDigest: encodeHex(sha256(output)) as Digest, traceRoot: undefined }
      const batch = batchStatements([resultStatement(given, programId, workerId, said)], sha256)
      const [attestation] = batch.attest(await identity.sign(batch.payload))
      if (attestation === undefined) throw new Error('a batch of one has one attestation')
      payloads.holdAnswer(deliveryId, { output, transcript: [] })
      const stake = orchestrator.services.bookkeeper.stake(workerId)
      await dispatcher.post({
        kind: 'answered',
        workerId,
        deliveryId,
        ...said,
        salt: undefined,
        attestation,
        stake,
      })
    },
    async leave() {
      await dispatcher.post({ kind: 'workerLeft', workerId })
    },
  }
}
