/**
 * Keeps the blobs of a campaign from being collected until it has ended: what its manifest names with the campaign's first
 * batch, and what a list blob names in the background, because a list may name two million.
 */
import { type CampaignId, digestBytes, digestsIn, type Manifest, segmentItems } from '@shardy/campaign'
import { type Digest, encodeHex } from '@shardy/protocol'
import type { BlobStore, Operation, Store } from '@shardy/storage'
import type { Log } from '../log.ts'
import { idKey, type Table } from '../tables.ts'

export interface Holds {
  /** For the first batch. */
  operations(campaignId: CampaignId, named: readonly Digest[]): readonly Operation<Table>[]
  /** Refers to what the list names; goes on after a restart, from the beginning. */
  hold(campaignId: CampaignId, list: Manifest['inputs']['list']): void
  /** The campaign has ended: lets go of everything. */
  release(campaignId: CampaignId, named: readonly Digest[], manifest: Manifest): void
  /** Campaigns that hold something. */
  holding(): Promise<readonly CampaignId[]>
  close(): Promise<void>
}

const empty = new Uint8Array(0)

/** Digests from a piece of a list blob; what is gone or cut off is not among them. */
export async function readListed(
  blobs: BlobStore,
  list: Digest,
  from: number,
  to: number,
): Promise<readonly Digest[]> {
  const read = await blobs.read(list, { start: from * digestBytes, end: to * digestBytes })
  if (read.kind !== 'blob') return []
  const bytes = new Uint8Array(await new Response(read.stream).arrayBuffer())
  return digestsIn(bytes.subarray(0, bytes.length - (bytes.length % digestBytes)))
}

/** What the manifest and its program name themselves. */
export function namedIn({ inputs }: Manifest, constants: readonly Digest[]): readonly Digest[] {
  const { seeds, blobs, list } = inputs
  const given = [seeds?.input, list?.digest].filter((each) => each !== undefined)
  return [...new Set([...constants, ...given, ...(blobs?.digests ?? [])])]
}

export function createHolds(store: Store<Table>, blobs: BlobStore, log: Log): Holds {
  let closed = false
  let latest: Promise<void> = Promise.resolve()

  const references = (
    kind: 'put' | 'delete',
    digests: readonly Digest[],
    campaignId: CampaignId,
  ): Operation<Table>[] =>
    digests.map((digest): Operation<Table> => {
      const at = { table: 'references' as const, key: idKey(digest, campaignId) }
      return kind === 'put' ? { kind, ...at, value: empty } : { kind, ...at }
    })

  /** One after the other: a long list of one campaign is read in pieces, and the pieces of two would only compete. */
  function inTurn(campaignId: CampaignId, act: () => Promise<void>): void {
    latest = latest
      .then(act)
      .catch((error: unknown) => log.error('campaignBlobsNotHeld', error, { campaignId }))
  }

  async function eachPiece(
    { digest, count }: NonNullable<Manifest['inputs']['list']>,
    act: (digests: readonly Digest[]) => Promise<void>,
  ): Promise<void> {
    for (let from = 0; from < count && !closed; from += segmentItems) {
      await act(await readListed(blobs, digest, from, Math.min(from + segmentItems, count)))
    }
  }

  return {
    operations(campaignId, named) {
      const own: Operation<Table> = {
        kind: 'put',
        table: 'campaignHolds',
        key: idKey(campaignId),
        value: empty,
      }
      return [own, ...references('put', named, campaignId)]
    },
    hold(campaignId, list) {
      if (list === undefined) return
      inTurn(campaignId, () =>
        eachPiece(list, (digests) => store.write(references('put', digests, campaignId), { sync: false })),
      )
    },
    release(campaignId, named, { inputs }) {
      inTurn(campaignId, async () => {
        if (inputs.list !== undefined) {
          await eachPiece(inputs.list, (digests) =>
            store.write(references('delete', digests, campaignId), { sync: false }),
          )
        }
        if (closed) return
        // The list itself goes last: it says what else there is to let go of.
        const own: Operation<Table> = { kind: 'delete', table: 'campaignHolds', key: idKey(campaignId) }
        await store.write([...references('delete', named, campaignId), own], { sync: true })
      })
    },
    async holding() {
      const ids: CampaignId[] = []
      for await (const { key } of store.iterate('campaignHolds')) ids.push(encodeHex(key) as CampaignId)
      return ids
    },
    async close() {
      closed = true
      await latest
    },
  }
}
