/** What a command is: how it is called, what it says about itself, and what it does. */
import type { Operator, Requester } from '@shardy/sdk'
import type { Exit } from './exit.ts'
import type { Progress } from './progress.ts'
import type { World } from './world.ts'

export interface Option {
  /** What stands behind it; without one the option is a switch. */
  readonly value?: string
  readonly what: string
}

export interface Command {
  /** One or two words: `submit matmul`. */
  readonly name: string
  readonly summary: string
  /** What stands after the name, in order; all are needed. The last may be given several times when it ends with `…`. */
  readonly operands: readonly string[]
  readonly options: Readonly<Record<string, Option>>
  /** A command line that works, without `npx shardy`. */
  readonly example?: string
  /** More that a person should know, in `--help` of this command. */
  readonly more?: string
  /** Undefined when everything has been printed as it came. */
  run(call: Call): Promise<Outcome | undefined>
}

/** What a command found: for programs, for a person, and for the shell. */
export interface Outcome {
  readonly exit?: Exit
  readonly json: unknown
  readonly text: string
}

/** A parsed command line with what it needs to act. */
export interface Call {
  readonly operands: readonly string[]
  readonly options: Options
  readonly requester: Requester
  /** For what takes more than a requester's rights. */
  readonly operator: Operator
  readonly progress: Progress
  readonly world: World
  /** Said if the person stops the command half-way. */
  onInterrupt(advice: string): void
}

/** The options as they were typed; each reading names the option when it is wrong. */
export interface Options {
  has(name: string): boolean
  text(name: string): string | undefined
  whole(name: string, min: number, max: number): number | undefined
  decimal(name: string, max: bigint): bigint | undefined
}
