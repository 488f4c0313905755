/** The process: the only place that touches the environment, the terminal, signals and the exit code. */
import { exits } from './exit.ts'
import { run } from './run.ts'
import { askSecret } from './secret.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
// What nobody reads on stderr changes nothing about how the command ends.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
// `shardy list | head`: the reader has seen enough, and what comes behind it was not said. As if by SIGPIPE.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(exits.unread.code)
})

const exit = await run(process.argv.slice(2), {
  env: process.env,
  print: (text) => process.stdout.write(text),
  tell: (text) => process.stderr.write(text),
  watchedColumns: () => (process.stderr.isTTY === true ? process.stderr.columns || 80 : undefined),
  signal: stop.signal,
  nowMs: () => Date.now(),
  every(ms, act) {
    const timer = setInterval(act, ms)
    return () => clearInterval(timer)
  },
  askSecret: (question) => askSecret(question, stop),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
})
process.exitCode = exits[exit].code
// What was interrupted may still hold the process; there is nothing left to print.
if (exit === 'interrupted') process.exit()
