/**
 * How each real value of a model is best shown as bytes, from what it is on samples: by its whole range, without the rarest
 * extremes, or by the range that makes the squares of all errors smallest.
 */
import { evaluateGraph, type Tensors } from './evaluate.ts'
import type { Graph } from './graph.ts'
import { type Quantization, quantizationOf } from './lower/quantization.ts'
import { isFloat } from './onnx/tensor.ts'
import { refuse } from './refusal.ts'

export const calibrationMethods = ['minMax', 'percentile', 'squares'] as const
export type CalibrationMethod = (typeof calibrationMethods)[number]

interface Observed {
  min: number
  max: number
  /** How many entries lie in each equal part of the range. */
  readonly counts: Float64Array
}

const binCount = 2048
/** The part of all entries that may be cut off at each end. */
const cutOff = 1e-4

function observe(
  graph: Graph,
  samples: readonly Tensors[],
  visit: (name: string, data: ArrayLike<number>) => void,
): void {
  const names = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.nodes.map(({ outputs }) => outputs[0] ?? ''),
  ])
  for (const sample of samples) {
    for (const [name, { dtype, data }] of evaluateGraph(graph, sample)) {
      if (names.has(name) && isFloat(dtype)) visit(name, data)
    }
  }
}

export function calibrate(
  graph: Graph,
  samples: readonly Tensors[],
  method: CalibrationMethod,
): ReadonlyMap<string, Quantization> {
  const observed = new Map<string, Observed>()
  observe(graph, samples, (name, data) => {
    const seen = observed.get(name) ?? {
      min: Number.POSITIVE_INFINITY,
      max: Number.NEGATIVE_INFINITY,
      counts: new Float64Array(method === 'minMax' ? 0 : binCount),
    }
    for (let index = 0; index < data.length; index++) {
      const entry = data[index] as number
      if (!Number.isFinite(entry)) refuse('inconsistent', `value '${name}'`, `is ${entry} on a sample`)
      if (entry < seen.min) seen.min = entry
      if (entry > seen.max) seen.max = entry
    }
    observed.set(name, seen)
  })
  if (method === 'minMax') return mapValues(observed, ({ min, max }) => quantizationOf(min, max))
  observe(graph, samples, (name, data) => {
    const seen = observed.get(name)
    if (seen !== undefined) count(seen, data)
  })
  return mapValues(observed, method === 'percentile' ? byPercentile : bySquares)
}

function mapValues<T>(
  map: ReadonlyMap<string, T>,
  image: (value: T) => Quantization,
): ReadonlyMap<string, Quantization> {
  return new Map([...map].map(([name, value]) => [name, image(value)]))
}

function count({ min, max, counts }: Observed, data: ArrayLike<number>): void {
  const width = (max - min) / binCount || 1
  for (let index = 0; index < data.length; index++) {
    const bin = Math.min(Math.floor(((data[index] as number) - min) / width), binCount - 1)
    counts[bin] = (counts[bin] as number) + 1
  }
}

function byPercentile({ min, max, counts }: Observed): Quantization {
  const width = (max - min) / binCount
  const total = counts.reduce((sum, entries) => sum + entries, 0)
  let [low, high] = [0, binCount]
  for (let cut = 0; low < binCount && cut + (counts[low] as number) <= total * cutOff; low++) {
    cut += counts[low] as number
  }
  for (let cut = 0; high > low && cut + (counts[high - 1] as number) <= total * cutOff; high--) {
    cut += counts[high - 1] as number
  }
  return quantizationOf(min + low * width, min + high * width)
}

/** Ranges that are tried: the whole, and parts of it. */
const parts = Array.from({ length: 40 }, (_, index) => 1 - index / 50)

function bySquares({ min, max, counts }: Observed): Quantization {
  const width = (max - min) / binCount
  let [best, least] = [quantizationOf(min, max), Number.POSITIVE_INFINITY]
  for (const part of parts) {
    const tried = quantizationOf(min * part, max * part)
    const [lowest, highest] = tried.dtype === 'u8' ? [0, 255] : [-128, 127]
    let squares = 0
    for (const [bin, entries] of counts.entries()) {
      if (entries === 0) continue
      const x = min + (bin + 0.5) * width
      const code = Math.min(Math.max(Math.round(x / tried.scale) + tried.zeroPoint, lowest), highest)
      squares += entries * (x - (code - tried.zeroPoint) * tried.scale) ** 2
    }
    if (squares < least) [best, least] = [tried, squares]
  }
  return best
}
