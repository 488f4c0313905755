/**
 * Exact shaders on the CPU, by their interpreter: the meaning itself, and slow. It is there for small tasks and for whoever
 * checks them; the rest is handed back.
 */
import { interpret, type ShaderTask } from '@shardy/shader'
import { ComputeError, outOfFuel } from '../executor.ts'

/** Nodes that the interpreter may execute at most: seconds of it. */
const interpretedWorkMax = 2 ** 27

export function interpretShader(shader: ShaderTask, payload: Uint8Array): Uint8Array {
  if (shader.exactness.exactness !== 'exact') {
    throw new ComputeError('beyondLimits', 'an inexact shader needs a GPU')
  }
  if (shader.work > interpretedWorkMax) {
    const bound = `the limit without a GPU is ${interpretedWorkMax}`
    throw new ComputeError('beyondLimits', `the shader may execute ${shader.work} nodes, ${bound}`)
  }
  const interpreted = interpret(shader, payload)
  if (interpreted.kind === 'outOfFuel') throw outOfFuel()
  return interpreted.bytes
}
