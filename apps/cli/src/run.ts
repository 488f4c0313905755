/** Runs one command line to its exit: parses, acts, prints, and turns every failure into words and a code. */
import { sha256 } from '@shardy/crypto/native'
import { createOperator, createRequester } from '@shardy/sdk'
import { commands } from './commands.ts'
import type { Exit } from './exit.ts'
import { Failure, failureOf } from './failure.ts'
import { helpOf, helpOfAll } from './help.ts'
import { parseCommandLine, wantsJson } from './options.ts'
import { openProgress } from './progress.ts'
import { readSettings } from './settings.ts'
import { printable, printableJson } from './wording.ts'
import type { World } from './world.ts'

export async function run(words: readonly string[], world: World): Promise<Exit> {
  const progress = openProgress(world)
  let advice: string | undefined
  const interrupted = rejectOnAbort(
    world.signal,
    () => new Failure('interrupted', 'Stopped.', { next: advice }),
  )

  async function act(): Promise<Exit> {
    const parsed = parseCommandLine(words, commands)
    if (parsed.kind === 'help') {
      world.print(`${parsed.command === undefined ? helpOfAll(commands) : helpOf(parsed.command)}\n`)
      return 'done'
    }
    const { command, operands, options } = parsed
    const { url, apiKey } = readSettings(options, world)
    const requester = createRequester({ url, apiKey, sha256, wait: world.wait })
    const operator = createOperator({ url, apiKey, sha256, wait: world.wait })
    const onInterrupt = (text: string): void => {
      advice = text
    }
    const outcome = await command.run({
      operands,
      options,
      requester,
      operator,
      progress,
      world,
      onInterrupt,
    })
    if (world.signal.aborted) return interrupted
    progress.clear()
    if (outcome === undefined) return 'done'
    world.print(`${options.has('json') ? printableJson(outcome.json) : outcome.text}\n`)
    return outcome.exit ?? 'done'
  }

  try {
    return await Promise.race([act(), interrupted])
  } catch (error) {
    progress.clear()
    const failure = world.signal.aborted ? await interrupted.catch(failureOf) : failureOf(error)
    world.tell(wantsJson(words) ? `${complaintJson(failure)}\n` : complaint(failure))
    return failure.exit
  }
}

function rejectOnAbort(signal: AbortSignal, reason: () => Error): Promise<never> {
  const rejected = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(reason())
    signal.addEventListener('abort', () => reject(reason()), { once: true })
  })
  // Nobody may be waiting for it when it happens.
  rejected.catch(() => {})
  return rejected
}

function complaint({ message, next, exit }: Failure): string {
  const what = exit === 'interrupted' ? message : `shardy: ${printable(message)}`
  return `${what}\n${next === undefined ? '' : `${exit === 'interrupted' ? '' : 'Next: '}${next}\n`}`
}

function complaintJson({ message, next, exit }: Failure): string {
  return printableJson({ error: exit, message, ...(next !== undefined && { next }) })
}
