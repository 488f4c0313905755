// Honest inputs that nobody chose, for the proof by which a key shows that it works.

import { randomBytes, randomInt } from 'node:crypto'
import { privateInputs, publicSignals } from './block.ts'
import { reduce } from './field.ts'
import type { Statement } from './statements.ts'
import type { Inputs } from './witness.ts'

export function drawInputs(kind: Statement['kind']): Inputs {
  return kind === 'v2' ? drawBinding() : drawBlock()
}

function drawBinding(): Inputs {
  const [taskId, seed, outputLen, resultDigest] = [drawElement(), drawElement(), drawElement(), drawElement()]
  return { taskId, seed, outputLen, resultDigest, witness: reduce(resultDigest - taskId - seed - outputLen) }
}

function drawBlock(): Inputs {
  const drawMatrix = (min: number, max: number) =>
    Array.from({ length: 256 }, () => BigInt(randomInt(min, max + 1)))
  const block = {
    a: drawMatrix(-128, 127),
    b: drawMatrix(-128, 127),
    sumsIn: drawMatrix(-(2 ** 30), 2 ** 30),
  }
  const binding = {
    taskId: drawElement(),
    deliveryId: drawElement(),
    workerHigh: drawElement(),
    workerLow: drawElement(),
    resultDigest: drawElement(),
    position: drawElement(),
  }
  return { ...publicSignals(binding, block), ...privateInputs(block) }
}

const drawElement = (): bigint => reduce(BigInt(`0x${randomBytes(40).toString('hex')}`))
