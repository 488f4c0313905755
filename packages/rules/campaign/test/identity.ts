/** Names for tests, and the manifest that most of them begin with. */
import { createHash } from 'node:crypto'
import type { Digest, MicroCredit, RequesterId, TimeMs } from '@shardy/protocol'
import type { CampaignId, Manifest } from '../src/index.ts'

export const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest())

const hashed = (text: string): string => createHash('sha256').update(text).digest('hex')

export const digestOf = (name: string): Digest => hashed(name) as Digest
export const campaignIdOf = (name: string): CampaignId =>
  hashed(`campaign ${name}`).slice(0, 32) as CampaignId
export const requesterIdOf = (name: string): RequesterId => hashed(`requester ${name}`) as RequesterId
export const credits = (amount: number): MicroCredit => BigInt(amount) as MicroCredit

export const startMs = 1_800_000_000_000 as TimeMs
export const after = (ms: number): TimeMs => (startMs + ms) as TimeMs

export function manifestOf(changes: Partial<Manifest> = {}): Manifest {
  return {
    name: 'a sweep',
    work: { kind: 'program', program: Uint8Array.of(1, 2, 3), seed: 0n, keepOutput: true },
    inputs: {
      range: { from: 0, to: 10, template: new Uint8Array(0), offset: 0 },
      seeds: undefined,
      blobs: undefined,
      list: undefined,
    },
    rewardMicroCredit: credits(10),
    budgetMicroCredit: credits(1_000_000),
    verify: Uint8Array.of(7),
    proof: 'none',
    priority: 5,
    deadlineMs: after(86_400_000),
    taskTimeoutMs: 60_000,
    window: 4,
    retriesMax: 2,
    stopAfterFailures: undefined,
    webhook: undefined,
    ...changes,
  }
}

export function rangeOf(count: number): Manifest['inputs'] {
  return { ...manifestOf().inputs, range: { from: 0, to: count, template: new Uint8Array(0), offset: 0 } }
}
