// A failure that a person can act on: what failed, the last lines it printed, and what to do next.
// `command` is the frame of every tool: it prints such a failure without a stack and exits 1.

export class Failure extends Error {
  /**
   * @param {string} message what failed, with the value that was wrong
   * @param {{ output?: string, next?: string, cause?: unknown }} [details]
   */
  constructor(message, details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'Failure'
    this.output = details.output ?? ''
    this.next = details.next ?? ''
  }
}

/** @param {unknown} error */
export function describe(error) {
  if (!(error instanceof Failure))
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  const lines = [`✗ ${error.message}`]
  if (error.output.trim() !== '') lines.push('', error.output.trimEnd(), '')
  if (error.next !== '') lines.push(`→ ${error.next}`)
  return lines.join('\n')
}

/** @param {() => Promise<number>} run resolves to the exit code */
export async function command(run) {
  try {
    process.exitCode = await run()
  } catch (error) {
    console.error(describe(error))
    process.exitCode = 1
  }
}
