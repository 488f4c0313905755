/**
 * Tasks a second through the dispatcher, beside durable queues that do the same trip unchecked, and the floors under
 * both: what a bare WebSocket costs in CPU for a message and in memory for an idle connection.
 */
import { measuredOf, mediansOf } from './dispatch/figure.ts'
import { floorCandidates } from './dispatch/floors/floors.ts'
import { peerCandidates } from './dispatch/peers/peers.ts'
import { shardyFigures } from './dispatch/shardy/shardy.ts'
import type { Measured, Progress } from './run.ts'

const rounds = 3

export async function run({ progress }: { readonly progress: Progress }): Promise<Measured> {
  const figures = await mediansOf(floorCandidates(), { rounds, progress })
  const own = await shardyFigures(rounds, progress)
  const peers = await mediansOf(peerCandidates(), { rounds, progress })
  return measuredOf([...own, ...figures], peers)
}
