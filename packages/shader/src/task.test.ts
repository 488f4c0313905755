import { describe, expect, test } from 'bun:test'
import { encodeHex } from '@shardy/protocol'
import fc from 'fast-check'
import { buildShaderTask } from './build.ts'
import { interpret } from './interpret.ts'
import { canonicalOutput, findNonCanonical } from './outputs.ts'
import type { PreprocessStep } from './preprocess.ts'
import { type TaskPayloadSchema, taskPayloadSchema } from './schema.ts'
import {
  describeTaskRefusal,
  encodeShaderTask,
  parseShaderTask,
  refusePayload,
  type ShaderTask,
  sourceBytes,
} from './task.ts'

const source = `struct P { scale: i32, n: u32 }
@group(0) @binding(1) var<storage, read> a: array<i32>;
@group(0) @binding(2) var<uniform> p: P;
@group(0) @binding(4) var<storage, read_write> out: array<i32>;
@group(0) @binding(7) var<storage, read_write> flags: array<vec2<u32>, 3>;
@compute @workgroup_size(2)
fn main(@builtin(global_invocation_id) id: vec3u) {
  out[id.x] = a[id.x] * p.scale;
  flags[id.x] = vec2u(id.x, p.n);
}
`

function contentOf(change: Partial<TaskPayloadSchema> = {}): TaskPayloadSchema {
  const built = buildShaderTask({ source, dispatch: [2, 1, 1], fuel: 5, byteLengths: { 1: 20, 4: 12 } })
  if (!built.ok) throw new Error(built.refusal.message)
  return { ...built.value, ...change }
}

function taskOf(content: TaskPayloadSchema): ShaderTask {
  const parsed = parseShaderTask(taskPayloadSchema.encode(content))
  if (!parsed.ok) throw new Error(describeTaskRefusal(parsed.refusal))
  return parsed.value
}

test('a task comes back as it was, with its places counted', () => {
  const content = contentOf()
  const bytes = encodeShaderTask(content)
  expect(taskPayloadSchema.decode(bytes)).toEqual({ ok: true, value: content })
  expect(taskOf(content)).toMatchObject({
    payloadBytes: 40,
    outputBytes: 36,
    invocations: 4,
    exactness: { exactness: 'exact' },
    bindings: [
      { buffer: { name: 'a' }, offset: 0, byteLength: 20 },
      { buffer: { name: 'p' }, offset: 32, byteLength: 8 },
      { buffer: { name: 'out' }, offset: 0, byteLength: 12 },
      { buffer: { name: 'flags' }, offset: 12, byteLength: 24 },
    ],
  })
})

test('the interpreter fills the outputs in the order of the bindings, and can run a part', () => {
  const task = taskOf(contentOf())
  const payload = new Uint8Array(40)
  payload.set(new Uint8Array(Int32Array.of(1, 2, 3, 4, 5).buffer))
  payload.set(new Uint8Array(Int32Array.of(-2, 9).buffer), 32)
  const wordsOf = (range?: { first: number; count: number }) => {
    const run = interpret(task, payload, range)
    return run.kind === 'output' ? [...new Int32Array(run.bytes.buffer)] : run.kind
  }
  expect(wordsOf()).toEqual([-2, -4, -6, 0, 9, 1, 9, 2, 9])
  expect(wordsOf({ first: 1, count: 1 })).toEqual([0, -4, 0, 0, 0, 1, 9, 0, 0])
  expect(wordsOf({ first: 4, count: 9 })).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0])
})

test('the interpreter names the invocation that spent its fuel', () => {
  const looping = source.replace('out[id.x] =', 'while id.x == 2u { } out[id.x] =')
  const task = taskOf(contentOf({ source: sourceBytes(looping) }))
  expect(interpret(task, new Uint8Array(40))).toEqual({ kind: 'outOfFuel', invocation: 2 })
})

describe('refuses', () => {
  const binding = (at: number, change: object): Partial<TaskPayloadSchema> => ({
    bindings: contentOf().bindings.map((one, index) => (index === at ? { ...one, ...change } : one)),
  })
  const step = { binding: 1, slice: undefined, clamp: undefined, ema: undefined }
  const refused: readonly (readonly [string, Partial<TaskPayloadSchema>, string])[] = [
    [
      'a source that is refused',
      { source: sourceBytes('fn f() {\n  loop { }') },
      "the shader, line 2, column 11: expected a statement, found 'the end of the source'",
    ],
    [
      'bytes beyond ASCII',
      { source: Uint8Array.of(10, 47, 47, 0xc3) },
      'the shader, line 2, column 3: the character U+00C3 is not accepted: write printable ASCII, newlines and tabs',
    ],
    [
      'another entry point',
      { entryPoint: 'other' },
      "TaskPayloadSchema.entryPoint: is 'other', the shader's is 'main'",
    ],
    [
      'too many invocations',
      { dispatchX: 65_535, dispatchY: 129 },
      'TaskPayloadSchema.dispatchX: there are 16908030 invocations, the limit is 16777216',
    ],
    [
      'too much work',
      { dispatchX: 65_535, fuel: 1 << 24 },
      'TaskPayloadSchema.fuel: 131070 invocations times 16777216 + 1 fuel times 25 nodes, and 0 preprocessed elements, is 54974745804750, the limit is 4398046511104',
    ],
    [
      'another access',
      binding(0, { access: 'uniform' }),
      'TaskPayloadSchema.bindings: binding 1 is read in the shader, not uniform',
    ],
    [
      'another type',
      binding(0, { type: 'u32' }),
      'TaskPayloadSchema.bindings: binding 1 is i32 in the shader, not u32',
    ],
    [
      'another number',
      binding(3, { binding: 8 }),
      'TaskPayloadSchema.bindings: the shader has binding 7, the task 8',
    ],
    [
      'a binding too few',
      { bindings: contentOf().bindings.slice(0, 3) },
      'TaskPayloadSchema.bindings: the shader has binding 7, the task has no more',
    ],
    [
      'a binding too many',
      {
        bindings: [
          ...contentOf().bindings,
          { binding: 9, access: 'readWrite', type: 'i32', byteLength: 4, offset: undefined },
        ],
      },
      'TaskPayloadSchema.bindings: the shader has no binding 9',
    ],
    [
      'a uniform of another size',
      binding(1, { byteLength: 12 }),
      'TaskPayloadSchema.bindings: binding 2 has 12 bytes, expected 8',
    ],
    [
      'a fixed array of another size',
      binding(3, { byteLength: 16 }),
      'TaskPayloadSchema.bindings: binding 7 has 16 bytes, expected 24',
    ],
    [
      'a step for another type',
      { preprocess: [{ ...step, binding: 2, clamp: { min: 0, max: 1 } }] },
      'TaskPayloadSchema.preprocess: binding 2 is not an i32 buffer to read',
    ],
    [
      'a step for an output',
      { preprocess: [{ ...step, binding: 4, clamp: { min: 0, max: 1 } }] },
      'TaskPayloadSchema.preprocess: binding 4 is not an i32 buffer to read',
    ],
    [
      'a step for nothing',
      { preprocess: [{ ...step, binding: 3, clamp: { min: 0, max: 1 } }] },
      'TaskPayloadSchema.preprocess: the shader has no binding 3',
    ],
    [
      'a slice past the end',
      { preprocess: [{ ...step, slice: { offset: 3, length: 3 } }] },
      'TaskPayloadSchema.preprocess: binding 1: the slice ends at 6, and there are 5 elements',
    ],
    [
      'a clamp upside down',
      { preprocess: [{ ...step, clamp: { min: 0, max: 2 ** 32 - 1 } }] },
      'TaskPayloadSchema.preprocess: binding 1: clamps to 0 at least and -1 at most',
    ],
  ]
  for (const [desc, change, says] of refused) {
    test(desc, () => {
      const parsed = parseShaderTask(taskPayloadSchema.encode(contentOf(change)))
      expect(parsed.ok ? 'accepted' : describeTaskRefusal(parsed.refusal)).toBe(says)
    })
  }

  const unencodable: readonly (readonly [string, Partial<TaskPayloadSchema>, string])[] = [
    [
      'data at another place',
      binding(1, { offset: 48 }),
      'TaskPayloadSchema.bindings: binding 2 has its data at 48, expected 32',
    ],
    [
      'data over other data',
      binding(1, { offset: 16 }),
      'TaskPayloadSchema.bindings: binding 2 has its data at 16, expected 32',
    ],
    [
      'data that is not aligned',
      binding(1, { offset: 20 }),
      'TaskPayloadSchema.bindings: binding 2 has its data at 20, expected 32',
    ],
    [
      'input without a place',
      binding(0, { offset: undefined }),
      'TaskPayloadSchema.bindings: binding 1 has its data at no offset, expected 0',
    ],
    [
      'an output with a place',
      binding(2, { offset: 0 }),
      'TaskPayloadSchema.bindings: binding 4 is an output and has no offset',
    ],
    [
      'bindings out of order',
      { bindings: contentOf().bindings.toReversed() },
      'TaskPayloadSchema.bindings: binding 4 comes after 7',
    ],
    [
      'parts of words',
      binding(2, { byteLength: 10 }),
      'TaskPayloadSchema.bindings: binding 4 has 10 bytes, not whole words',
    ],
    [
      'too much output',
      binding(2, { byteLength: 64 * 2 ** 20 }),
      'TaskPayloadSchema.bindings: the output has 67108888 bytes, the limit is 67108864',
    ],
    [
      'a step of two kinds',
      { preprocess: [{ ...step, clamp: { min: 0, max: 1 }, ema: { alphaNumerator: 1, shift: 1 } }] },
      'ShaderPreprocess.slice: a step is one of slice, clamp and ema',
    ],
    [
      'a step of no kind',
      { preprocess: [step] },
      'ShaderPreprocess.slice: a step is one of slice, clamp and ema',
    ],
  ]
  for (const [desc, change, says] of unencodable) {
    test(desc, () => expect(() => taskPayloadSchema.encode(contentOf(change))).toThrow(says))
  }

  test('random and mutated bytes, or takes them as the one encoding that they are', () => {
    const bytes = encodeShaderTask(contentOf())
    const mutated = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 })).map(([index, byte]) => {
      const copy = bytes.slice()
      copy[index] = byte
      return copy
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated), (some) => {
        const parsed = parseShaderTask(some)
        if (!parsed.ok) return
        const decoded = taskPayloadSchema.decode(some)
        expect(decoded.ok ? encodeHex(taskPayloadSchema.encode(decoded.value)) : 'refused').toBe(
          encodeHex(some),
        )
      }),
      { numRuns: 1000 },
    )
  })
})

describe('a dispatch can take exactness away', () => {
  const exactness = (change: Partial<TaskPayloadSchema>) => taskOf(contentOf(change)).exactness
  test('rows, when x alone is the own index', () => {
    expect(exactness({ dispatchY: 2 })).toEqual({
      exactness: 'inexact',
      reasons: [{ line: 8, column: 3, message: 'x alone is not unique: the dispatch has 2 rows' }],
    })
  })
  test('layers, always', () => {
    expect(exactness({ dispatchZ: 2 })).toMatchObject({ exactness: 'inexact' })
  })
  test('and a workgroup of one invocation does not give it back', () => {
    const one = sourceBytes(source.replace('size(2)', 'size(1)'))
    expect(exactness({ source: one, dispatchY: 3 })).toMatchObject({ exactness: 'inexact' })
  })
})

describe('the payload', () => {
  const task = taskOf(contentOf())
  test('of another length is refused', () => {
    expect(refusePayload(task, new Uint8Array(39))).toEqual({
      kind: 'wrongLength',
      field: 'payload',
      expected: 40,
      actual: 39,
    })
    expect(() => interpret(task, new Uint8Array(41))).toThrow('payload has 41 bytes, expected 40')
  })
  test('with anything in its padding is refused', () => {
    const payload = new Uint8Array(40)
    payload[31] = 1
    expect(refusePayload(task, payload)).toEqual({
      kind: 'inconsistent',
      field: 'payload',
      rule: 'byte 31 is padding and not zero',
    })
    payload[31] = 0
    payload[32] = 1
    expect(refusePayload(task, payload)).toBeUndefined()
  })
})

test('only the floats among the outputs take their one form', () => {
  const floats = source
    .replace('out: array<i32>', 'out: array<f32>')
    .replace('a[id.x] * p.scale', 'f32(p.scale)')
  const built = buildShaderTask({ source: floats, dispatch: [1, 1, 1], fuel: 1, byteLengths: { 1: 4, 4: 8 } })
  if (!built.ok) throw new Error(built.refusal.message)
  const task = taskOf(built.value)
  const output = new Uint8Array(task.outputBytes).fill(0xff)
  expect(encodeHex(canonicalOutput(task, output))).toBe(`0000c07f0000c07f${'ff'.repeat(24)}`)
  expect(findNonCanonical(task, output)).toBe(0)
  output.set([0, 0, 0xc0, 0x7f])
  expect(findNonCanonical(task, output)).toBe(4)
  expect(findNonCanonical(task, canonicalOutput(task, output))).toBeUndefined()
  expect(() => findNonCanonical(task, output.subarray(1))).toThrow('the output has 31 bytes, expected 32')
  expect(() => canonicalOutput(task, output.subarray(1))).toThrow('the output has 31 bytes, expected 32')
})

describe('H16: work', () => {
  const workOf = (body: string, preprocess: readonly PreprocessStep[] = []): number => {
    const built = buildShaderTask({
      source: source.replace('  flags[', `${body}\n  flags[`),
      dispatch: [2, 1, 1],
      fuel: 5,
      byteLengths: { 1: 40, 4: 12 },
      preprocess,
    })
    if (!built.ok) throw new Error(built.refusal.message)
    return taskOf(built.value).work
  }
  const bare = workOf('')

  test('counts every word of a local array, which a loop zeroes again and again', () => {
    const scalar = workOf('loop { var b: u32; }')
    expect(workOf('loop { var b: array<vec4<u32>, 512>; }') - scalar).toBe(4 * 6 * 2048)
  })
  test('counts the elements that go into each preprocessing step', () => {
    const steps: readonly PreprocessStep[] = [
      { kind: 'clamp', binding: 1, min: 0, max: 1 },
      { kind: 'slice', binding: 1, offset: 0, length: 4 },
      { kind: 'ema', binding: 1, alphaNumerator: 1, shift: 1 },
    ]
    expect(workOf('', steps) - bare).toBe(10 + 10 + 4)
  })
})

test('a task outside its bounds is never encoded', () => {
  expect(() => encodeShaderTask(contentOf({ entryPoint: 'other' }))).toThrow("the shader's is 'main'")
  expect(() => sourceBytes('é')).toThrow('which is not ASCII')
  expect(buildShaderTask({ source: 'x', dispatch: [1, 1, 1], fuel: 1, byteLengths: {} })).toMatchObject({
    ok: false,
    refusal: { line: 1, column: 1 },
  })
})
