export { type Clock, systemClock } from './clock.ts'
export {
  ConstantError,
  type Constants,
  createConstants,
  type FetchConstant,
  fetchConstants,
} from './constants.ts'
export { type CutBlock, cutBlock } from './cutBlock.ts'
export type { BlockProver, Provable, ProvableBlock, TaskProver } from './prover.ts'
export type { CloseCause } from './session/effect.ts'
export type { WorkerEvent } from './session/event.ts'
export { describeReason, type LostReason, type Reason, type StopReason } from './session/reason.ts'
export type { Ending, HistoryEntry, IdleNotice, Standing, Totals } from './session/state.ts'
export type { Offer } from './session/turn.ts'
export {
  type Connect,
  closeCodes,
  connectWebSocket,
  type Socket,
  type SocketEvents,
  workerSocketUrl,
} from './socket.ts'
export type { ConnectionView, DeliveryView, ProfileView, SmallView, WorkerView } from './view.ts'
export { createWorker, type Worker, type WorkerAdapters, type WorkerConfig } from './worker.ts'
