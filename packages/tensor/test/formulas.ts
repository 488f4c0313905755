/**
 * The language a second time, for tests: each operation as one formula for the entry at given coordinates, in integers of
 * unlimited size. Nothing is shared with the references but the shapes' bookkeeping.
 */
import type { Node, OperationName } from '../src/operations/index.ts'
import type { Dtype, Shape, Tensor } from '../src/tensor.ts'

type Place = readonly number[]
type At = (...place: number[]) => bigint

interface Formula {
  readonly dtype: Dtype
  readonly shape: Shape
  readonly at: (place: Place) => bigint
}

interface Big {
  readonly dtype: Dtype
  readonly shape: Shape
  readonly at: At
}

function big({ dtype, shape, data }: Tensor): Big {
  return {
    dtype,
    shape,
    at(...place) {
      if (place.length !== shape.length) throw new Error(`${place} is no place in [${shape}]`)
      let index = 0
      for (const [axis, size] of shape.entries()) {
        const coordinate = place[axis] ?? -1
        if (coordinate < 0 || coordinate >= size) throw new Error(`${place} lies outside [${shape}]`)
        index = index * size + coordinate
      }
      return BigInt(data[index] as number)
    },
  }
}

const bits: Record<Dtype, bigint> = { i8: 8n, u8: 8n, i32: 32n, u32: 32n }

function lowest(dtype: Dtype): bigint {
  return dtype === 'i8' || dtype === 'i32' ? -(2n ** (bits[dtype] - 1n)) : 0n
}

function cut(x: bigint, low: bigint, high: bigint): bigint {
  return x < low ? low : x > high ? high : x
}

function saturated(x: bigint, dtype: Dtype): bigint {
  return cut(x, lowest(dtype), lowest(dtype) + 2n ** bits[dtype] - 1n)
}

/** The largest q with q · b <= a. */
function floor(a: bigint, b: bigint): bigint {
  let quotient = a / b
  while (quotient * b > a) quotient -= 1n
  while ((quotient + 1n) * b <= a) quotient += 1n
  return quotient
}

/** The nearest whole number to a / b, the larger of two. */
function nearest(a: bigint, b: bigint): bigint {
  const below = floor(a, b)
  return 2n * (a - below * b) >= b ? below + 1n : below
}

function squareRoot(x: bigint): bigint {
  let [low, high] = [0n, x + 1n]
  while (high - low > 1n) {
    const middle = (low + high) / 2n
    if (middle * middle <= x) low = middle
    else high = middle
  }
  return low
}

function counted(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

function sum(terms: readonly bigint[]): bigint {
  return terms.reduce((left, right) => left + right, 0n)
}

function largest(terms: readonly bigint[]): bigint {
  return terms.reduce((left, right) => (right > left ? right : left))
}

type Attributes = Readonly<Record<string, unknown>>
type Rule = (attributes: Attributes, ...operands: readonly Big[]) => Formula

const n = (attributes: Attributes, name: string) => Number(attributes[name])

function binary(combine: (x: bigint, y: bigint) => bigint): Rule {
  return (_, x, y) => {
    if (x === undefined || y === undefined) throw new Error('two operands')
    const missing = x.shape.length - y.shape.length
    const inY = (place: Place) =>
      y.shape.map((size, axis) => (size === 1 ? 0 : (place[axis + missing] ?? -1)))
    return { dtype: 'i32', shape: x.shape, at: (place) => combine(x.at(...place), y.at(...inY(place))) }
  }
}

function map(x: Big, dtype: Dtype, image: (entry: bigint, place: Place) => bigint): Formula {
  return { dtype, shape: x.shape, at: (place) => image(x.at(...place), place) }
}

function requantized(x: bigint, multiplier: bigint, shift: bigint, zeroPoint: bigint, to: Dtype): bigint {
  return saturated(zeroPoint + nearest(x * multiplier, 2n ** shift), to)
}

/** The numbers of the last axis at a place of the others. */
function row(x: Big, place: Place): bigint[] {
  const others = place.slice(0, x.shape.length - 1)
  return counted(x.shape.at(-1) ?? 0).map((last) => x.at(...others, last))
}

function pool(choose: (entries: readonly bigint[]) => bigint): Rule {
  return (node, x) => {
    if (x === undefined) throw new Error('one operand')
    const [images = 0, height = 0, width = 0, channels = 0] = x.shape
    const fits = (extent: number, window: number, stride: number) => {
      let count = 0
      while (count * stride + window <= extent) count++
      return count
    }
    const rows = fits(
      height + n(node, 'padTop') + n(node, 'padBottom'),
      n(node, 'windowH'),
      n(node, 'strideH'),
    )
    const columns = fits(
      width + n(node, 'padLeft') + n(node, 'padRight'),
      n(node, 'windowW'),
      n(node, 'strideW'),
    )
    return {
      dtype: x.dtype,
      shape: [images, rows, columns, channels],
      at([image = 0, i = 0, j = 0, channel = 0]) {
        const entries: bigint[] = []
        for (const u of counted(n(node, 'windowH'))) {
          for (const v of counted(n(node, 'windowW'))) {
            const y = i * n(node, 'strideH') + u - n(node, 'padTop')
            const z = j * n(node, 'strideW') + v - n(node, 'padLeft')
            if (y >= 0 && y < height && z >= 0 && z < width) entries.push(x.at(image, y, z, channel))
          }
        }
        return choose(entries)
      },
    }
  }
}

function norm(centred: boolean): Rule {
  return (node, x, gain) => {
    if (x === undefined || gain === undefined) throw new Error('two operands')
    return map(x, 'i32', (entry, place) => {
      const numbers = row(x, place)
      const count = BigInt(numbers.length)
      const mean = centred ? nearest(16n * sum(numbers), count) : 0n
      const squares = sum(numbers.map((number) => (16n * number - mean) ** 2n))
      const root = squareRoot(floor(256n * squares, count) + BigInt(n(node, 'epsilon')))
      const scaled = 16n * (16n * entry - mean) * gain.at(place.at(-1) ?? -1)
      return cut(nearest(scaled, root * 2n ** BigInt(n(node, 'shift'))), -32_768n, 32_767n)
    })
  }
}

/** Indices of the last axis, the largest entry first, equal ones in their order. */
function order(x: Big, place: Place): number[] {
  const numbers = row(x, place)
  return counted(numbers.length).toSorted((one, other) => {
    const [left = 0n, right = 0n] = [numbers[one], numbers[other]]
    return left === right ? one - other : left > right ? -1 : 1
  })
}

const rules: Readonly<Record<string, Rule>> = {
  matmul(node, a, b) {
    if (a === undefined || b === undefined) throw new Error('two operands')
    const k = a.shape.at(-1) ?? 0
    const flip = Boolean(node.transposeB)
    const columns = b.shape.at(flip ? -2 : -1) ?? 0
    return {
      dtype: 'i32',
      shape: [...a.shape.slice(0, -1), columns],
      at(place) {
        const leading = place.slice(0, -2)
        const [i = 0, j = 0] = place.slice(-2)
        const inB = b.shape.length === 2 ? [] : leading
        const entry = (x: number) => b.at(...inB, ...(flip ? [j, x] : [x, j]))
        return sum(counted(k).map((x) => a.at(...leading, i, x) * entry(x)))
      },
    }
  },
  conv2d(node, x, w) {
    if (x === undefined || w === undefined) throw new Error('two operands')
    const [images = 0, height = 0, width = 0] = x.shape
    const [outputs = 0, kernelH = 0, kernelW = 0, part = 0] = w.shape
    const size = (extent: number, kernel: number, stride: number, dilation: number) => {
      let count = 0
      while (count * stride + (kernel - 1) * dilation < extent) count++
      return count
    }
    const paddedH = height + n(node, 'padTop') + n(node, 'padBottom')
    const paddedW = width + n(node, 'padLeft') + n(node, 'padRight')
    const perGroup = outputs / n(node, 'groups')
    return {
      dtype: 'i32',
      shape: [
        images,
        size(paddedH, kernelH, n(node, 'strideH'), n(node, 'dilationH')),
        size(paddedW, kernelW, n(node, 'strideW'), n(node, 'dilationW')),
        outputs,
      ],
      at([image = 0, i = 0, j = 0, output = 0]) {
        const terms: bigint[] = []
        for (const u of counted(kernelH)) {
          for (const v of counted(kernelW)) {
            for (const c of counted(part)) {
              const y = i * n(node, 'strideH') + u * n(node, 'dilationH') - n(node, 'padTop')
              const z = j * n(node, 'strideW') + v * n(node, 'dilationW') - n(node, 'padLeft')
              const channel = Math.floor(output / perGroup) * part + c
              const isInside = y >= 0 && y < height && z >= 0 && z < width
              const entry = isInside ? x.at(image, y, z, channel) : BigInt(n(node, 'padValue'))
              terms.push(entry * w.at(output, u, v, c))
            }
          }
        }
        return sum(terms)
      },
    }
  },
  bias: (_, x, b) => map(x as Big, 'i32', (entry, place) => entry + (b as Big).at(place.at(-1) ?? -1)),
  requantize(node, x) {
    const [multiplier, shift, zero] = [n(node, 'multiplier'), n(node, 'shift'), n(node, 'zeroPoint')].map(
      BigInt,
    )
    const to = node.to as Dtype
    return map(x as Big, to, (entry) => requantized(entry, multiplier ?? 0n, shift ?? 0n, zero ?? 0n, to))
  },
  requantizeChannels(node, x, multipliers, shifts) {
    const to = node.to as Dtype
    const zeroPoint = BigInt(n(node, 'zeroPoint'))
    return map(x as Big, to, (entry, place) => {
      const channel = place.at(-1) ?? -1
      return requantized(entry, (multipliers as Big).at(channel), (shifts as Big).at(channel), zeroPoint, to)
    })
  },
  add: binary((x, y) => x + y),
  subtract: binary((x, y) => x - y),
  multiply: binary((x, y) => x * y),
  relu: (_, x) => map(x as Big, (x as Big).dtype, (entry) => (entry > 0n ? entry : 0n)),
  clamp(node, x) {
    const [low = 0n, high = 0n] = [n(node, 'min'), n(node, 'max')].map(BigInt)
    return map(x as Big, (x as Big).dtype, (entry) => cut(entry, low, high))
  },
  lookup(_, x, table) {
    const first = lowest((x as Big).dtype)
    return map(x as Big, (table as Big).dtype, (entry) => (table as Big).at(Number(entry - first)))
  },
  softmax(_, x, table) {
    return map(x as Big, 'u8', (entry, place) => {
      const numbers = row(x as Big, place)
      const top = largest(numbers)
      const weight = (number: bigint) => (table as Big).at(Number(cut(top - number, 0n, 255n)))
      const total = sum(numbers.map(weight))
      return total === 0n ? 0n : nearest(255n * weight(entry), total)
    })
  },
  rmsNorm: norm(false),
  layerNorm: norm(true),
  rotary(node, x, cos, sin) {
    if (x === undefined || cos === undefined || sin === undefined) throw new Error('three operands')
    const half = (x.shape.at(-1) ?? 0) / 2
    const divisor = 2n ** BigInt(n(node, 'shift'))
    return map(x, x.dtype, (_, place) => {
      const others = place.slice(0, -1)
      const position = others.at(-1) ?? -1
      const last = place.at(-1) ?? -1
      const isInterleaved = Boolean(node.interleaved)
      const pair = isInterleaved ? Math.floor(last / 2) : last % half
      const isFirst = isInterleaved ? last % 2 === 0 : last < half
      const [p, q] = isInterleaved ? [2 * pair, 2 * pair + 1] : [pair, pair + half]
      const [a, b] = [x.at(...others, p), x.at(...others, q)]
      const [c, s] = [cos.at(position, pair), sin.at(position, pair)]
      return saturated(nearest(isFirst ? a * c - b * s : a * s + b * c, divisor), x.dtype)
    })
  },
  gather(_, table, indices) {
    if (table === undefined || indices === undefined) throw new Error('two operands')
    const rank = indices.shape.length
    return {
      dtype: table.dtype,
      shape: [...indices.shape, ...table.shape.slice(1)],
      at: (place) => table.at(Number(indices.at(...place.slice(0, rank))), ...place.slice(rank)),
    }
  },
  transpose(node, x) {
    if (x === undefined) throw new Error('one operand')
    const permutation = node.permutation as readonly number[]
    return {
      dtype: x.dtype,
      shape: permutation.map((axis) => x.shape[axis] ?? -1),
      at: (place) => x.at(...x.shape.map((_, axis) => place[permutation.indexOf(axis)] ?? -1)),
    }
  },
  reshape(node, x) {
    if (x === undefined) throw new Error('one operand')
    const shape = node.shape as readonly number[]
    return {
      dtype: x.dtype,
      shape,
      at(place) {
        let index = place.reduce((sofar, coordinate, axis) => sofar * (shape[axis] ?? 0) + coordinate, 0)
        const inX: number[] = []
        for (const size of x.shape.toReversed()) {
          inX.unshift(index % size)
          index = Math.floor(index / size)
        }
        return x.at(...inX)
      },
    }
  },
  slice(node, x) {
    if (x === undefined) throw new Error('one operand')
    const { starts, sizes, steps } = node as unknown as Record<string, readonly number[]>
    return {
      dtype: x.dtype,
      shape: sizes ?? [],
      at: (place) => x.at(...place.map((at, axis) => (starts?.[axis] ?? 0) + at * (steps?.[axis] ?? 0))),
    }
  },
  concat(node, ...xs) {
    const axis = n(node, 'axis')
    const shape = [...(xs[0]?.shape ?? [])]
    shape[axis] = xs.reduce((total, x) => total + (x.shape[axis] ?? 0), 0)
    return {
      dtype: xs[0]?.dtype ?? 'i8',
      shape,
      at(place) {
        const inside = [...place]
        for (const x of xs) {
          const size = x.shape[axis] ?? 0
          const coordinate = inside[axis] ?? 0
          if (coordinate < size) return x.at(...inside)
          inside[axis] = coordinate - size
        }
        throw new Error(`${place} lies in none`)
      },
    }
  },
  maxPool: pool(largest),
  averagePool: pool((entries) => nearest(sum(entries), BigInt(entries.length))),
  argmax(_, x) {
    if (x === undefined) throw new Error('one operand')
    const isRow = x.shape.length === 1
    const shape = isRow ? [1] : x.shape.slice(0, -1)
    return { dtype: 'u32', shape, at: (place) => BigInt(order(x, isRow ? [] : [...place, 0])[0] ?? -1) }
  },
  topK(node, x) {
    if (x === undefined) throw new Error('one operand')
    const wantsValues = String(node.result) === 'values'
    return {
      dtype: wantsValues ? x.dtype : 'u32',
      shape: [...x.shape.slice(0, -1), n(node, 'k')],
      at(place) {
        const index = order(x, place)[place.at(-1) ?? -1] ?? -1
        return wantsValues ? x.at(...place.slice(0, -1), index) : BigInt(index)
      },
    }
  },
  ema(node, x) {
    const scale = 2n ** BigInt(n(node, 'fraction'))
    const alpha = BigInt(n(node, 'alpha'))
    return map(x as Big, (x as Big).dtype, (_, [time = 0, ...others]) => {
      let state = (x as Big).at(0, ...others) * scale
      for (let t = 1; t <= time; t++) {
        state += nearest(((x as Big).at(t, ...others) * scale - state) * alpha, 65_536n)
      }
      return nearest(state, scale)
    })
  },
  convert: (node, x) => map(x as Big, node.to as Dtype, (entry) => entry),
}

function places(shape: Shape): number[][] {
  return shape.reduce<number[][]>(
    (sofar, size) => sofar.flatMap((place) => counted(size).map((coordinate) => [...place, coordinate])),
    [[]],
  )
}

export interface Expected {
  readonly dtype: Dtype
  readonly shape: Shape
  readonly entries: readonly bigint[]
}

export function byFormula(
  node: Node | { readonly op: OperationName },
  operands: readonly Tensor[],
): Expected {
  const rule = rules[node.op]
  if (rule === undefined) throw new Error(`there is no formula for ${node.op}`)
  const { dtype, shape, at } = rule(node as unknown as Attributes, ...operands.map(big))
  return { dtype, shape, entries: places(shape).map(at) }
}
