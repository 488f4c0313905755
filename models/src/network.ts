/**
 * Small networks that learn by stochastic gradient descent, written to be read: a layer goes forward for one image, and back
 * with the gradient of its result, adding up the gradients of its own weights.
 */

export interface Weights {
  readonly values: Float32Array
  readonly gradients: Float32Array
  readonly momenta: Float32Array
}

export interface Layer {
  /** What the layer is, for whoever writes it to a file. */
  readonly kind: 'conv' | 'dense' | 'relu' | 'pool'
  readonly weights: readonly Weights[]
  forward(x: Float32Array): Float32Array
  /** From the gradient of the last result to that of what was given for it. */
  backward(gradient: Float32Array): Float32Array
}

function createWeights(size: number, spread: number, draw: () => number): Weights {
  // The sum of twelve draws is nearly normal, with a spread of one.
  const normal = () => Array.from({ length: 12 }, draw).reduce((sum, one) => sum + one, -6)
  return {
    values: Float32Array.from({ length: size }, () => spread * normal()),
    gradients: new Float32Array(size),
    momenta: new Float32Array(size),
  }
}

const at = (values: Float32Array, index: number): number => values[index] as number

/** Weights [outputs, inputs]. */
export function createDense(inputs: number, outputs: number, draw: () => number): Layer {
  const matrix = createWeights(inputs * outputs, Math.sqrt(2 / inputs), draw)
  const bias = createWeights(outputs, 0, draw)
  let last = new Float32Array(0)
  return {
    kind: 'dense',
    weights: [matrix, bias],
    forward(x) {
      last = Float32Array.from(x)
      return Float32Array.from(bias.values, (start, output) => {
        let sum = start
        for (let input = 0; input < inputs; input++) {
          sum += at(matrix.values, output * inputs + input) * at(x, input)
        }
        return sum
      })
    },
    backward(gradient) {
      const back = new Float32Array(inputs)
      for (let output = 0; output < outputs; output++) {
        const slope = at(gradient, output)
        bias.gradients[output] = at(bias.gradients, output) + slope
        for (let input = 0; input < inputs; input++) {
          const index = output * inputs + input
          matrix.gradients[index] = at(matrix.gradients, index) + slope * at(last, input)
          back[input] = at(back, input) + slope * at(matrix.values, index)
        }
      }
      return back
    },
  }
}

export function createRelu(): Layer {
  let last = new Float32Array(0)
  return {
    kind: 'relu',
    weights: [],
    forward(x) {
      last = Float32Array.from(x)
      return x.map((entry) => Math.max(entry, 0))
    },
    backward: (gradient) => gradient.map((slope, index) => (at(last, index) > 0 ? slope : 0)),
  }
}

/** The largest of each two by two, for images of an even size. */
export function createPool(channels: number, size: number): Layer {
  const half = size / 2
  const winners = new Uint32Array(channels * half * half)
  return {
    kind: 'pool',
    weights: [],
    forward(x) {
      const result = new Float32Array(winners.length)
      for (let index = 0; index < result.length; index++) {
        const [row, column] = [Math.floor(index / half), index % half]
        const first = 2 * row * size + 2 * column
        let best = first
        for (const other of [first + 1, first + size, first + size + 1]) {
          if (at(x, other) > at(x, best)) best = other
        }
        winners[index] = best
        result[index] = at(x, best)
      }
      return result
    },
    backward(gradient) {
      const back = new Float32Array(channels * size * size)
      for (const [index, winner] of winners.entries()) back[winner] = at(back, winner) + at(gradient, index)
      return back
    },
  }
}

/** Weights [outputs, inputs, 3, 3] over images of `size`, with a border of zeros of one. */
export function createConv(inputs: number, outputs: number, size: number, draw: () => number): Layer {
  const kernel = createWeights(outputs * inputs * 9, Math.sqrt(2 / (9 * inputs)), draw)
  const bias = createWeights(outputs, 0, draw)
  const area = size * size
  let last = new Float32Array(0)
  /** Every weight with the parts of the planes that it joins, row by row: from, to, and how many. */
  const eachRow = (visit: (weight: number, from: number, to: number, count: number) => void) => {
    for (let output = 0; output < outputs; output++) {
      for (let input = 0; input < inputs; input++) {
        for (let tap = 0; tap < 9; tap++) {
          const [down, right] = [Math.floor(tap / 3) - 1, (tap % 3) - 1]
          const first = Math.max(-right, 0)
          const count = size - Math.abs(right)
          for (let row = Math.max(-down, 0); row < Math.min(size - down, size); row++) {
            const from = input * area + (row + down) * size + first + right
            visit((output * inputs + input) * 9 + tap, from, output * area + row * size + first, count)
          }
        }
      }
    }
  }
  return {
    kind: 'conv',
    weights: [kernel, bias],
    forward(x) {
      last = Float32Array.from(x)
      const result = new Float32Array(outputs * area)
      for (let index = 0; index < result.length; index++)
        result[index] = at(bias.values, Math.floor(index / area))
      eachRow((weight, from, to, count) => {
        const factor = at(kernel.values, weight)
        for (let step = 0; step < count; step++) {
          result[to + step] = at(result, to + step) + factor * at(x, from + step)
        }
      })
      return result
    },
    backward(gradient) {
      for (const [index, slope] of gradient.entries()) {
        const output = Math.floor(index / area)
        bias.gradients[output] = at(bias.gradients, output) + slope
      }
      const back = new Float32Array(inputs * area)
      eachRow((weight, from, to, count) => {
        const factor = at(kernel.values, weight)
        let sum = 0
        for (let step = 0; step < count; step++) {
          const slope = at(gradient, to + step)
          sum += slope * at(last, from + step)
          back[from + step] = at(back, from + step) + factor * slope
        }
        kernel.gradients[weight] = at(kernel.gradients, weight) + sum
      })
      return back
    },
  }
}

export function forward(layers: readonly Layer[], image: Float32Array): Float32Array {
  return layers.reduce((x, layer) => layer.forward(x), image)
}

/** Goes forward and back with one image; the loss is the surprise at its label. */
export function learnFrom(layers: readonly Layer[], image: Float32Array, label: number): number {
  const scores = forward(layers, image)
  const largest = Math.max(...scores)
  const weights = scores.map((score) => Math.exp(score - largest))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const shares = weights.map((weight) => weight / sum)
  const slopes: Float32Array = shares.map((share, index) => share - (index === label ? 1 : 0))
  let gradient = slopes
  for (const layer of layers.toReversed()) gradient = layer.backward(gradient)
  return -Math.log(Math.max(at(shares, label), 1e-12))
}

const momentum = 0.9
const decay = 1e-4

/** Moves all weights down the mean gradient of `count` images. */
export function step(layers: readonly Layer[], rate: number, count: number): void {
  for (const { values, gradients, momenta } of layers.flatMap(({ weights }) => weights)) {
    for (let index = 0; index < values.length; index++) {
      const slope = at(gradients, index) / count + decay * at(values, index)
      momenta[index] = momentum * at(momenta, index) - rate * slope
      values[index] = at(values, index) + at(momenta, index)
    }
    gradients.fill(0)
  }
}
