import { describe, expect, test } from 'bun:test'
import { inferProgram, type Node, type Program, parseProgram, tensorType } from '@shardy/tensor'
import { arbitraryLayers, arbitraryProgram, type DrawnProgram } from '@shardy/tensor/testing'
import fc from 'fast-check'
import { ComputeError } from '../../executor.ts'
import type { PlanLimits } from '../limits.ts'
import { operandBytes } from './draft.ts'
import { packOperands } from './packings.ts'
import { type Plan, planProgram } from './plan.ts'
import { assignSlots } from './slots.ts'
import { bindingAlignment, type ProductStep, paramsMax, readsOf, type Step, writesOf } from './step.ts'

/** What every device has that can do WebGPU at all. */
const defaults: PlanLimits = {
  maxBufferSize: 256 * 2 ** 20,
  maxStorageBufferBindingSize: 128 * 2 ** 20,
  maxStorageBuffersPerShaderStage: 8,
}

const i8 = (...shape: number[]) => ({ dtype: 'i8', shape })
const u8 = (...shape: number[]) => ({ dtype: 'u8', shape })
const i32 = (...shape: number[]) => ({ dtype: 'i32', shape, min: -1000, max: 1000 })

function parsed(program: object): Program {
  const found = parseProgram(program)
  if (!found.ok) throw new Error(JSON.stringify(found.refusal))
  return found.value
}

function products({ steps }: Plan): readonly ProductStep[] {
  return steps.filter((step): step is ProductStep => step.kind === 'product')
}

const scale = { op: 'requantize', multiplier: 3, shift: 9, zeroPoint: -5, to: 'i8' } as const
const sums = { op: 'matmul', a: 0, b: 1, transposeB: false } as const

describe('a product does what follows it by itself', () => {
  const chains: readonly [string, readonly object[], object, number][] = [
    ['alone', [], {}, 1],
    ['with a bias', [{ op: 'bias', x: 4, b: 2 }], { bias: true }, 1],
    [
      'with a bias, a requantization and a table',
      [
        { op: 'bias', x: 4, b: 2 },
        { ...scale, x: 5 },
        { op: 'lookup', x: 6, table: 3 },
      ],
      {
        bias: true,
        requantize: { per: 'tensor', multiplier: 3, shift: 9, zeroPoint: -5, to: 'i8' },
        lookup: { to: 'u8' },
      },
      1,
    ],
    [
      'with relu before a requantization, as a table after it',
      [
        { op: 'relu', x: 4 },
        { ...scale, x: 5 },
      ],
      {
        requantize: { per: 'tensor', multiplier: 3, shift: 9, zeroPoint: -5, to: 'i8' },
        lookup: { to: 'i8' },
      },
      1,
    ],
    [
      'but not relu before one that falls',
      [
        { op: 'relu', x: 4 },
        { ...scale, multiplier: -3, x: 5 },
      ],
      {},
      2,
    ],
    [
      'with relu and clamp after a requantization, as one table',
      [
        { ...scale, x: 4 },
        { op: 'relu', x: 5 },
        { op: 'clamp', x: 6, min: 3, max: 40 },
      ],
      {
        requantize: { per: 'tensor', multiplier: 3, shift: 9, zeroPoint: -5, to: 'i8' },
        lookup: { to: 'i8' },
      },
      1,
    ],
    [
      'and leaves what comes after to one kernel',
      [
        { op: 'bias', x: 4, b: 2 },
        { op: 'bias', x: 5, b: 2 },
        { op: 'relu', x: 6 },
      ],
      { bias: true },
      2,
    ],
  ]
  for (const [name, after, epilogue, steps] of chains) {
    test(name, () => {
      const inputs = [i8(5, 7), i8(7, 6), i32(6), u8(256)]
      const program = parsed({ inputs, nodes: [sums, ...after], outputs: [4 + after.length] })
      const plan = planProgram(program, defaults)
      expect(products(plan).map(({ spec }) => spec.epilogue)).toEqual([epilogue])
      expect(plan.steps).toHaveLength(steps)
    })
  }

  const biased = (outputs: number[], more: readonly object[] = []) =>
    parsed({
      inputs: [i8(5, 7), i8(7, 6), i32(6)],
      nodes: [sums, { op: 'bias', x: 3, b: 2 }, ...more],
      outputs,
    })

  test('unless its sums are wanted', () => {
    const kept = planProgram(biased([4]), defaults, [3])
    expect(products(kept).map(({ spec }) => spec.epilogue)).toEqual([{}])
    expect([...kept.answers.keys()].toSorted()).toEqual([3, 4])
    expect(products(planProgram(biased([3, 4]), defaults))[0]?.spec.epilogue).toEqual({})
  })

  test('or another node takes them too', () => {
    const plan = planProgram(biased([4, 5], [{ op: 'relu', x: 3 }]), defaults)
    expect(products(plan).map(({ spec }) => spec.epilogue)).toEqual([{}])
    expect(plan.steps).toHaveLength(3)
  })
})

describe('a plan leaves out', () => {
  test('nodes that no wanted value needs', () => {
    const program = parsed({
      inputs: [i8(4, 4)],
      nodes: [
        { op: 'relu', x: 0 },
        { op: 'matmul', a: 0, b: 1, transposeB: false },
        { op: 'transpose', x: 1, permutation: [1, 0] },
      ],
      outputs: [3],
    })
    expect(planProgram(program, defaults).steps).toHaveLength(2)
    expect(planProgram(program, defaults, [2]).steps).toHaveLength(3)
  })

  test('reshapes, which are the same bytes; those of an input never reach the device', () => {
    const program = parsed({
      inputs: [i8(4, 6)],
      nodes: [
        { op: 'reshape', x: 0, shape: [2, 12] },
        { op: 'reshape', x: 1, shape: [24] },
      ],
      outputs: [2],
    })
    const { steps, answers } = planProgram(program, defaults, [0])
    expect(steps).toEqual([])
    expect([...answers]).toEqual([
      [2, { given: 0 }],
      [0, { given: 0 }],
    ])
  })

  test('what lies between pointwise operations', () => {
    const nodes = ['relu', 'relu', 'relu'].map((op, index) => ({ op, x: index }))
    const { steps, regions } = planProgram(parsed({ inputs: [i8(9)], nodes, outputs: [3] }), defaults)
    expect([steps.length, regions.length]).toEqual([1, 2])
  })
})

describe('limits', () => {
  const doubled = parsed({
    inputs: [u8(8_000)],
    nodes: [
      { op: 'add', x: 0, y: 0 },
      { op: 'add', x: 0, y: 1 },
    ],
    outputs: [2],
  })

  test('the largest value is read and written in windows on the smallest device', () => {
    // An input of 64 MiB, and as int32 four times as much.
    const program = parsed({
      inputs: [i8(64, 2 ** 20)],
      nodes: [
        { op: 'add', x: 0, y: 0 },
        { op: 'argmax', x: 1 },
      ],
      outputs: [2],
    })
    const plan = planProgram(program, defaults)
    const writes = plan.steps.filter(({ label }) => label.endsWith('add')).flatMap(spansOf)
    expect(writes.filter(({ bytes }) => bytes === 128 * 2 ** 20).length).toBeGreaterThanOrEqual(2)
    expect(() => sound(plan, defaults)).not.toThrow()
  })

  const refused = [
    {
      says: "program.nodes[0].add: needs a buffer of 32000 bytes, the device's maxBufferSize is 30000",
      limits: { ...defaults, maxBufferSize: 30_000 },
    },
    {
      says: 'program.nodes[0].add: needs 9 bindings of at most 2048 bytes at once, the device has 8',
      limits: { ...defaults, maxStorageBufferBindingSize: 2048 },
    },
  ]
  for (const { says, limits } of refused) {
    test(says, () => {
      const failure = expect.objectContaining({ kind: 'beyondLimits', message: says })
      expect(() => planProgram(doubled, limits)).toThrow(failure)
    })
  }

  test('rows too long to sort are refused in words', () => {
    const program = parsed({
      inputs: [i8(1, 5_000)],
      nodes: [{ op: 'topK', x: 0, k: 2, result: 'indices' }],
      outputs: [1],
    })
    const says = /topK: sorting rows of 5000 entries needs 20000 bytes for each, .* is 16384/
    expect(() => planProgram(program, { ...defaults, maxStorageBufferBindingSize: 16_384 })).toThrow(says)
  })
})

function spansOf(step: Step) {
  return step.kind === 'kernel' ? [...step.reads, ...step.writes] : []
}

/** What must hold of any plan, whatever the program. */
function sound(plan: Plan, limits: PlanLimits): void {
  const { regions, steps, answers } = plan
  const fail = (step: Step, rule: string): never => {
    throw new Error(`${step.label}: ${rule}`)
  }
  const { slotOf, bytes: slots } = assignSlots(plan, limits.maxBufferSize)
  const written = new Set<number>()
  /** The region that each slot holds. */
  const holds = new Map<number, number>()
  for (const [region, { source }] of regions.entries()) {
    if (source.kind === 'steps' || source.kind === 'prepared') continue
    written.add(region)
    const slot = slotOf.get(region)
    if (slot !== undefined) holds.set(slot, region)
  }
  for (const step of steps) {
    const [reads, writes] = [readsOf(step), writesOf(step)]
    for (const region of reads) {
      if (!written.has(region)) fail(step, `region ${region} is read before it is written`)
      const slot = slotOf.get(region)
      if (slot !== undefined && holds.get(slot) !== region) fail(step, `region ${region} was overwritten`)
      if (writes.includes(region)) fail(step, `region ${region} is read and written`)
    }
    for (const region of writes) {
      written.add(region)
      const slot = slotOf.get(region)
      if (slot !== undefined) holds.set(slot, region)
      if (slot !== undefined && reads.some((read) => slotOf.get(read) === slot)) {
        fail(step, 'what it reads and what it writes share a slot')
      }
    }
    for (const { region, offset, bytes } of spansOf(step)) {
      const whole = regions[region]?.bytes ?? 0
      if (offset % bindingAlignment !== 0) fail(step, `a binding begins at ${offset}`)
      if (bytes < 4 || bytes % 4 !== 0 || offset + bytes > whole)
        fail(step, `${bytes} bytes from ${offset} of ${whole}`)
      if (bytes > limits.maxStorageBufferBindingSize) fail(step, `a binding has ${bytes} bytes`)
    }
    if (step.kind === 'kernel' && step.params.length > paramsMax) fail(step, 'too many parameters')
  }
  for (const answer of answers.values()) {
    if (!('region' in answer)) continue
    const slot = slotOf.get(answer.region)
    if (slot === undefined || holds.get(slot) !== answer.region) throw new Error('an answer was overwritten')
  }
  for (const [region, slot] of slotOf) {
    if ((slots[slot] ?? 0) < (regions[region]?.bytes ?? 0)) throw new Error('a slot is too small')
  }
}

describe('random programs', () => {
  const packing = { packedBytes: { a: 48, b: 80 }, bLayout: 'packed' }

  function check({ program }: DrawnProgram, keeps: boolean, limits: PlanLimits): void {
    const keep = keeps ? [...inferProgram(program).values.keys()] : []
    try {
      const plan = planProgram(program, limits, keep)
      sound(plan, limits)
      sound(
        packOperands(plan, () => packing),
        limits,
      )
    } catch (thrown) {
      if (!(thrown instanceof ComputeError) || thrown.kind !== 'beyondLimits') throw thrown
    }
  }

  test('have sound plans', () => {
    const drawn = fc.oneof(arbitraryProgram({ nodesMax: 20 }), arbitraryLayers())
    const bindings = fc.constantFrom(256, 1024, 4096, 2 ** 27)
    fc.assert(
      fc.property(drawn, fc.boolean(), bindings, (one, keeps, maxStorageBufferBindingSize) =>
        check(one, keeps, { ...defaults, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage: 16 }),
      ),
      { numRuns: 150 },
    )
  }, 60_000)

  test('bind what a later merge of a topK leaves, which may be more than the first leaves', () => {
    const program: Program = {
      inputs: [tensorType('i32', [36, 5])],
      constants: [],
      nodes: [{ op: 'topK', x: 0, k: 4, result: 'values' }],
      outputs: [1],
    }
    const limits = { ...defaults, maxStorageBufferBindingSize: 1024, maxStorageBuffersPerShaderStage: 16 }
    sound(planProgram(program, limits, []), limits)
  })

  test('write every word of every value', () => {
    const drawn = fc.oneof(arbitraryProgram({ nodesMax: 3 }), arbitraryLayers())
    fc.assert(
      fc.property(drawn, ({ program }) => {
        const { values } = inferProgram(program)
        const plan = planProgram(
          program,
          { ...defaults, maxStorageBufferBindingSize: 2048, maxStorageBuffersPerShaderStage: 99 },
          [...values.keys()],
        )
        for (const [value, answer] of plan.answers) {
          if (!('region' in answer)) continue
          const type = values[value]
          if (type === undefined) throw new Error('no such value')
          const covered = new Set<number>()
          for (const step of plan.steps) {
            if (step.kind !== 'kernel') {
              if (writesOf(step).includes(answer.region))
                for (let at = 0; at < operandBytes(type); at += 4) covered.add(at)
              continue
            }
            for (const { region, offset, bytes } of step.writes) {
              if (region !== answer.region) continue
              for (let at = offset; at < offset + bytes; at += 4) covered.add(at)
            }
          }
          for (let at = 0; at < operandBytes(type); at += 4) {
            if (!covered.has(at)) throw new Error(`word ${at} of value ${value} is written by no step`)
          }
        }
      }),
      { numRuns: 60 },
    )
  }, 60_000)
})

test('every operation has a plan', () => {
  // The switch over single operations ends in an error that types cannot see.
  const drawn = arbitraryProgram({ nodesMax: 30 })
  const seen = new Set<Node['op']>()
  fc.assert(
    fc.property(drawn, ({ program }) => {
      planProgram(program, defaults)
      for (const { op } of program.nodes) seen.add(op)
    }),
    { numRuns: 60, seed: 7 },
  )
  expect(seen.size).toBe(26)
})
