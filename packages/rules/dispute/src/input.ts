/** What can happen to disputes. Time comes with every input; who says something is known from the connection. */
import type { Digest, TimeMs, WorkerId } from '@shardy/protocol'
import type { ShownLeaf } from './evidence.ts'
import type { Party } from './party.ts'
import type { DisputeId, Halves, Opener } from './record.ts'

interface About {
  readonly atMs: TimeMs
  readonly disputeId: DisputeId
}

interface FromSide extends About {
  readonly workerId: WorkerId
}

export type Input =
  /** Whoever posts it has found both results among the task's own, and that the opener may see the task. */
  | {
      readonly kind: 'open'
      readonly atMs: TimeMs
      readonly openedBy: Opener
      readonly program: Uint8Array
      readonly parties: readonly [Party, Party]
    }
  /** The reply to `verify`. */
  | (FromSide & { readonly kind: 'signatureChecked'; readonly isValid: boolean })
  /** The reply to `askHalves`. */
  | (FromSide & {
      readonly kind: 'halvesShown'
      readonly from: number
      readonly to: number
      readonly halves: Halves
    })
  /** The reply to `askLeaves`, in the order in which the nodes were named. */
  | (FromSide & { readonly kind: 'leavesShown'; readonly leaves: readonly ShownLeaf[] })
  /** The reply to `reexecute`. Whoever posts it vouches for it; evidence lets everybody repeat it. */
  | (About & { readonly kind: 'reexecuted'; readonly digest: Digest })
  /** The other reply to `reexecute`: these are not to be had yet. */
  | (About & { readonly kind: 'blobsMissing'; readonly digests: readonly Digest[] })
  | { readonly kind: 'tick'; readonly atMs: TimeMs }

export type InputOf<Kind extends Input['kind']> = Extract<Input, { readonly kind: Kind }>
