/** Normalised work: what a delivery cost, in units that are the same for every device (spec L20). */
import { amount, type Brand } from '@shardy/protocol'

export type NormalisedWork = Brand<bigint, 'NormalisedWork'>
export const normalisedWork = amount<NormalisedWork>()
