/**
 * A temporary folder and the processes that work in it. Closing the stage ends them and removes the folder; the same
 * happens when this process ends by a signal or by an error. A process started here learns even of our SIGKILL where
 * `setpriv` can arrange that.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { answerPrefix } from './answering.ts'
import { NotMeasured } from './figure.ts'

const graceMs = 3_000
const readyMs = 20_000
const tailCharacters = 2_000

export interface StageOptions {
  /** What the processes need beside the usual environment. */
  readonly env?: Readonly<Record<string, string>>
  /** The line of its output that says so. */
  readonly readyAt: RegExp
  /** Another user to run as, by number. */
  readonly user?: { readonly uid: number; readonly gid: number }
}

export interface Running {
  readonly pid: number
  /** The line by which it said that it is ready. */
  readonly readyText: string
  /** Resolves when it is gone, however it ended. */
  readonly gone: Promise<void>
  /** One line to its stdin, and the answer as `answering.ts` gives it. */
  ask(question: string): Promise<string>
  /** Politely, and by force after a while; resolves when it is gone. */
  end(): Promise<void>
}

export interface Stage {
  readonly folder: string
  start(command: readonly [string, ...string[]], options: StageOptions): Promise<Running>
  close(): Promise<void>
}

const open = new Set<{ abandon(): void }>()

export async function openStage(): Promise<Stage> {
  endWithUs()
  const folder = await mkdtemp(path.join(tmpdir(), 'shardy-bench-'))
  // A server that runs as another user has to reach its own folder below this one.
  chmodSync(folder, 0o711)
  const children = new Map<ChildProcess, Promise<void>>()
  const held = {
    abandon() {
      for (const child of children.keys()) child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
  open.add(held)
  return {
    folder,
    async start(command, options) {
      const [program, ...args] = dyingWithUs(command, options.user)
      const child = spawn(program, args, {
        cwd: folder,
        env: { ...process.env, ...options.env },
        stdio: ['pipe', 'pipe', 'pipe'] satisfies StdioOptions,
      })
      const gone = new Promise<void>((resolve) => {
        child.once('close', () => resolve())
        child.once('error', () => resolve())
      })
      children.set(child, gone)
      gone.then(() => children.delete(child))
      return whenReady(child, { gone, name: command.join(' '), readyAt: options.readyAt })
    },
    async close() {
      await Promise.all([...children].map(([child, gone]) => end(child, gone)))
      open.delete(held)
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** Reads everything that the process says for as long as it lives, since a full pipe would stop it. */
function whenReady(
  child: ChildProcess,
  { gone, name, readyAt }: { gone: Promise<void>; name: string; readyAt: RegExp },
): Promise<Running> {
  const { promise, resolve, reject } = Promise.withResolvers<Running>()
  const answers: { resolve(line: string): void; reject(error: Error): void }[] = []
  let tail = ''
  let isReady = false
  let ended: Error | undefined
  const fail = (how: string, cause?: unknown): void => {
    const error = new Error(`${name} ${how}\n${tail.trimEnd()}`, { cause })
    ended ??= error
    reject(error)
    for (const answer of answers.splice(0)) answer.reject(error)
  }
  const hear = (line: string): void => {
    if (isReady && line.startsWith(answerPrefix))
      return answers.shift()?.resolve(line.slice(answerPrefix.length))
    if (isReady || !readyAt.test(line)) return
    isReady = true
    clearTimeout(timer)
    const { pid } = child
    if (pid === undefined) return fail('has no process id')
    resolve({
      pid,
      readyText: line,
      gone,
      ask(question) {
        const answer = Promise.withResolvers<string>()
        if (ended !== undefined) answer.reject(ended)
        else answers.push(answer)
        child.stdin?.write(`${question}\n`)
        return answer.promise
      },
      end: () => end(child, gone),
    })
  }
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-tailCharacters)
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) hear(line)
    })
  }
  const timer = setTimeout(() => {
    fail(`was not ready after ${readyMs / 1_000} s`)
    child.kill('SIGKILL')
  }, readyMs)
  // Ends of lines that nobody reads any more must not end us.
  child.stdin?.on('error', () => {})
  child.once('error', (error) => fail('could not be started', error))
  gone.then(() => {
    clearTimeout(timer)
    fail(`ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`)
  })
  return promise
}

async function end(child: ChildProcess, gone: Promise<void>): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await gone
  clearTimeout(timer)
}

/** SIGKILL leaves us no moment to end anything, so the kernel is asked to do it. */
function dyingWithUs(
  command: readonly [string, ...string[]],
  user: StageOptions['user'],
): readonly [string, ...string[]] {
  hasSetpriv ??= Bun.which('setpriv') !== null && Bun.spawnSync([...setpriv, 'true']).success
  if (!hasSetpriv && user === undefined) return command
  if (!hasSetpriv)
    throw new NotMeasured('notInstalled: no setpriv (util-linux) to run a server as another user')
  const as = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']
  return [...setpriv, ...as, '--', ...command]
}

/** There are others of that name that do not know the option. */
let hasSetpriv: boolean | undefined
const setpriv = ['setpriv', '--pdeathsig=KILL'] as const

let isListening = false

function endWithUs(): void {
  if (isListening) return
  isListening = true
  process.on('exit', () => {
    for (const held of open) held.abandon()
  })
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)
    process.on(signal, () => process.exit(code))
}
