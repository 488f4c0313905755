/** Operators that only rearrange: most cost nothing, since axes are turned and images unfolded only where somebody looks. */
import { axisOf, intOf, intsOf } from '../attributes.ts'
import type { GraphNode } from '../graph.ts'
import {
  arranged,
  type Codes,
  type Constant,
  type Integers,
  isOrdered,
  type Lowered,
  plainOrder,
  type Real,
  shapeOf,
} from '../lower/lowered.ts'
import { asCodes, isUniform, oneScale, requantized, turnedReal } from '../lower/real.ts'
import type { Scene } from '../lower/scene.ts'
import { checkedSize, createData, type OnnxTensor, sizeOf } from '../onnx/tensor.ts'
import { refuse } from '../refusal.ts'
import { given, numbersOf, type Operands, type Operator, realAt, requiredConstant } from './operator.ts'

type Shaped = Integers | Real

function shapedAt(node: GraphNode, operands: Operands<Lowered>): Shaped {
  const value = given(node, operands, 0)
  return value.kind === 'integers' ? value : realAt(node, operands, 0)
}

/** The same entries under another ONNX shape. Rows of an image become columns as they lie, and say so. */
function reshaped(scene: Scene, { label }: GraphNode, value: Shaped, shape: readonly number[]): Shaped {
  const before = shapeOf(value)
  if (sizeOf(before) !== sizeOf(shape)) {
    refuse('inconsistent', label, `cannot see [${before.join(',')}] as [${shape.join(',')}]`)
  }
  const order = plainOrder(shape.length)
  if (isOrdered(before, shape) && value.folded === undefined) return value
  const [batch] = shape
  const isFlat = shape.length === 2 && batch === before[0] && value.order[0] === 0
  if (isFlat && value.folded === undefined) {
    const { term } = value
    // With pixels of one place, columns are channels, and sums may keep a scale for each.
    const areChannels = term.shape.at(-1) === shape[1]
    const single = areChannels || value.kind === 'integers' ? value : oneScale(scene, value, label)
    const image = single.term
    const isTurned = !areChannels && !isOrdered(single.order, plainOrder(before.length))
    const folded = isTurned ? { shape: image.shape, order: single.order } : undefined
    return { ...single, term: image.reshape(shape), order, folded }
  }
  const plain = plainOrder(before.length)
  const single = value.kind === 'real' ? oneScale(scene, value, label) : value
  const { term } = arranged(single, plain)
  return { ...single, term: term.reshape(shape), order, folded: undefined }
}

function withShape(tensor: OnnxTensor, shape: readonly number[], { label }: GraphNode): OnnxTensor {
  if (sizeOf(tensor.shape) !== sizeOf(shape)) {
    refuse('inconsistent', label, `cannot see [${tensor.shape.join(',')}] as [${shape.join(',')}]`)
  }
  return { ...tensor, shape }
}

/** An operator that gives its operand another shape. `shapeFor` may read constants beside it. */
function shaping(
  attributes: readonly string[],
  operandsMax: number,
  shapeFor: (
    node: GraphNode,
    shape: readonly number[],
    numbers: readonly number[] | undefined,
  ) => readonly number[],
): Operator {
  return {
    attributes,
    operands: [1, operandsMax],
    evaluate(node, operands) {
      const x = given(node, operands, 0)
      const numbers = operands[1] === undefined ? undefined : numbersOf(operands[1])
      const shape = shapeFor(node, x.shape, numbers)
      checkedSize(shape, node.label)
      return withShape(x, shape, node)
    },
    lower(scene, node, operands) {
      const value = shapedAt(node, operands)
      const numbers =
        operands[1] === undefined ? undefined : numbersOf(requiredConstant(node, operands, 1).tensor)
      return reshaped(scene, node, value, shapeFor(node, shapeOf(value), numbers))
    },
  }
}

export const flatten = shaping(['axis'], 1, (node, shape) => {
  const axis = intOf(node, 'axis', 1)
  const first = axis === shape.length ? axis : axisOf(node, axis, shape.length)
  return [sizeOf(shape.slice(0, first)), sizeOf(shape.slice(first))]
})

export const reshape = shaping(['allowzero'], 2, (node, shape, numbers) => {
  const { label } = node
  const wanted = numbers ?? refuse('inconsistent', label, 'lacks its operand 1')
  if (intOf(node, 'allowzero', 0) !== 0) refuse('unsupported', label, "has 'allowzero'")
  const sizes = wanted.map((size, axis) => (size === 0 ? (shape[axis] ?? 0) : size))
  const open = sizes.filter((size) => size === -1).length
  if (open > 1) refuse('inconsistent', label, `leaves ${open} sizes of [${wanted.join(',')}] open`)
  const known = sizeOf(sizes.filter((size) => size !== -1))
  const rest = known === 0 ? 0 : sizeOf(shape) / known
  return sizes.map((size) => (size === -1 ? rest : size))
})

export const squeeze = shaping(['axes'], 2, (node, shape, numbers) => {
  const named = intsOf(node, 'axes') ?? numbers
  const axes = named?.map((axis) => axisOf(node, axis, shape.length))
  const odd = axes?.find((axis) => shape[axis] !== 1)
  if (odd !== undefined) refuse('inconsistent', node.label, `takes away axis ${odd} of size ${shape[odd]}`)
  return shape.filter((size, axis) => (axes === undefined ? size !== 1 : !axes.includes(axis)))
})

export const unsqueeze = shaping(['axes'], 2, (node, shape, numbers) => {
  const named = intsOf(node, 'axes') ?? numbers ?? []
  const rank = shape.length + named.length
  const axes = named.map((axis) => axisOf(node, axis, rank))
  const sizes = [...shape]
  return Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : (sizes.shift() ?? 1)))
})

function permutationOf(node: GraphNode, rank: number): readonly number[] {
  const named = intsOf(node, 'perm') ?? plainOrder(rank).toReversed()
  const isOne = named.length === rank && plainOrder(rank).every((axis) => named.includes(axis))
  return isOne ? named : refuse('inconsistent', node.label, `has [${named.join(',')}] for ${rank} axes`)
}

function transposedTensor(tensor: OnnxTensor, permutation: readonly number[]): OnnxTensor {
  const { dtype, data } = tensor
  const shape = permutation.map((axis) => tensor.shape[axis] ?? 1)
  const along = tensor.shape.map((_, axis) => sizeOf(tensor.shape.slice(axis + 1)))
  const turned = createData(dtype, data.length)
  for (let index = 0; index < data.length; index++) {
    let [rest, from] = [index, 0]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] as number
      from += (rest % size) * (along[permutation[axis] as number] as number)
      rest = Math.floor(rest / size)
    }
    turned[index] = data[from] as number
  }
  return { dtype, shape, data: turned }
}

function transposedCodes(codes: Codes, permutation: readonly number[]): Codes {
  const axis = codes.axis === undefined ? undefined : permutation.indexOf(codes.axis)
  return { ...codes, tensor: transposedTensor(codes.tensor, permutation), axis }
}

export const transpose: Operator = {
  attributes: ['perm'],
  operands: [1, 1],
  evaluate(node, operands) {
    const x = given(node, operands, 0)
    return transposedTensor(x, permutationOf(node, x.shape.length))
  },
  lower(scene, node, operands) {
    const value = shapedAt(node, operands)
    const permutation = permutationOf(node, value.order.length)
    const plain = value.folded === undefined ? value : unfolded(scene, value, node.label)
    return { ...plain, order: plain.order.map((axis) => permutation.indexOf(axis)) }
  },
}

/** Weights that were dequantized stay the integers that they are. */
export function transposedConstant(node: GraphNode, { tensor, codes }: Constant): Constant {
  const permutation = permutationOf(node, tensor.shape.length)
  return {
    kind: 'constant',
    tensor: transposedTensor(tensor, permutation),
    codes: codes === undefined ? undefined : transposedCodes(codes, permutation),
  }
}

function unfolded(scene: Scene, value: Shaped, label: string): Shaped {
  if (value.kind === 'real') return turnedReal(scene, value, plainOrder(value.order.length), label)
  return { ...value, ...arranged(value, plainOrder(value.order.length)) }
}

/** A value as it is. */
function passing(attributes: readonly string[], operandsMax: number): Operator {
  return {
    attributes,
    operands: [1, operandsMax],
    evaluate: (node, operands) => given(node, operands, 0),
    lower: (_scene, node, operands) => given(node, operands, 0),
  }
}

export const identity = passing([], 1)

const dropping = passing(['ratio', 'seed'], 3)

/** Outside training nothing is dropped. */
export const dropout: Operator = {
  ...dropping,
  lower(scene, node, operands) {
    const training = operands[2]
    if (training !== undefined && !(training.kind === 'constant' && training.tensor.data[0] === 0)) {
      refuse('unsupported', node.label, 'is in training mode')
    }
    return dropping.lower(scene, node, operands)
  },
}

export const concat: Operator = {
  attributes: ['axis'],
  operands: [1, 64],
  evaluate(node, operands) {
    const tensors = operands.map((_, index) => given(node, operands, index))
    const [first] = tensors
    if (first === undefined) return refuse('inconsistent', node.label, 'lacks its operand 0')
    const axis = axisOf(node, intOf(node, 'axis', 0), first.shape.length)
    const size = tensors.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), 0)
    for (const { shape } of tensors) {
      const fits =
        shape.length === first.shape.length &&
        shape.every((own, at) => at === axis || own === first.shape[at])
      if (!fits) {
        refuse('inconsistent', node.label, `joins [${first.shape.join(',')}] and [${shape.join(',')}]`)
      }
    }
    const shape = first.shape.with(axis, size)
    const data = createData(first.dtype, checkedSize(shape, node.label))
    const inner = sizeOf(shape.slice(axis + 1))
    const outer = sizeOf(shape.slice(0, axis))
    let before = 0
    for (const tensor of tensors) {
      const own = (tensor.shape[axis] ?? 0) * inner
      for (let row = 0; row < outer; row++) {
        data.set(tensor.data.subarray(row * own, (row + 1) * own), row * size * inner + before)
      }
      before += own
    }
    return { dtype: first.dtype, shape, data }
  },
  lower(scene, node, operands) {
    const { label } = node
    const reals = operands.map((_, index) => realAt(node, operands, index))
    const [first] = reals
    if (first === undefined) return refuse('inconsistent', label, 'lacks its operand 0')
    const axis = axisOf(node, intOf(node, 'axis', 0), first.order.length)
    const [name = ''] = node.outputs
    const target = scene.targetOf(name)
    const order = first.folded === undefined ? first.order : plainOrder(first.order.length)
    const bytes = reals.map((real) => {
      // Each rounds once, to the scale that all of them share.
      const codes =
        target === undefined ? asCodes(scene, real, label) : requantized(scene, real, target, label)
      return turnedReal(scene, codes, order, label)
    })
    const [one] = bytes
    if (one === undefined) throw new Error('there is an operand')
    const isAlike = bytes.every((real) => {
      return (
        real.term.dtype === one.term.dtype &&
        real.scales[0] === one.scales[0] &&
        real.zeroPoint === one.zeroPoint
      )
    })
    if (!isAlike || !isUniform(one)) {
      refuse('uncalibrated', label, `joins values of different scales, and nobody has said one for '${name}'`)
    }
    const terms = bytes.map(({ term }) => term)
    return { ...one, term: scene.builder.concat(terms, order.indexOf(axis)) }
  },
}

/** Integers are real numbers of scale 1. */
const castKinds: ReadonlyMap<number, 'real' | 'i32'> = new Map([
  [1, 'real'],
  [10, 'real'],
  [11, 'real'],
  [6, 'i32'],
])

export const cast: Operator = {
  attributes: ['to', 'saturate', 'round_mode'],
  operands: [1, 1],
  evaluate(node, operands) {
    const x = given(node, operands, 0)
    const kind = castKinds.get(intOf(node, 'to', 0))
    if (kind === 'real') return { dtype: 'f32', shape: x.shape, data: Float32Array.from(x.data) }
    const isWhole = x.data.every((entry) => Number.isInteger(entry))
    if (kind === 'i32' && isWhole) return { dtype: 'i32', shape: x.shape, data: Int32Array.from(x.data) }
    return refuse('unsupported', node.label, `casts to the ONNX data type ${intOf(node, 'to', 0)}`)
  },
  lower(_scene, node, operands) {
    const value = shapedAt(node, operands)
    const kind = castKinds.get(intOf(node, 'to', 0))
    if (kind === 'real' && value.kind === 'real') return value
    if (kind === 'real' && value.kind === 'integers') {
      const { term, order, folded } = value
      const isWide = term.dtype === 'u32'
      const free = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY }
      return {
        kind: 'real',
        term: isWide ? term.convert('i32') : term,
        order,
        folded,
        scales: [1],
        zeroPoint: 0,
        ...free,
        name: '',
      }
    }
    if (kind === 'i32' && value.kind === 'integers') {
      return { ...value, term: value.term.dtype === 'i32' ? value.term : value.term.convert('i32') }
    }
    return refuse('unsupported', node.label, `casts to the ONNX data type ${intOf(node, 'to', 0)}`)
  },
}
