/** What every kernel generator gives: its text, and what a caller must know to dispatch it. */
import type { OperandLayout } from './layout.ts'

export interface KernelText {
  readonly code: string
  /** Rows and columns of the output that a workgroup makes. */
  readonly tileRows: number
  readonly tileColumns: number
  /** Bytes of k in one step of the loop. */
  readonly stepBytes: number
  readonly threads: number
  readonly workgroupBytes: number
}

export interface Layouts {
  readonly left: OperandLayout
  readonly right: OperandLayout
}

export const entryPoint = 'multiply'
