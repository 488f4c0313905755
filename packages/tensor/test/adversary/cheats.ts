/**
 * The ways to cheat, by name: what the adversary claims, and which mechanism at which node has to catch it. A cheat is
 * caught by that and by nothing before it, or the table is wrong; that a digest differs from the honest one is no reason.
 */
import type { Mechanism } from '../../src/check/verdict.ts'
import { checkModulus } from '../../src/modulus.ts'
import { evaluateNode } from '../../src/program/evaluate.ts'
import { inferProgram } from '../../src/program/inference.ts'
import { entryAt, type Tensor } from '../../src/tensor.ts'
import {
  type Attempt,
  alone,
  attempt,
  claimOf,
  commitTo,
  entriesOf,
  honest,
  honestClaim,
  type Image,
  onward,
  packLoosely,
  tamperWithOutput,
  tamperWithPart,
} from './claims.ts'
import { forgeryFor } from './forgery.ts'
import {
  at,
  bytesOf,
  change,
  execute,
  input,
  noise,
  offsets,
  otherInput,
  program,
  rangeOf,
  weights,
} from './scene.ts'

export interface Cheat {
  readonly name: string
  readonly attempt: () => Attempt
  readonly caughtBy: Mechanism
  /** Absent where no node is at fault but the claim as a whole. */
  readonly node?: number | undefined
}

type Claimed = Attempt['claim']

function cheat(name: string, caughtBy: Mechanism, node: number | undefined, claim: () => Claimed): Cheat {
  return { name, caughtBy, node, attempt: () => attempt(claim()) }
}

const p = checkModulus
const { convolution, channels, lookup, first, narrow, second, result, positive, scores, last, bias, small } =
  at
/** The products by name, each with an entry to tamper with. */
const products = { convolution, first, second, scores } as const
const eachProduct = <T>(make: (name: keyof typeof products, node: number) => T): T[] =>
  (Object.keys(products) as (keyof typeof products)[]).map((name) => make(name, products[name]))

const only = (place: number, image: (entry: number) => number): Image => {
  return (entry, index) => (index === place ? image(entry) : entry)
}
const map = (image: Image) => (tensor: Tensor) => change(tensor, image)

/** A matrix of rows of `columns`, read in another order. */
const permuted = (
  columns: number,
  order: (row: number, column: number) => readonly [number, number],
): Image => {
  return (_entry, index, all) => {
    const [row, column] = order(Math.floor(index / columns), index % columns)
    return entryAt(all, row * columns + column)
  }
}
const swap = (one: number, other: number) => (index: number) =>
  index === one ? other : index === other ? one : index

/** A node as its reference has it, but with another node or other operands. */
function instead(
  node: number,
  changed: object,
  operands?: (honestly: readonly Tensor[]) => readonly Tensor[],
) {
  const other = {
    ...program,
    nodes: program.nodes.map((one, index) => (index === node ? { ...one, ...changed } : one)),
  }
  const value = inferProgram(program).values[8 + node]
  if (value === undefined) throw new Error(`there is no node ${node}`)
  return (_honestly: Tensor, given: readonly Tensor[]) =>
    evaluateNode(other, node, operands?.(given) ?? given, value)
}

/** The sums of a product in the order of k, as some accumulator has them. */
function accumulated(node: number, add: (sum: number, product: number, inner: number) => number) {
  return (honestly: Tensor, [a, b]: readonly Tensor[]) => {
    const transposed = (program.nodes[node] as { transposeB: boolean }).transposeB
    return change(honestly, (_entry, index) => {
      const [row, column] = [Math.floor(index / 15), index % 15]
      let sum = 0
      for (let inner = 0; inner < 15; inner++) {
        const right = transposed ? column * 15 + inner : inner * 15 + column
        sum = add(
          sum,
          entryAt((a as Tensor).data, row * 15 + inner) * entryAt((b as Tensor).data, right),
          inner,
        )
      }
      return sum
    })
  }
}

const halfFloat = (value: number): number => {
  const exponent = 2 ** (Math.floor(Math.log2(Math.abs(value) || 1)) - 10)
  return Math.round(value / exponent) * exponent
}

const flips: readonly Cheat[] = [
  ...eachProduct((name, node) =>
    cheat(`the lowest bit of one sum flipped, ${name}`, 'projection', node, () =>
      alone(
        node,
        only(7, (entry) => entry ^ 1),
      ),
    ),
  ),
  ...eachProduct((name, node) =>
    cheat(`bit 30 of one sum flipped, ${name}`, 'range', node, () =>
      alone(
        node,
        only(7, (entry) => entry ^ (1 << 30)),
      ),
    ),
  ),
  ...eachProduct((name, node) =>
    cheat(`the sign of one sum flipped, ${name}`, 'projection', node, () =>
      alone(
        node,
        only(7, (entry) => -entry),
      ),
    ),
  ),
  cheat('one bit flipped early, all that follows computed from it', 'projection', convolution, () =>
    onward(convolution, map(only(31, (entry) => entry ^ (1 << 14)))),
  ),
  cheat('one bit flipped in an activation, all that follows computed from it', 'projection', second, () =>
    onward(narrow, map(only(31, (entry) => entry ^ 2))),
  ),
  cheat('one bit flipped in an output that is replayed', 'replay', result, () =>
    tamperWithOutput((output) => output.with(offsets.result + 3, (output[offsets.result + 3] ?? 0) ^ 1)),
  ),
  cheat('one bit flipped in the last byte of the output', 'replay', last, () =>
    tamperWithOutput((output) => output.with(output.length - 1, (output.at(-1) ?? 0) ^ 64)),
  ),
  cheat('one bit flipped among the packed ones', 'projection', first, () =>
    tamperWithPart(1, (part) => part.with(40, (part[40] ?? 0) ^ 1)),
  ),
]

const orders: readonly Cheat[] = [
  cheat('two rows swapped', 'projection', first, () =>
    onward(first, map(permuted(15, (row, column) => [swap(1, 3)(row), column]))),
  ),
  cheat('two columns swapped', 'projection', first, () =>
    onward(first, map(permuted(15, (row, column) => [row, swap(0, 14)(column)]))),
  ),
  cheat('two entries of one row swapped', 'projection', second, () =>
    onward(second, map(permuted(15, (row, column) => [row, row === 2 ? swap(4, 5)(column) : column]))),
  ),
  cheat('two channels of the convolution swapped', 'projection', convolution, () =>
    onward(convolution, map(permuted(3, (row, column) => [row, swap(0, 2)(column)]))),
  ),
  cheat('two pixels of the convolution swapped', 'projection', convolution, () =>
    onward(convolution, map(permuted(3, (row, column) => [swap(6, 7)(row), column]))),
  ),
  cheat('the result transposed', 'projection', scores, () =>
    onward(
      scores,
      map((_entry, index, all) => {
        const [slice, row, column] = [Math.floor(index / 9) * 9, Math.floor(index / 3) % 3, index % 3]
        return entryAt(all, slice + 3 * column + row)
      }),
    ),
  ),
  cheat('the result backwards', 'projection', second, () =>
    onward(
      second,
      map((_entry, index, all) => entryAt(all, 74 - index)),
    ),
  ),
  cheat('two products of the batch swapped', 'projection', scores, () =>
    onward(scores, map(permuted(9, (slice, entry) => [swap(1, 2)(slice), entry]))),
  ),
  cheat('one product for the whole batch', 'projection', scores, () =>
    onward(scores, map(permuted(9, (_slice, entry) => [0, entry]))),
  ),
  cheat('one row for all', 'projection', first, () =>
    onward(first, map(permuted(15, (_row, column) => [0, column]))),
  ),
]

const moduli: readonly Cheat[] = [
  ...eachProduct((name, node) =>
    cheat(`one sum raised by p, ${name}`, 'range', node, () => onward(node, map(raised(node, p)))),
  ),
  ...eachProduct((name, node) =>
    cheat(`one sum lowered by p, ${name}`, 'range', node, () => onward(node, map(raised(node, -p)))),
  ),
  // In 32 bits, C + 2p is C − 2 and C − 2p is C + 2.
  ...eachProduct((name, node) =>
    cheat(`one sum raised by 2p, ${name}`, 'projection', node, () =>
      onward(node, map(only(4, (entry) => (entry + 2 * p) | 0))),
    ),
  ),
  ...eachProduct((name, node) =>
    cheat(`one sum lowered by 2p, ${name}`, 'projection', node, () =>
      onward(node, map(only(4, (entry) => (entry - 2 * p) | 0))),
    ),
  ),
  cheat('one sum of a row raised by p and another lowered', 'range', first, () => {
    const row = entriesOf(first).slice(0, 15)
    const [low, high] = [row.findIndex((entry) => entry < 0), row.findIndex((entry) => entry > 0)]
    return onward(
      first,
      map((entry, index) => entry + (index === low ? p : index === high ? -p : 0)),
    )
  }),
  cheat('every sum moved by p', 'range', second, () =>
    onward(
      second,
      map((entry) => (entry < 0 ? entry + p : entry - p)),
    ),
  ),
  cheat('the base of a part moved by p', 'encoding', second, () =>
    tamperWithPart(2, (part) => {
      const view = new DataView(part.buffer)
      view.setInt32(0, view.getInt32(0, true) + p, true)
      return part
    }),
  ),
  cheat('the base of a part moved by one', 'projection', second, () =>
    tamperWithPart(2, (part) => part.with(0, (part[0] ?? 0) + 1)),
  ),
]

/** An entry of the sign that has room for it. */
function raised(node: number, by: number): Image {
  const place = entriesOf(node).findIndex((entry) => Math.sign(entry) === -Math.sign(by))
  return only(place, (entry) => entry + by)
}

const edges: readonly Cheat[] = [
  ...eachProduct((name, node) =>
    cheat(`one sum at the top of its range, ${name}`, 'projection', node, () =>
      alone(
        node,
        only(0, () => rangeOf(node).max),
      ),
    ),
  ),
  ...eachProduct((name, node) =>
    cheat(`one sum just above its range, ${name}`, 'range', node, () =>
      alone(
        node,
        only(0, () => rangeOf(node).max + 1),
      ),
    ),
  ),
  ...eachProduct((name, node) =>
    cheat(`one sum at the bottom of its range, ${name}`, 'projection', node, () =>
      alone(
        node,
        only(0, () => rangeOf(node).min),
      ),
    ),
  ),
  ...eachProduct((name, node) =>
    cheat(`one sum just below its range, ${name}`, 'range', node, () =>
      alone(
        node,
        only(0, () => rangeOf(node).min - 1),
      ),
    ),
  ),
  cheat('all sums at the top of their range', 'projection', first, () =>
    alone(first, () => rangeOf(first).max),
  ),
  cheat('all zeros in one product', 'projection', second, () => alone(second, () => 0)),
  cheat('all zeros, everywhere', 'projection', convolution, () => {
    const zero = map(() => 0)
    return claimOf(execute({ [convolution]: zero, [first]: zero, [second]: zero, [scores]: zero }))
  }),
  cheat('an output of zeros under an honest transcript', 'replay', result, () =>
    tamperWithOutput((output) => output.fill(0)),
  ),
  cheat('the honest sums plus one everywhere', 'projection', second, () =>
    alone(second, (entry) => entry + 1),
  ),
]

const arithmetic: readonly Cheat[] = [
  cheat('an accumulator that saturates at 16 bits', 'projection', first, () =>
    onward(
      first,
      accumulated(first, (sum, product) => Math.max(-32_768, Math.min(32_767, sum + product))),
    ),
  ),
  cheat('an accumulator that wraps at 16 bits', 'projection', first, () =>
    onward(
      first,
      accumulated(first, (sum, product) => ((sum + product) << 16) >> 16),
    ),
  ),
  cheat('an accumulator of half floats', 'projection', first, () =>
    onward(
      first,
      accumulated(first, (sum, product) => halfFloat(sum + product)),
    ),
  ),
  cheat('the last term of k left out', 'projection', second, () =>
    onward(
      second,
      accumulated(second, (sum, product, inner) => (inner === 14 ? sum : sum + product)),
    ),
  ),
  cheat('the first term of k added twice', 'projection', second, () =>
    onward(
      second,
      accumulated(second, (sum, product, inner) => sum + product * (inner === 0 ? 2 : 1)),
    ),
  ),
  cheat('half of k, doubled', 'projection', second, () =>
    onward(
      second,
      accumulated(second, (sum, product, inner) => sum + (inner < 7 ? 2 * product : 0)),
    ),
  ),
  cheat('the parts of k added in the wrong order of columns', 'projection', first, () =>
    onward(
      first,
      instead(first, {}, ([a, b]) => [
        a as Tensor,
        change(
          b as Tensor,
          permuted(15, (row, column) => (row < 8 ? [row, column] : [row, swap(3, 4)(column)])),
        ),
      ]),
    ),
  ),
  cheat('sums rounded to multiples of 256', 'projection', second, () =>
    alone(second, (entry) => Math.round(entry / 256) * 256),
  ),
  cheat('noise of one unit in every sum', 'projection', second, () =>
    onward(
      second,
      map((entry, index) => entry + (index % 3) - 1),
    ),
  ),
  cheat('smooth noise that looks like rounding', 'projection', first, () =>
    onward(
      first,
      map((entry, index) => entry + Math.round(3 * Math.sin(index / 4))),
    ),
  ),
  cheat('noise too small to change what follows', 'projection', second, () =>
    // Adding to a sum that saturates changes nothing after it: the output is the honest one.
    alone(second, (entry) => (entry > 40_000 ? entry + 1 : entry)),
  ),
  cheat('the mean of the tensor everywhere', 'projection', first, () =>
    onward(first, (tensor) => {
      const mean = Math.round(
        Array.from(tensor.data).reduce((sum, entry) => sum + entry, 0) / tensor.data.length,
      )
      return change(tensor, () => mean)
    }),
  ),
]

const otherWeights = { ...weights, first: weights.first.with(100, (weights.first[100] ?? 0) ^ 1) }
const swappedWeights = { ...weights, first: weights.second, second: weights.first }

const wrongOperands: readonly Cheat[] = [
  cheat('weights of the day before: one byte differs', 'projection', first, () =>
    claimOf(execute({}, input, otherWeights)),
  ),
  cheat('the weights of another layer', 'projection', first, () =>
    claimOf(execute({}, input, swappedWeights)),
  ),
  cheat('the weights read as if transposed', 'projection', first, () =>
    onward(first, instead(first, { transposeB: true })),
  ),
  cheat('the weights read as if not transposed', 'projection', second, () =>
    onward(second, instead(second, { transposeB: false })),
  ),
  cheat('the weights read as unsigned', 'projection', first, () =>
    onward(first, (honestly, [a, b]) => {
      const unsigned = { ...(b as Tensor), data: new Uint8Array(bytesOf(b as Tensor)) }
      return change(honestly, (_entry, index) => {
        let sum = 0
        for (let inner = 0; inner < 15; inner++) {
          sum +=
            entryAt((a as Tensor).data, Math.floor(index / 15) * 15 + inner) *
            entryAt(unsigned.data, inner * 15 + (index % 15))
        }
        return Math.min(sum, rangeOf(first).max)
      })
    }),
  ),
  cheat('activations read as signed', 'projection', second, () =>
    onward(
      second,
      instead(second, {}, ([a, b]) => [
        { ...(a as Tensor), data: new Int8Array(bytesOf(a as Tensor)) },
        b as Tensor,
      ]),
    ),
  ),
  cheat('a convolution with another padding', 'projection', convolution, () =>
    onward(convolution, instead(convolution, { padValue: 0 })),
  ),
  cheat('a convolution moved by one pixel', 'projection', convolution, () =>
    onward(convolution, instead(convolution, { padLeft: 0, padRight: 2 })),
  ),
  cheat('a convolution with its window turned around', 'projection', convolution, () =>
    onward(
      convolution,
      instead(convolution, {}, ([x, w]) => [
        x as Tensor,
        change(w as Tensor, (_entry, index, all) => entryAt(all, index - (index % 9) + 8 - (index % 9))),
      ]),
    ),
  ),
  cheat('a convolution with the weights of the next group', 'projection', convolution, () =>
    onward(
      convolution,
      instead(convolution, {}, ([x, w]) => [
        x as Tensor,
        change(w as Tensor, (_entry, index, all) => entryAt(all, (index + 9) % all.length)),
      ]),
    ),
  ),
]

const half = (down: boolean, shift: number) => (x: number) => {
  const scaled = x / 2 ** shift
  return down ? Math.ceil(scaled - 0.5) : Math.trunc(scaled)
}
const byte = (value: number) => Math.max(0, Math.min(255, value))

const light: readonly Cheat[] = [
  cheat('the bias forgotten', 'projection', first, () => onward(bias, (_honestly, [x]) => x as Tensor)),
  cheat('the bias added twice', 'projection', first, () =>
    onward(bias, (honestly, [x]) =>
      change(honestly, (entry, index) => 2 * entry - entryAt((x as Tensor).data, index)),
    ),
  ),
  cheat('scales of the channel beside', 'projection', first, () =>
    onward(
      channels,
      instead(channels, {}, ([x, scales, shifts]) => [
        x as Tensor,
        change(scales as Tensor, (_entry, index, all) => entryAt(all, (index + 1) % 3)),
        shifts as Tensor,
      ]),
    ),
  ),
  cheat('requantised one too high everywhere', 'projection', first, () =>
    onward(
      channels,
      map((entry) => Math.min(127, entry + 1)),
    ),
  ),
  cheat('requantised one too low in one entry', 'projection', second, () =>
    onward(narrow, map(only(9, (entry) => entry - 1))),
  ),
  cheat('halves rounded down', 'projection', second, () =>
    onward(narrow, (honestly, [x]) =>
      change(honestly, (_entry, index) => byte(128 + half(true, 9)(entryAt((x as Tensor).data, index)))),
    ),
  ),
  cheat('rounded towards zero', 'projection', second, () =>
    onward(narrow, (honestly, [x]) =>
      change(honestly, (_entry, index) => byte(128 + half(false, 9)(entryAt((x as Tensor).data, index)))),
    ),
  ),
  cheat('a wrong zero point within', 'projection', second, () =>
    onward(narrow, instead(narrow, { zeroPoint: 127 })),
  ),
  cheat('a wrong zero point at the output', 'replay', result, () =>
    onward(result, instead(result, { zeroPoint: 3 })),
  ),
  cheat('requantised one too low at the output', 'replay', result, () =>
    onward(result, map(only(40, (entry) => (entry === -128 ? entry + 1 : entry - 1)))),
  ),
  cheat('wrapped where it should saturate', 'replay', result, () =>
    onward(result, (honestly, [x]) =>
      change(
        honestly,
        (_entry, index) => (4 + Math.round((3 * entryAt((x as Tensor).data, index)) / 512)) & 255,
      ),
    ),
  ),
  cheat('saturated at 126', 'replay', result, () =>
    onward(
      result,
      map((entry) => Math.min(126, entry)),
    ),
  ),
  cheat('one entry of the table tampered with', 'projection', first, () => {
    const index = entryAt((honest.nodes[channels] as Tensor).data, 0)
    const target = entryAt((honest.nodes[lookup] as Tensor).data, 0)
    return onward(lookup, (honestly, [x]) =>
      change(honestly, (entry, place) => (entryAt((x as Tensor).data, place) === index ? target ^ 1 : entry)),
    )
  }),
  cheat('the table indexed from zero', 'projection', first, () =>
    onward(
      lookup,
      instead(lookup, {}, ([x, table]) => [
        x as Tensor,
        change(table as Tensor, (_entry, index, all) => entryAt(all, (index + 128) % 256)),
      ]),
    ),
  ),
  cheat('the table left out', 'projection', first, () => onward(lookup, (_honestly, [x]) => x as Tensor)),
  cheat('a negative let through before the scores', 'projection', scores, () =>
    onward(positive, (_honestly, [x]) => x as Tensor),
  ),
  cheat('a negative let through at the output', 'replay', last, () =>
    onward(last, (_honestly, [x]) => x as Tensor),
  ),
  cheat('the last step computed in floats', 'replay', last, () =>
    onward(small, (honestly, [x]) =>
      change(honestly, (_entry, index) => {
        const scaled = Math.floor((entryAt((x as Tensor).data, index) * 5) / 2_048)
        return Math.max(-128, Math.min(127, scaled))
      }),
    ),
  ),
  cheat('a part of the output left as it was in memory', 'replay', last, () =>
    tamperWithOutput((output) => output.fill(0, offsets.last + 20)),
  ),
]

const others: readonly Cheat[] = [
  cheat('the answer to an older input', 'projection', convolution, () => claimOf(execute({}, otherInput))),
  cheat('the answer to an input with one byte changed', 'projection', convolution, () =>
    claimOf(execute({}, input.with(37, (input[37] ?? 0) ^ 1))),
  ),
  cheat('an answer to another task of the same shapes', 'projection', convolution, () =>
    claimOf(
      execute({}, input, { convolution: noise(27, 70), first: noise(225, 71), second: noise(225, 72) }),
    ),
  ),
  cheat('an old transcript under the right output', 'projection', convolution, () => {
    return { ...honestClaim, transcript: claimOf(execute({}, otherInput)).transcript }
  }),
  cheat('an old output under the right transcript', 'replay', result, () => {
    return { ...honestClaim, output: execute({}, otherInput).output }
  }),
  cheat('sums that agree with each other and with no input', 'projection', convolution, () => {
    return onward(
      convolution,
      map((_entry, index) => (index * 7_919) % 20_000),
    )
  }),
  cheat('right up to the middle, an old answer from there on', 'projection', first, () => {
    const old = execute({}, otherInput)
    const transcript = [honestClaim.transcript[0], ...claimOf(old).transcript.slice(1)] as Uint8Array[]
    return { output: old.output, transcript }
  }),
  cheat('the right output under a forged transcript', 'projection', first, () =>
    alone(
      first,
      only(60, (entry) => entry - 1),
    ),
  ),
  cheat('the output little-endian in the wrong way', 'range', scores, () =>
    tamperWithOutput((output) => {
      for (let word = 0; word < offsets.result; word += 4) output.subarray(word, word + 4).reverse()
      return output
    }),
  ),
  cheat('an output that begins one entry late', 'projection', scores, () =>
    tamperWithOutput((output) => {
      const moved = output.slice()
      moved.copyWithin(0, 4, offsets.result)
      moved.set(output.subarray(0, 4), offsets.result - 4)
      return moved
    }),
  ),
]

const sizes: readonly Cheat[] = [
  cheat('the output cut short', 'length', undefined, () => tamperWithOutput((output) => output.slice(0, -1))),
  cheat('a byte after the output', 'length', undefined, () =>
    tamperWithOutput((output) => Uint8Array.of(...output, 0)),
  ),
  cheat('no output', 'length', undefined, () => tamperWithOutput(() => new Uint8Array(0))),
  cheat('a part cut short', 'length', first, () => tamperWithPart(1, (part) => part.slice(0, -1))),
  cheat('a byte after a part', 'length', second, () =>
    tamperWithPart(2, (part) => Uint8Array.of(...part, 0)),
  ),
  cheat('an empty part', 'length', convolution, () => tamperWithPart(0, () => new Uint8Array(0))),
  cheat('a part without entries', 'length', convolution, () => tamperWithPart(0, (part) => part.slice(0, 5))),
  cheat('a part that is missing', 'length', second, () => {
    return { ...honestClaim, transcript: honestClaim.transcript.slice(0, 2) }
  }),
  cheat('a part too many', 'length', undefined, () => {
    return { ...honestClaim, transcript: [...honestClaim.transcript, new Uint8Array(5)] }
  }),
  cheat('a tensor with a row less', 'length', first, () =>
    tamperWithPart(1, () => loosely(entriesOf(first).slice(0, -15))),
  ),
  cheat('two parts in each other’s place', 'projection', convolution, () => {
    const [one, two, three] = honestClaim.transcript as [Uint8Array, Uint8Array, Uint8Array]
    return { ...honestClaim, transcript: [two, one, three] }
  }),
]

function loosely(entries: readonly number[]): Uint8Array {
  const [min, max] = [Math.min(...entries), Math.max(...entries)]
  return packLoosely(entries, min, 32 - Math.clz32(max - min))
}

const encodings: readonly Cheat[] = [
  cheat('a bit set in the padding', 'encoding', second, () =>
    tamperWithPart(2, (part) => part.with(part.length - 1, (part.at(-1) ?? 0) | 128)),
  ),
  cheat('the base one lower than it needs to be', 'encoding', first, () => {
    const entries = entriesOf(first)
    const min = Math.min(...entries) - 1
    return tamperWithPart(1, () => packLoosely(entries, min, 32 - Math.clz32(Math.max(...entries) - min)))
  }),
  cheat('packed one bit wider than it needs to be', 'encoding', first, () => {
    const entries = entriesOf(first)
    const min = Math.min(...entries)
    return tamperWithPart(1, () => packLoosely(entries, min, 33 - Math.clz32(Math.max(...entries) - min)))
  }),
  cheat('packed as whole words', 'encoding', first, () =>
    tamperWithPart(1, () => packLoosely(entriesOf(first), -(2 ** 31), 32)),
  ),
  cheat('a width of 33', 'encoding', first, () =>
    tamperWithPart(1, () => packLoosely(entriesOf(first), -(2 ** 31), 33)),
  ),
  cheat('a width of 255', 'encoding', first, () => tamperWithPart(1, (part) => part.with(4, 255))),
  cheat('entries past 32 bits', 'encoding', first, () =>
    tamperWithPart(1, (part) => {
      new DataView(part.buffer).setInt32(0, 2 ** 31 - 1, true)
      return part
    }),
  ),
]

const guesses: readonly Cheat[] = [
  cheat('sums that fit a challenge of zeros', 'projection', first, () => forgeryFor(new Uint8Array(32), 2)),
  cheat('sums that fit the challenge of an earlier check', 'projection', first, () =>
    forgeryFor(noise(32, 39), 2),
  ),
  cheat(
    'one sum in the last product of the batch, all that follows computed from it',
    'projection',
    scores,
    () => onward(scores, map(only(43, (entry) => -entry))),
  ),
  cheat('one sum in the last row, all that follows computed from it', 'projection', second, () =>
    onward(second, map(only(74, (entry) => -entry))),
  ),
  cheat('one sum at the last pixel, all that follows computed from it', 'projection', convolution, () =>
    onward(convolution, map(only(74, (entry) => -entry))),
  ),
]

const bindings: readonly Cheat[] = [
  {
    name: 'another output than the one committed to',
    caughtBy: 'digest',
    node: undefined,
    attempt: () => ({
      claim: onward(
        result,
        map((entry) => -entry & 127),
      ),
      commitment: commitTo(honestClaim),
    }),
  },
  {
    name: 'another transcript than the one committed to',
    caughtBy: 'digest',
    node: undefined,
    attempt: () => ({
      claim: alone(
        first,
        only(3, (entry) => entry + 1),
      ),
      commitment: commitTo(honestClaim),
    }),
  },
  {
    name: 'the honest answer, when a lie was committed to',
    caughtBy: 'digest',
    node: undefined,
    attempt: () => ({
      claim: honestClaim,
      commitment: commitTo(
        alone(
          first,
          only(3, (entry) => entry + 1),
        ),
      ),
    }),
  },
  {
    name: 'no commitment to the transcript',
    caughtBy: 'digest',
    node: undefined,
    attempt: () => ({
      claim: honestClaim,
      commitment: { ...commitTo(honestClaim), transcriptRoot: undefined },
    }),
  },
]

export const cheats: readonly Cheat[] = [
  ...flips,
  ...orders,
  ...moduli,
  ...edges,
  ...arithmetic,
  ...wrongOperands,
  ...light,
  ...others,
  ...sizes,
  ...encodings,
  ...guesses,
  ...bindings,
]
