/** How a refused connection closes: one WebSocket code for each reason a refusal frame can give. */
import type { RefusalCode } from '@shardy/protocol'

export const closeCodes: Readonly<Record<RefusalCode, number>> = {
  malformedFrame: 4400,
  badSignature: 4401,
  replayedHello: 4402,
  unexpectedFrame: 4403,
  handshakeTimeout: 4408,
  identityInUse: 4409,
  heartbeatMissed: 4410,
  belowMinimum: 4412,
  frameTooLarge: 4413,
  benchmarkFailed: 4422,
  unsupportedVersion: 4426,
  overloaded: 4429,
  shuttingDown: 4503,
}
