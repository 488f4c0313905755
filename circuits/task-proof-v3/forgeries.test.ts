// What a cheating prover may try. It is not bound to circom's generator: each forgery is a whole assignment of wires, as
// good as it can be made, and breaks the one family of constraints that is there against it. Without that family it
// would be accepted, so each of these tests fails if its family is dropped from the circuit.

import { beforeAll, describe, expect, test } from 'bun:test'
import {
  type Block,
  commitBytes,
  commitSums,
  type Entries,
  multiplyAdd,
  publicSignals,
  tags,
} from '../src/block.ts'
import { fieldModulus } from '../src/curve.ts'
import { invertAll, reduce } from '../src/field.ts'
import { wireOf } from '../src/symbols.ts'
import { findBroken, type Witness } from '../src/witness.ts'
import { type Circuit, openCircuit } from '../test/circuit.ts'
import { usersOf } from '../test/complete.ts'
import { someBinding, someBlock } from '../test/samples.ts'

let circuit: Circuit
let honest: Witness
beforeAll(() => {
  circuit = openCircuit()
  honest = circuit.forge({ binding: someBinding, block: someBlock })
}, 60_000)

const signals = publicSignals(someBinding, someBlock)
const sumsOut = multiplyAdd(someBlock)
const entry = (entries: Entries, index: number): bigint => entries[index] ?? 0n
const replace = (entries: Entries, changes: Readonly<Record<number, bigint>>): Entries =>
  entries.map((value, index) => changes[index] ?? value)
/** Sums before the block that make it end at these. */
const endingAt = (block: Block, wanted: Entries): Block => {
  const products = multiplyAdd({ ...block, sumsIn: block.sumsIn.map(() => 0n) })
  return { ...block, sumsIn: wanted.map((sum, index) => sum - entry(products, index)) }
}
const valueAt = (witness: Witness, name: string): bigint => witness[wireOf(circuit.symbols, name)] ?? 0n
/** These wires and nothing that follows from them. */
const alter = (witness: Witness, values: Readonly<Record<string, bigint>>): Witness => {
  const altered = [...witness]
  for (const [name, value] of Object.entries(values)) altered[wireOf(circuit.symbols, name)] = reduce(value)
  return altered
}

test('the forger with nothing to hide is honest', () => {
  expect(circuit.broken(honest)).toEqual([])
  expect(honest.slice(1, 11)).toEqual(Object.values(signals))
})

test('no wire is free: altering any one of them breaks a constraint', () => {
  const users = usersOf(circuit.r1cs)
  const altered = [...honest]
  const free: number[] = []
  for (let wire = 1; wire < altered.length; wire++) {
    const value = altered[wire] ?? 0n
    altered[wire] = reduce(value + 1n)
    if (findBroken(circuit.r1cs, altered, users[wire] ?? []).length === 0) free.push(wire)
    altered[wire] = value
  }
  expect(free).toEqual([])
})

describe('a proof for one statement is none for another', () => {
  for (const name of ['taskId', 'deliveryId', 'workerHigh', 'workerLow', 'resultDigest', 'position'])
    for (const [how, change] of [
      ['the next', (value: bigint) => value + 1n],
      ['zero', () => 0n],
      ['the same in another place of 64 bits', (value: bigint) => value << 64n],
    ] as const)
      test(`${name} is ${how}`, () => {
        const forged = alter(honest, { [name]: change(valueAt(honest, name)) })
        expect(circuit.broken(forged)).toEqual([`${name}Square`])
      })

  test('a square has two roots: the negative of an id is refused by its own bound, not by the circuit', () => {
    const forged = alter(honest, { taskId: -someBinding.taskId })
    expect(circuit.broken(forged)).toEqual([])
    expect(fieldModulus - someBinding.taskId > 2n ** 128n).toBe(true)
  })
})

describe('a commitment opens to what was committed to', () => {
  const others: Readonly<Record<string, readonly (readonly [string, bigint])[]>> = {
    commitA: [
      ['the next', signals.commitA + 1n],
      ['that of B', signals.commitB],
      ['that of A under the tag of B', commitBytes(someBlock.a, tags.b)],
      ['that of A under the tag of sums', commitBytes(someBlock.a, tags.sums)],
      ['that of A with one entry altered', commitBytes(replace(someBlock.a, { 255: -1n }), tags.a)],
    ],
    commitB: [
      ['that of A', signals.commitA],
      ['that of B under the tag of A', commitBytes(someBlock.b, tags.a)],
      ['that of B, columns for rows', commitBytes(transpose(someBlock.b), tags.b)],
    ],
    commitIn: [
      ['that of the sums after', signals.commitOut],
      ['that of zeros', commitSums(someBlock.sumsIn.map(() => 0n))],
      ['that of the sums before under another tag', commitSums(someBlock.sumsIn, tags.a)],
    ],
    commitOut: [
      ['that of the sums before', signals.commitIn],
      ['that of sums with one altered', commitSums(replace(sumsOut, { 17: entry(sumsOut, 17) + 1n }))],
    ],
  }
  for (const [name, values] of Object.entries(others))
    for (const [how, value] of values)
      test(`${name} is ${how}`, () => {
        expect(circuit.broken(alter(honest, { [name]: value }))).toEqual([name])
      })
})

describe('operands are int8', () => {
  for (const [matrix, family] of [
    ['a', 'aRange'],
    ['b', 'bRange'],
  ] as const) {
    for (const value of [128n, -129n, 255n, 256n, -256n, 2n ** 64n, fieldModulus / 2n])
      test(`${matrix} holds ${value}, packed and multiplied as such`, () => {
        const block = { ...someBlock, [matrix]: replace(someBlock[matrix], { 40: value }) }
        const forged = circuit.forge({ binding: someBinding, block, sumsOut })
        const broken = circuit.broken(forged)
        // A value that large also carries sums out of their range.
        expect(broken.filter((found) => found !== 'outRange')).toEqual([family])
      })

    test(`${matrix} holds two entries that pack into the same word as honest ones`, () => {
      const [low, high] = [entry(someBlock[matrix], 0), entry(someBlock[matrix], 1)]
      const shifted = replace(someBlock[matrix], { 0: low + 256n, 1: high - 1n })
      const forged = circuit.forge({ binding: someBinding, block: { ...someBlock, [matrix]: shifted } })
      const commitment = matrix === 'a' ? 'commitA' : 'commitB'
      expect(valueAt(forged, commitment)).toBe(signals[commitment])
      expect(valueAt(forged, 'commitOut')).not.toBe(signals.commitOut)
      expect(circuit.broken(forged)).toEqual([family])
    })
  }

  test('no choice of bits makes 128 or -129 pass, of all there are', () => {
    for (const value of [128n, -129n]) {
      const block = { ...someBlock, a: replace(someBlock.a, { 0: value }) }
      const forged = [...circuit.forge({ binding: someBinding, block })]
      const wires = Array.from({ length: 7 }, (_, bit) => wireOf(circuit.symbols, `aRange[0][0].bit[${bit}]`))
      const users = usersOf(circuit.r1cs)
      const among = [...new Set(wires.flatMap((wire) => users[wire] ?? []))]
      for (let choice = 0; choice < 128; choice++) {
        for (const [bit, wire] of wires.entries()) forged[wire] = BigInt((choice >> bit) & 1)
        expect(findBroken(circuit.r1cs, forged, among)).not.toEqual([])
      }
    }
  })
})

describe('sums after the block are int32', () => {
  for (const value of [2n ** 31n, -(2n ** 31n) - 1n, 2n ** 32n, 2n ** 31n + 2n ** 18n, 2n ** 100n])
    test(`one is ${value}`, () => {
      const block = endingAt(someBlock, replace(sumsOut, { 99: value }))
      expect(circuit.broken(circuit.forge({ binding: someBinding, block }))).toEqual(['outRange'])
    })

  test('two that pack into the same word as honest ones', () => {
    const shifted = replace(sumsOut, { 0: entry(sumsOut, 0) - 2n ** 32n, 1: entry(sumsOut, 1) + 1n })
    const forged = circuit.forge({ binding: someBinding, block: endingAt(someBlock, shifted) })
    expect(valueAt(forged, 'commitOut')).toBe(signals.commitOut)
    expect(circuit.broken(forged)).toEqual(['outRange'])
  })
})

describe('bits are bits', () => {
  for (const [name, family, bits] of [
    ['aRange[3][4]', 'aRange', 8],
    ['bRange[0][15]', 'bRange', 8],
    ['outRange[15][15]', 'outRange', 32],
  ] as const) {
    test(`${name}: a bit of two and the next one less`, () => {
      const [low, high] = [`${name}.bit[0]`, `${name}.bit[1]`]
      const wires = { [low]: valueAt(honest, low) + 2n, [high]: valueAt(honest, high) - 1n }
      const forged = circuit.forge({ binding: someBinding, block: someBlock, wires })
      expect(circuit.broken(forged)).toEqual([family])
    })

    test(`${name}: one bit that is the whole number`, () => {
      const wires: Record<string, bigint> = {}
      for (let bit = 1; bit < bits - 1; bit++) wires[`${name}.bit[${bit}]`] = 0n
      wires[`${name}.bit[0]`] =
        family === 'outRange'
          ? entry(sumsOut, 255)
          : entry(family === 'aRange' ? someBlock.a : someBlock.b, 0)
      const forged = circuit.forge({ binding: someBinding, block: someBlock, wires })
      expect(circuit.broken(forged)).toEqual([family])
    })
  }
})

describe('products are products', () => {
  test('one is off by one, and the sum takes it over', () => {
    const name = 'product[2][3][4]'
    const wires = { [name]: valueAt(honest, name) + 1n }
    const wrong = replace(sumsOut, { 35: entry(sumsOut, 35) + 1n })
    const forged = circuit.forge({ binding: someBinding, block: someBlock, wires, sumsOut: wrong })
    expect(valueAt(forged, 'commitOut')).toBe(commitSums(wrong))
    expect(circuit.broken(forged)).toEqual(['product'])
  })

  test('a sum is off by one, as if its last product were', () => {
    const wires = { 'sumsOut[9][9]': entry(sumsOut, 153) + 1n }
    const wrong = replace(sumsOut, { 153: entry(sumsOut, 153) + 1n })
    const forged = circuit.forge({ binding: someBinding, block: someBlock, wires, sumsOut: wrong })
    expect(circuit.broken(forged)).toEqual(['product'])
  })

  test('errors of two products that cancel out', () => {
    const [left, right] = ['product[0][0][0]', 'product[0][0][1]']
    const wires = { [left]: valueAt(honest, left) + 5n, [right]: valueAt(honest, right) - 5n }
    const forged = circuit.forge({ binding: someBinding, block: someBlock, wires })
    expect(forged.slice(1, 11)).toEqual(honest.slice(1, 11))
    expect(circuit.broken(forged)).toEqual(['product'])
  })

  test('sums before that belong to another block', () => {
    const other = replace(someBlock.sumsIn, { 0: entry(someBlock.sumsIn, 0) + 1n })
    expect(circuit.broken(alter(honest, { commitIn: commitSums(other) }))).toEqual(['commitIn'])
    const forged = circuit.forge({ binding: someBinding, block: { ...someBlock, sumsIn: other } })
    expect(circuit.broken(alter(forged, { commitOut: signals.commitOut }))).toEqual(['commitOut'])
  })

  test('beyond an edge a forger who adds to zeros is found by the commitment', () => {
    const zeros = someBlock.a.map(() => 0n)
    const block = { ...someBlock, a: replace(zeros, { 255: 1n }) }
    const forged = circuit.forge({ binding: someBinding, block })
    expect(circuit.broken(alter(forged, { commitA: commitBytes(zeros, tags.a) }))).toEqual(['commitA'])
  })
})

describe('hashes are hashes', () => {
  const links = [
    ...['aCommitment.hash[0]', 'bCommitment.hash[0]'],
    ...[0, 1, 2].flatMap((link) => [`inCommitment.hash[${link}]`, `outCommitment.hash[${link}]`]),
  ]
  const places = ['full[0][1]', 'partial[0]', 'partial[67]', 'full[7][16]']
  for (const link of links)
    for (const signal of ['square', 'fourth', 'out'])
      test(`${link}: ${signal} of a power is altered, and all that follows with it`, () => {
        for (const place of places) {
          const name = `${link}.${place}.${signal}`
          const wires = { [name]: valueAt(honest, name) + 1n }
          const forged = circuit.forge({ binding: someBinding, block: someBlock, wires })
          expect(circuit.broken(forged)).toEqual([link.split('.')[0] ?? ''])
        }
      })

  test('a forger who wants another commitment has to break a power: here the last one', () => {
    // The commitment is a sum in which this power has some factor: solve for the power that gives the wanted one.
    const name = 'outCommitment.hash[2].full[7][16].out'
    const at = valueAt(honest, name)
    const step = circuit.forge({ binding: someBinding, block: someBlock, wires: { [name]: at + 1n } })
    const factor = reduce(valueAt(step, 'commitOut') - signals.commitOut)
    const wanted = commitSums(replace(sumsOut, { 0: 0n }))
    const power = at + reduce(wanted - signals.commitOut) * (invertAll([factor])[0] ?? 0n)
    const forged = circuit.forge({ binding: someBinding, block: someBlock, wires: { [name]: power } })
    expect(valueAt(forged, 'commitOut')).toBe(wanted)
    expect(circuit.broken(forged)).toEqual(['outCommitment'])
  })
})

test('what the circuit leaves to its caller: sums before the block at the ends of int32 open in two ways', () => {
  // Sums that end 5 above the lowest int32 and started below it: committed to as if they had started near the highest.
  const [low, next] = [entry(sumsOut, 0), entry(sumsOut, 1)]
  const grown = low - entry(someBlock.sumsIn, 0)
  const lift = grown > 0n ? -(2n ** 31n) : 2n ** 31n - 1n
  const block = endingAt(someBlock, replace(sumsOut, { 0: lift, 1: next }))
  const turn = grown > 0n ? 2n ** 32n : -(2n ** 32n)
  const alias = replace(block.sumsIn, {
    0: entry(block.sumsIn, 0) + turn,
    1: entry(block.sumsIn, 1) - (grown > 0n ? 1n : -1n),
  })
  const witness = circuit.forge({ binding: someBinding, block })
  expect(circuit.broken(witness)).toEqual([])
  expect(valueAt(witness, 'commitIn')).toBe(commitSums(alias))
  expect(alias.every((sum) => -(2n ** 31n) <= sum && sum < 2n ** 31n)).toBe(true)
  // The bound on the inner length keeps sums away from there, whatever the operands.
  const innerLengthMax = 131_040n
  expect(innerLengthMax * 2n ** 14n + 16n * 2n ** 14n < 2n ** 31n).toBe(true)
})

function transpose(entries: Entries): Entries {
  return entries.map((_, index) => entry(entries, (index % 16) * 16 + Math.floor(index / 16)))
}
