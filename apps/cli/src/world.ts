/** What a command touches besides files and the network; a test gives its own. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  /** To stdout: what was asked for. */
  readonly print: (text: string) => void
  /** To stderr: progress and complaints. */
  readonly tell: (text: string) => void
  /** How wide the terminal is in which a person watches stderr; undefined when nobody does. */
  readonly watchedColumns: () => number | undefined
  /** Aborted when the person wants to stop. */
  readonly signal: AbortSignal
  readonly nowMs: () => number
  /** Calls again and again until the returned function is called. */
  readonly every: (ms: number, act: () => void) => () => void
  /** What the person types in answer, which is not shown; undefined without a terminal. */
  readonly askSecret: (question: string) => Promise<Uint8Array | undefined>
  /** Waits between tries. */
  readonly wait: (ms: number) => Promise<void>
}
