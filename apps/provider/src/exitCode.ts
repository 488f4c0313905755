/** How the process ends: every exit code with its meaning, in one table. */
export const exitCodes = {
  /** Asked to stop, or a self-test that passed. */
  stopped: 0,
  /** A bug or something nobody thought of. */
  failed: 1,
  /** A setting or argument that cannot be. */
  usage: 2,
  /** The executor that was asked for is not to be had here. */
  noExecutor: 3,
  /** The identity file cannot be read or made. */
  identityFile: 4,
  /** The orchestrator will not have this worker; trying again would change nothing. */
  refused: 5,
  /** The GPU that was demanded went away while it was in use, and opening it again did not help. */
  deviceLost: 6,
  /** The executor gave other bytes than the reference. */
  selfTestFailed: 7,
} as const

export type Exit = keyof typeof exitCodes
