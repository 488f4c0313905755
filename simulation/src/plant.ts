/**
 * Where a planted bug takes hold: around the parts, never inside them. Whoever runs without one runs what is served, and there is
 * no switch in it that could be left on.
 */
import type { Begun, Changes, Happening, Table } from '@shardy/app-orchestrator/parts'
import type { DispatchState, Effect, Recovered } from '@shardy/dispatch'
import type { BookEntry } from '@shardy/ledger'
import type { DeliveryId, TaskId } from '@shardy/protocol'
import type { Store } from '@shardy/storage'

export type Begin = (effect: Begun) => Happening | undefined

export interface Seen {
  answerOf(deliveryId: DeliveryId): Uint8Array | undefined
  rightOf(taskId: TaskId): Uint8Array
}

/** One run's bug: what it changes, and what it remembers of the run. */
export interface Planted {
  epoch?(epoch: number): number
  store?(store: Store<Table>): Store<Table>
  entries?(entries: readonly BookEntry[], changes: Changes): readonly BookEntry[]
  recovered?(recovered: Recovered): Recovered
  save?(save: (changes: Changes) => Promise<void>): (changes: Changes) => Promise<void>
  begin?(begin: Begin, seen: Seen): Begin
  /** Before the effects are carried out. */
  perform?(effects: readonly Effect[], state: DispatchState): readonly Effect[]
  /** What the gateway is about to post. */
  happening?(happening: Happening, state: DispatchState): Happening
  /** The requester's door does not find an earlier task. */
  forgetsEnded?: boolean
}

export interface Plant {
  readonly name: string
  /** What a reader of the code would have to find. */
  readonly what: string
  open(): Planted
}
