/** What `vectors/proof` holds of commitments, made from the definition. */
import { commitOperand, commitSums, poseidon16 } from './definition.ts'

const order = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
const entries = Array.from({ length: 256 }, (_, index) => index)

/** Of no meaning, other for every index, and of both signs. */
const mixed = (index: number) => Math.imul(index + 1, 0x9e37_79b1)
const first = (value: number) => (index: number) => (index === 0 ? value : 0)
const last = (value: number) => (index: number) => (index === 255 ? value : 0)

const blocks: readonly (readonly [name: string, entry: (index: number) => number])[] = [
  ['zeros', () => 0],
  ['every entry the least', () => -128],
  ['every entry the greatest', () => 127],
  ['every value once', (index) => index - 128],
  ['of no meaning', (index) => mixed(index) >> 24],
  ['one in the first entry', first(1)],
  ['one in the last entry', last(1)],
  ['one behind the end of the first word', (index) => (index === 31 ? 1 : 0)],
]
const tiles: readonly (readonly [name: string, entry: (index: number) => number])[] = [
  ['zeros: the sums before the first block', () => 0],
  ['every entry the least', () => -(2 ** 31)],
  ['every entry the greatest', () => 2 ** 31 - 1],
  ['of no meaning', mixed],
  ['one in the first entry', first(1)],
  ['minus one in the first entry', first(-1)],
  ['one in the last entry', last(1)],
  ['one behind the end of the first word', (index) => (index === 7 ? 1 : 0)],
]

const left = Int8Array.from(entries, (index) => mixed(index) >> 24)
const right = Int8Array.from(entries, (index) => mixed(index + 256) >> 24)
const before = Int32Array.from(entries, (index) => mixed(index + 512) >> 8)
const after = before.map((sum, index) => {
  const [row, column] = [index >> 4, index & 15]
  return entries
    .slice(0, 16)
    .reduce((total, k) => total + (left[16 * row + k] ?? 0) * (right[16 * k + column] ?? 0), sum)
})

const inputs: readonly (readonly bigint[])[] = [
  Array.from({ length: 16 }, () => 0n),
  Array.from({ length: 16 }, (_, index) => BigInt(index + 1)),
  Array.from({ length: 16 }, () => order - 1n),
  Array.from({ length: 16 }, (_, index) => (BigInt(index + 3) ** 200n * 7n ** 77n) % order),
]

export function makeVectors() {
  return {
    'poseidon.json': {
      cases: inputs.map((each) => ({ inputs: each.map(String), output: poseidon16([...each]).toString() })),
    },
    'commitments.json': {
      operands: blocks.map(([name, entry]) => {
        const block = Int8Array.from(entries, entry)
        const [commitA, commitB] = [commitOperand(block, 'a'), commitOperand(block, 'b')]
        return { name, entries: [...block], commitA: commitA.toString(), commitB: commitB.toString() }
      }),
      sums: tiles.map(([name, entry]) => {
        const tile = Int32Array.from(entries, entry)
        return { name, entries: [...tile], commit: commitSums(tile).toString() }
      }),
    },
    'block.json': {
      a: [...left],
      b: [...right],
      in: [...before],
      out: [...after],
      commitA: commitOperand(left, 'a').toString(),
      commitB: commitOperand(right, 'b').toString(),
      commitIn: commitSums(before).toString(),
      commitOut: commitSums(after).toString(),
    },
  }
}
