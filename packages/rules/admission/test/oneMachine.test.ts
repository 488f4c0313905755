/** What rounds find of one GPU behind many identities, and what they do not (docs/spec/admission.md, "What is not ruled out"). */
import { expect, test } from 'bun:test'
import { type Machine, openTown } from './town.ts'

const hourMs = 3_600_000
const speed = 1e12
const alone = (count: number): Machine[] =>
  Array.from({ length: count }, (_, index) => ({
    operationsPerSecond: speed * (1 + index / 10),
    identities: 1,
    groups: [`192.0.2.${index}`, index % 2 ? 'nvidia ampere' : 'apple m1'],
    sharing: 'even',
  }))
const farm = (identities: number, sharing: Machine['sharing'], isSeen: boolean): Machine => ({
  operationsPerSecond: speed,
  identities,
  groups: isSeen ? ['198.51.100.0/24'] : [],
  sharing,
})
const sum = (rates: readonly number[] = []) => rates.reduce((total, rate) => total + rate, 0) / speed

test('before any round, each of its identities counts as a whole machine', () => {
  const town = openTown([farm(8, 'even', true)], {}, 1)
  expect(sum(town.believed()[0])).toBeGreaterThan(7.8)
})

for (let seed = 1; seed <= 5; seed++) {
  test(`seed ${seed}: eight identities at one address count as one machine after a few hours`, () => {
    const town = openTown([farm(8, 'even', true), ...alone(12)], {}, seed)
    town.run(6 * hourMs)
    const [first = [], ...others] = town.believed()
    expect(sum(first)).toBeWithin(0.9, 1.6)
    // Nobody else is thought slower for it.
    for (const [index, [rate = 0]] of others.entries()) {
      expect(rate / (speed * (1 + index / 10))).toBeWithin(0.95, 1.05)
    }
  })
}

test('who gives its speed to one chain after the other keeps the sum of 1, 1/2, 1/3, …: the logarithm, not the number', () => {
  const town = openTown([farm(12, 'oneByOne', true)], {}, 7)
  town.run(12 * hourMs)
  const harmonic = Array.from({ length: 12 }, (_, index) => 1 / (index + 1)).reduce(
    (total, part) => total + part,
  )
  // Halves stay whole where they are no less than the policy's part, which 0.5 is.
  expect(sum(town.believed()[0])).toBeLessThan(harmonic + 1)
})

test('spread over addresses and classes it is found by chance alone: among few others soon, among many late', () => {
  const few = openTown([farm(8, 'even', false), ...alone(8)], {}, 3)
  few.run(6 * hourMs)
  expect(sum(few.believed()[0])).toBeLessThan(2)
  const many = openTown([farm(8, 'even', false), ...alone(400)], {}, 3)
  many.run(hourMs)
  // This is what is not ruled out: the machine still counts several times.
  expect(sum(many.believed()[0])).toBeGreaterThan(3)
})

test('two identities on one machine are not told from chance: half is what they are given, not less', () => {
  const town = openTown([farm(2, 'even', true), ...alone(4)], {}, 11)
  town.run(6 * hourMs)
  const [first = []] = town.believed()
  expect(sum(first)).toBeWithin(0.95, 1.05)
})

test('a worker that was slow among others for once is as fast as it is, once it is fast among the same', () => {
  const machine = { ...farm(2, 'even', true) }
  const town = openTown([machine, ...alone(4)], {}, 5)
  town.run(6 * hourMs)
  expect(sum(town.believed()[0])).toBeWithin(0.95, 1.05)
  // The owner buys a second GPU.
  Object.assign(machine, { operationsPerSecond: 2 * speed })
  town.run(12 * hourMs)
  expect(sum(town.believed()[0])).toBeWithin(1.9, 2.6)
})
