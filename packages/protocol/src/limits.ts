/** The bounds of everything that is said. A bound lives here once; the codecs, the servers and the docs cite it. */

/** One protocol version so far; the range grows when a second one exists. */
export const protocolVersion = 1

export const payloadBytesMax = 64 * 1024 * 1024
export const programBytesMax = 64 * 1024
/** Blobs that one program names; each takes more than 32 of the program's bytes. */
export const constantsMax = programBytesMax / 32
/** A frame that is not raw payload. */
export const metaFrameBytesMax = 80 * 1024
export const agentLengthMax = 64
export const adapterLengthMax = 128
export const messageLengthMax = 256
/** 2^20 statements under one signature. */
export const attestationPathMax = 20
export const statementsPerBatchMax = 1 << attestationPathMax
/** 2^20 nodes under one trace root; a path of 20 hashes leads to any of them. */
export const tracePathMax = 20
export const traceNodesMax = 1 << tracePathMax
/** Tiles of an output in a row or a column: 64 MiB hold 2^24 sums, in the thinnest case 16 of them to a tile. */
export const auditTilesMax = 1 << 20
/** Blocks of one tile: an inner length of up to 65,535, by sixteens. */
export const auditDepthMax = 4096
/** Workers that are asked for one task at a time. */
export const replicasMax = 7
/** Parts of the transcript that goes with an answer that is checked. */
export const transcriptPartsMax = 256
/** Deliveries that one worker computes at once. */
export const slotsMax = 64
/** Deliveries that may wait at a worker for their turn. */
export const prefetchMax = 1024
/** 0 is served last, 9 first, among the tasks of one requester. */
export const priorityMax = 9
export const tierMax = 3
export const regionLengthMax = 16
export const operatorLengthMax = 64
export const hardwareClassLengthMax = 64
export const featureLengthMax = 64
export const featuresMax = 32
/** Small deliveries and their answers travel many to a frame. */
export const batchFrameBytesMax = 1024 * 1024
export const batchMax = 256
/** What is larger travels in a frame of its own. */
export const inlinePayloadBytesMax = 16 * 1024
/** A receipt names every delivery of its task. */
export const deliveriesPerTaskMax = 64
/** 10^9 credits for one task, far below what a sum of earnings can hold. */
export const rewardMicroCreditMax = 10n ** 15n
/** Tasks that are submitted in one request, and the different programs among them. */
export const batchSubmissionMax = 1000
export const submissionProgramsMax = 16
/** An answer to a batch of which every entry says as much as it can. */
export const outcomeBytesMax = 2 * 1024 * 1024
export const submissionBytesMax = 24 * 1024 * 1024
export const idempotencyKeyLengthMax = 128
/** The longest that anybody is asked to wait before asking again. */
export const retryAfterMsMax = 86_400_000
/** How long a task may wait for its verdict. */
export const taskTimeoutMsMin = 1_000
export const taskTimeoutMsMax = 86_400_000
