/** The bounds of a session, in one place. */

/** From the attempt to connect until the welcome. */
export const handshakeMs = 15_000
export const reconnectMsMin = 1_000
export const reconnectMsMax = 30_000
/** A shorter heartbeat would be a flood, a longer one would not notice a dead line. */
export const heartbeatMsMin = 10
export const heartbeatMsMax = 300_000
/** Intervals without any frame after which the line counts as dead. */
export const silentIntervalsMax = 3
/** How long one raw frame may take to arrive before silence counts again. */
export const payloadPatienceMs = 120_000
/** An uplink may be this slow: no echo is expected before an output sent ahead of the heartbeat can be through. */
export const uplinkBytesPerMs = 64
/** Intervals after a lost session during which `identityInUse` means our own ghost. */
export const ghostIntervals = 6
/** Committed deliveries take no slot, but each may hold an output. */
export const committedMax = 64
/** Deliveries of which a block may have to be proven, those that are answered included: each keeps its input. */
export const auditedMax = 64
/**
 * Bytes of the outputs that wait for commitments to be closed, and of the inputs that wait for audits, those of what is still being computed
 * included: a tab has little memory.
 */
export const committedBytesMax = 256 * 1024 * 1024
/** What a program may hold in memory while it is computed, weights and values between included: a tab dies of more. */
export const workingBytesMax = 768 * 1024 * 1024
/** Bytes of the inputs of large deliveries that wait beyond the slots. */
export const prefetchBytesMax = 64 * 1024 * 1024
/** Small deliveries that are committed to; each keeps an output of a few kilobytes. */
export const smallCommittedMax = 1024
/** Small deliveries that are answered and wait for their verdict. */
export const smallAnsweredMax = 4096
/** Programs of small deliveries that are kept read. */
export const knownProgramsMax = 64
/** Answered deliveries that still wait for their verdict. */
export const answeredMax = 256
/** What a close says; RFC 6455 leaves it 123 bytes. */
export const closeTextLengthMax = 123
export const historyMax = 200
/** Progress is told in steps of at least this much. */
export const progressStepPermille = 50
