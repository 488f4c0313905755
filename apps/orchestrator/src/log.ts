/** Structured logs: one JSON object a line. No field ever holds a key, a payload or an output. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

export interface Log {
  info(event: string, fields?: LogFields): void
  error(event: string, error: unknown, fields?: LogFields): void
}

export function createLog(write: (line: string) => void, nowMs: () => number): Log {
  const line = (level: string, event: string, fields: LogFields): void =>
    write(JSON.stringify({ atMs: nowMs(), level, event, ...fields }))
  return {
    info: (event, fields = {}) => line('info', event, fields),
    error: (event, error, fields = {}) =>
      line('error', event, { ...fields, error: error instanceof Error ? error.message : String(error) }),
  }
}

export const silentLog: Log = { info() {}, error() {} }
