/**
 * What a program means: the output that its input has, by the readable reference of each operation. This is what
 * a check replays and what every executor is tested against.
 */
import { matmul } from './matmul.ts'
import type { Program } from './program.ts'

export function evaluate(program: Program, input: Uint8Array): Uint8Array {
  switch (program.op) {
    case 'matmul':
      return matmul(program, input)
  }
}
