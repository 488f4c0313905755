/** One person's contribution: a secret is drawn, the key is multiplied by it, and it is forgotten. */
import { createHash, randomBytes } from 'node:crypto'
import { listen, withSnarkjs } from '../snarkjs.ts'
import type { MemoryFile } from '../snarkjsTypes.ts'
import { type Appended, appendContribution, assertOpen, openLatest } from './append.ts'
import { CeremonyError } from './ceremonyError.ts'
import { isContributorName } from './key.ts'
import { dataOf } from './phase1.ts'

export interface ContributeRequest {
  readonly folder: string
  readonly name: string
  /**
   * What the person adds to the randomness of the operating system. Asked for only once the ceremony was found to hold,
   * and overwritten with zeros once it was used.
   */
  readonly askEntropy?: () => Promise<Uint8Array | undefined>
  readonly nowMs: () => number
  readonly onProgress?: (doing: string) => void
}

export interface Contributed extends Appended {
  /** True when an earlier call was stopped after the key was written: it was finished, and no other was made. */
  readonly isResumed: boolean
}

export async function contribute(request: ContributeRequest): Promise<Contributed> {
  const { folder, name, askEntropy, nowMs, onProgress = () => {} } = request
  if (!isContributorName(name)) {
    throw new CeremonyError('request', `'${name}' is no name for a contributor: 1 to 64 printable letters`)
  }
  const latest = await openLatest({ folder, nowMs, onProgress })
  if (latest.resumed?.entry.name === name) return { ...latest.resumed, isResumed: true }
  assertOpen(latest.transcript)
  const seed = seedFrom(await askEntropy?.())
  const bytes = await withSnarkjs(async ({ zKey }) => {
    const to: MemoryFile = { type: 'mem' }
    await zKey.contribute(
      latest.keyBytes,
      to,
      name,
      seed,
      listen('applying the secret to the key', onProgress),
    )
    return dataOf(to)
  })
  return { ...(await appendContribution({ folder, latest, bytes, nowMs, onProgress })), isResumed: false }
}

/** snarkjs hashes it once more with 64 bytes of its own from the operating system. */
function seedFrom(entropy: Uint8Array | undefined): string {
  const random = randomBytes(64)
  const hasher = createHash('sha512').update(random)
  if (entropy !== undefined) hasher.update(entropy)
  const digest = hasher.digest()
  const seed = digest.toString('hex')
  for (const secret of [random, digest, entropy]) secret?.fill(0)
  return seed
}
