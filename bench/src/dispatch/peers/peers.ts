/** Which queues are measured beside ours, under which names, and one measurement of one of them. */
import path from 'node:path'
import { readyLine } from '../answering.ts'
import { type Candidate, NotMeasured, type Reading } from '../figure.ts'
import { openStage } from '../stage.ts'
import { bullmq } from './bullmq.ts'
import { installClients } from './clients.ts'
import { graphile } from './graphile.ts'
import { jetstream } from './jetstream.ts'
import type { Peer } from './peer.ts'

/** `Synced` is what survives a loss of power, where that is not how the server ships. */
export const peers = {
  jetstreamSinglesPerSecond: jetstream('asShipped'),
  jetstreamSyncedSinglesPerSecond: jetstream('always'),
  bullmqSinglesPerSecond: bullmq('everysec'),
  bullmqSyncedSinglesPerSecond: bullmq('always'),
  graphileSinglesPerSecond: graphile,
} satisfies Readonly<Record<string, Peer>>

export type PeerName = keyof typeof peers

export function isPeerName(name: string): name is PeerName {
  return Object.hasOwn(peers, name)
}

export function peerCandidates(): readonly Candidate[] {
  return Object.keys(peers)
    .filter(isPeerName)
    .map((name) => ({ name, unit: '1/s', measure: () => measure(name) }))
}

const side = path.join(import.meta.dir, 'side.ts')

async function measure(name: PeerName): Promise<Reading> {
  const stage = await openStage()
  try {
    // The server first: where it is missing there is no need to install clients.
    const { url, version } = await peers[name].serve(stage)
    const clients = await installClients()
    const start = (which: 'submit' | 'handle') =>
      stage.start([process.execPath, side, which, name, url, clients], {
        readyAt: readyLine,
        env: { NO_LOG_SUCCESS: '1' },
      })
    const submitter = await start('submit')
    await start('handle')
    return { value: Number(await submitter.ask('count')), why: version }
  } catch (error) {
    if (error instanceof NotMeasured) throw error
    // A peer that fails must not cost us our own figures.
    throw new NotMeasured(`failed: ${error instanceof Error ? error.message : error}`, { cause: error })
  } finally {
    await stage.close()
  }
}
