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

export const statements: readonly Statement[] = [taskProofV2]
