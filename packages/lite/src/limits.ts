/** The bounds of lite work (docs/spec/lite.md, F2). The check does the work again, so they bound what a host may be asked to check. */

/** Byte steps of one task: seconds on a server's core, a minute on a weak phone. */
export const byteStepsMax = 2 ** 32
/** Every round has so many steps that beginning it costs little beside them. */
export const superLiteInputBytesMin = 4
export const laneBytesMin = 8
export const roundsMax = byteStepsMax / superLiteInputBytesMin
export const lanesMax = 65_536
