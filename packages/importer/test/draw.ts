/** Pseudo-random numbers that are the same every time, and models written in a few words. */
import type { Attribute, OnnxModel, OnnxNode, OnnxTensor, ValueInfo } from '../src/index.ts'

/** Mulberry32, as whole numbers below 2^32. */
export function drawer(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

type Parts = Partial<Omit<OnnxModel, 'initializers' | 'opsets'>> & {
  readonly initializers?: Readonly<Record<string, OnnxTensor>>
  readonly opset?: number
}

export function modelOf({ initializers = {}, opset = 13, ...rest }: Parts): OnnxModel {
  return {
    opsets: new Map([['', opset]]),
    name: 'small',
    nodes: [],
    inputs: [info('x', [1, 4])],
    outputs: [info('y', [1, 4])],
    initializers: new Map(Object.entries(initializers)),
    ...rest,
  }
}

export function info(name: string, shape: ValueInfo['shape'], dtype: ValueInfo['dtype'] = 'f32'): ValueInfo {
  return { name, dtype, shape }
}

export function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
  name = '',
): OnnxNode {
  return { name, op, domain: '', inputs, outputs, attributes: new Map(Object.entries(attributes)) }
}
