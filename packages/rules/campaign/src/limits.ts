/** The bounds of a campaign. A bound lives here once; the codecs, the readers and the docs cite it. */
import { payloadBytesMax } from '@shardy/protocol'

export const digestBytes = 32
/** As many digests as one blob holds. Ranges have the same bound, so that every campaign's index is of one size. */
export const itemsMax = payloadBytesMax / digestBytes
/** Digests that stand in the manifest itself; more of them come as a list blob. */
export const inlineBlobsMax = 1_024
export const templateBytesMax = 64 * 1024
export const nameLengthMax = 64
/** How a result is to be checked, in the canonical bytes of whoever reads it. */
export const verifyBytesMax = 64
export const priorityMax = 9
export const windowMax = 10_000
export const windowDefault = 1_000
export const retriesMax = 15
export const retriesDefault = 2
export const failuresDefault = 100
export const taskTimeoutMsMin = 1_000
export const taskTimeoutMsMax = 86_400_000
export const taskTimeoutMsDefault = 600_000
/** A campaign's deadline lies no further ahead than this when it is created. */
export const campaignMsMax = 90 * 86_400_000
export const webhookUrlLengthMax = 512
export const secretNameLengthMax = 64
/** Results are kept in segments of so many items once all of them have one. */
export const segmentItems = 1_024
/** Why an item died or was refused, in one word. */
export const codeLengthMax = 32
