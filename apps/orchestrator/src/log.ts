/**
 * Structured logs: one JSON object a line, with a level, an event's name and fields. A field is plain text, a number
 * or a flag, never a payload or an output; a `Secret` cannot be one, and keys in other people's messages are cut out.
 */
import { Secret, withoutSecrets } from './telemetry/secret.ts'

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** What is said at all, from everything to errors alone. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export interface Log {
  /** Whether anybody would see a debug line: hot paths ask before they build one. */
  readonly isDebug: boolean
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, error: unknown, fields?: LogFields): void
  /** For what happens often: one line a second for each event, which says how many were left out before it. */
  sampled(event: string, fields?: LogFields): void
  /** A log whose lines carry these fields too: the request, task, delivery or worker they are about. */
  child(fields: LogFields): Log
}

const valueLengthMax = 1024
const causesMax = 4
const sampleEveryMs = 1_000

/** Only what a person needs of a value, whatever came in its place. */
function shown(value: unknown): string | number | boolean | undefined {
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined) return value
  if (value instanceof Secret) return value.toString()
  const text = withoutSecrets(typeof value === 'string' ? value : String(value))
  return text.length > valueLengthMax ? `${text.slice(0, valueLengthMax)}…` : text
}

function shownAll(fields: LogFields): Record<string, unknown> {
  const all: Record<string, unknown> = {}
  for (const name of Object.keys(fields)) all[name] = shown(fields[name])
  return all
}

/** An error in words, with those that led to it. */
function wordsOf(error: unknown): string {
  const words: string[] = []
  let current = error
  while (words.length < causesMax && current !== undefined) {
    words.push(current instanceof Error ? current.message : String(current))
    current = current instanceof Error ? current.cause : undefined
  }
  return words.join(': ')
}

export interface LogConfig {
  readonly level?: LogLevel
}

export function createLog(
  write: (line: string) => void,
  nowMs: () => number,
  { level = 'info' }: LogConfig = {},
): Log {
  const from = logLevels.indexOf(level)
  const says = (each: LogLevel): boolean => logLevels.indexOf(each) >= from
  /** By event; their names are in the code, so there are few. */
  const sampled = new Map<string, { untilMs: number; skipped: number }>()

  function logWith(context: Record<string, unknown>): Log {
    const line = (each: LogLevel, event: string, fields: LogFields): void => {
      if (!says(each)) return
      // What a line is about never passes for what the line is.
      write(JSON.stringify({ ...context, ...shownAll(fields), atMs: nowMs(), level: each, event }))
    }
    return {
      isDebug: says('debug'),
      debug: (event, fields = {}) => line('debug', event, fields),
      info: (event, fields = {}) => line('info', event, fields),
      warn: (event, fields = {}) => line('warn', event, fields),
      error(event, error, fields = {}) {
        const stack = says('debug') && error instanceof Error ? { stack: error.stack } : {}
        line('error', event, { ...fields, error: wordsOf(error), ...stack })
      },
      sampled(event, fields = {}) {
        if (!says('info')) return
        const atMs = nowMs()
        const sample = sampled.get(event)
        // A clock that was set back must not silence an event for long.
        if (sample !== undefined && atMs < sample.untilMs && sample.untilMs - atMs <= sampleEveryMs) {
          sample.skipped++
          return
        }
        const skipped = sample?.skipped ?? 0
        sampled.set(event, { untilMs: atMs + sampleEveryMs, skipped: 0 })
        line('info', event, skipped > 0 ? { ...fields, skipped } : fields)
      },
      child: (fields) => logWith({ ...context, ...shownAll(fields) }),
    }
  }
  return logWith({})
}

export const silentLog: Log = {
  isDebug: false,
  debug() {},
  info() {},
  warn() {},
  error() {},
  sampled() {},
  child: () => silentLog,
}
