/** What is looked at when a campaign is created and the manifest alone cannot tell (spec K3). */
import type { TimeMs } from '@shardy/protocol'
import { campaignMsMax } from './limits.ts'
import type { ManifestRefusal } from './manifest/jsonPlace.ts'
import type { Manifest } from './manifest/manifest.ts'

export function refuseDeadline({ deadlineMs }: Manifest, atMs: TimeMs): ManifestRefusal | undefined {
  if (deadlineMs > atMs && deadlineMs <= atMs + campaignMsMax) return undefined
  const bound = `${atMs + 1} to ${atMs + campaignMsMax}, which is ${campaignMsMax} ms from now`
  return { kind: 'outOfBound', field: 'deadlineMs', value: String(deadlineMs), bound }
}
