// The statements that keys are made for: where each is written, how it is compiled, and what the compiler must arrive at.

import type { Optimization } from './compile.ts'

export interface Statement {
  readonly name: string
  readonly kind: 'v2' | 'v3'
  readonly verifierVersion: number
  /** Below this package's folder. */
  readonly source: string
  readonly optimization: Optimization
  /** The domain of a key is 2 to this: the least that holds constraints + public signals + 1. */
  readonly domainPower: number
  readonly constraints: number
  readonly wires: number
  readonly publicSignals: number
  /** What readers of the manifest are told. */
  readonly note: string
}

export const taskProofV2: Statement = {
  name: 'task-proof-v2',
  kind: 'v2',
  verifierVersion: 2,
  source: 'task-proof-v2/task-proof-v2.circom',
  // --O2 would solve for the private witness and leave no constraint at all.
  optimization: '--O1',
  domainPower: 3,
  constraints: 1,
  wires: 6,
  publicSignals: 4,
  note: 'Identity binding only: ties a digest to a task, seed and length. A proof exists for any digest.',
}

export const taskProofV3: Statement = {
  name: 'task-proof-v3',
  kind: 'v3',
  verifierVersion: 3,
  source: 'task-proof-v3/task-proof-v3.circom',
  // What --O2 would solve are the long sums between Poseidon's powers: it trades 1,844 constraints for 5 MB of key.
  optimization: '--O1',
  domainPower: 15,
  constraints: 23_010,
  wires: 23_017,
  publicSignals: 10,
  note: 'One 16x16x16 block of an exact int8 product, bound to task, delivery, worker, output digest and position. Says nothing about other blocks, nor that the block belongs to the output.',
}

export const statements: readonly Statement[] = [taskProofV2, taskProofV3]
