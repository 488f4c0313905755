/** Powers of tau: made here by one person, for development only, or checked when they came from elsewhere. */
import { randomBytes } from 'node:crypto'
import { listen, withSnarkjs } from '../snarkjs.ts'
import type { MemoryFile } from '../snarkjsTypes.ts'
import { CeremonyError } from './ceremonyError.ts'
import { type Refused, refuse } from './verdict.ts'

/** The least that snarkjs can work with, and where waiting for a development file stops making sense. */
export const developmentPower = { min: 3, max: 16 } as const

export async function makeDevelopmentPhase1(
  power: number,
  onProgress: (doing: string) => void,
): Promise<Uint8Array> {
  return withSnarkjs(async ({ powersOfTau, curve }) => {
    const logger = listen(`making powers of tau to 2^${power}`, onProgress)
    const [first, contributed, prepared]: MemoryFile[] = [{ type: 'mem' }, { type: 'mem' }, { type: 'mem' }]
    if (first === undefined || contributed === undefined || prepared === undefined)
      throw new Error('unreachable')
    await powersOfTau.newAccumulator(curve, power, first, logger)
    const entropy = randomBytes(64).toString('hex')
    await powersOfTau.contribute(dataOf(first), contributed, 'development', entropy, logger)
    await powersOfTau.preparePhase2(dataOf(contributed), prepared, logger)
    return dataOf(prepared)
  })
}

export async function checkPhase1(
  ptau: Uint8Array,
  onProgress: (doing: string) => void,
): Promise<Refused | undefined> {
  return withSnarkjs(async ({ powersOfTau }) => {
    const logger = listen('checking the powers of tau', onProgress)
    const holds = await powersOfTau.verify(ptau, logger).catch((error: unknown) => {
      logger.error(String(error))
      return false
    })
    return holds
      ? undefined
      : refuse('badPhase1', `the powers of tau do not hold: ${logger.complaints.join('; ')}`)
  })
}

export function dataOf({ data }: MemoryFile): Uint8Array {
  if (data === undefined) throw new CeremonyError('request', 'nothing was written')
  return data
}
