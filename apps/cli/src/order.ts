/** What a command line asks to have computed: read in one way, whether it is then submitted or only priced. */
import type { Work } from '@shardy/compute/work'
import type { TaskTerms, TaskView } from '@shardy/sdk'
import type { Call, Command } from './command.ts'

export interface Order {
  readonly terms: TaskTerms
  /** Said before what became of it. */
  readonly before?: string
  /** What it is, for whoever counts its work. */
  work(): Work
  send(onProgress: (sent: number, total: number) => void): Promise<TaskView>
}

/** One kind of order, without the word in front of it. */
export interface OrderKind extends Pick<Command, 'name' | 'operands' | 'options'> {
  readonly summary: string
  readonly more: string
  readonly example: string
  read(call: Call): Promise<Order>
}
