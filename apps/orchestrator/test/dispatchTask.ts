/** Tasks and workers as dispatch takes them, for tests of what lies around it. */

import { sha256 } from '@shardy/crypto/native'
import { type DispatchSettings, defaultPolicy, type NewTask, type Profile } from '@shardy/dispatch'
import {
  type Attestation,
  checked,
  type Digest,
  type MicroCredit,
  type ProgramId,
  type PublicKey,
  type RequesterId,
  type Signature,
  type TaskId,
  type TimeMs,
  type WorkerId,
} from '@shardy/protocol'

export const startMs = 1_000_000
export const settings: DispatchSettings = {
  policy: defaultPolicy,
  sha256,
  epoch: 1,
  secret: new Uint8Array(32).fill(7),
}

export const taskIdOf = (number: number) => number.toString(16).padStart(32, '0') as TaskId
export const workerIdOf = (number: number) => number.toString(16).padStart(64, 'e') as WorkerId
export const requesterId = 'aa'.repeat(32) as RequesterId
export const publicKey = Uint8Array.from({ length: 65 }, () => 4) as PublicKey
export const attestation: Attestation = {
  signature: new Uint8Array(64).fill(1) as Signature,
  index: 0,
  count: 1,
  path: [],
}
export const noStake = { lockedMicroCredit: 0n as MicroCredit, withdrawingMicroCredit: 0n as MicroCredit }

/** Checked, small, and open for a thousand seconds. */
export function newTaskOf(number: number, about: Partial<NewTask> = {}): NewTask {
  return {
    taskId: taskIdOf(number),
    requesterId,
    requestDigest: 'bb'.repeat(32) as Digest,
    kind: 'program',
    program: new Uint8Array([1]),
    programId: 'cc'.repeat(32) as ProgramId,
    seed: 0n,
    complexity: 1,
    inputDigest: 'dd'.repeat(32) as Digest,
    inputLength: 2,
    outputLength: 4,
    constants: [],
    constantBytes: 0,
    memoryBytes: 0,
    verify: checked,
    proof: 'none',
    exact: true,
    priority: 5,
    tierMin: 0,
    features: [],
    region: '',
    rewardMicroCredit: 10n as MicroCredit,
    keepOutput: true,
    deadlineMs: (startMs + 1_000_000) as TimeMs,
    campaignId: undefined,
    campaignItem: 0,
    ...about,
  }
}

export const profile: Profile = {
  kinds: ['program'],
  tier: 1,
  operationsPerSecond: 1e9,
  hiddenPermille: 1000,
  operator: '',
  hardwareClass: '',
  features: [],
  region: '',
  latencyMs: 1,
  payloadBytesMax: 1 << 20,
  memoryBytes: 1 << 30,
  slots: 64,
  prefetch: 0,
  askMicroCredit: 0n as MicroCredit,
}
