import { describe, expect, test } from 'bun:test'
import { encodeHex } from '@shardy/protocol'
import {
  buildShaderTask,
  describeTaskRefusal,
  encodeShaderTask,
  interpret,
  parseShaderTask,
  type ShaderRequest,
  type ShaderTask,
  validateShader,
} from '@shardy/shader'
import fc from 'fast-check'
import { findGpu } from '../../dawn.ts'
import { requiredLimits } from '../limits.ts'
import { deepShaders, wideShader } from './deepShaders.ts'
import { refuseBeyondLimits, type ShaderLimits } from './limits.ts'
import { randomShader } from './randomShader.ts'
import { runShader } from './run.ts'

function taskOf(request: ShaderRequest): ShaderTask {
  const built = buildShaderTask(request)
  if (!built.ok) throw new Error(`${describeTaskRefusal(built.refusal)}\n${request.source}`)
  const parsed = parseShaderTask(encodeShaderTask(built.value))
  if (!parsed.ok) throw new Error(describeTaskRefusal(parsed.refusal))
  return parsed.value
}

/** Bytes spread over the whole range, with zeros, ones and the ends of the range among them; padding stays zero. */
function scatteredPayload(task: ShaderTask): Uint8Array {
  const payload = new Uint8Array(task.payloadBytes)
  const view = new DataView(payload.buffer)
  const special = [0, 1, -1, 2 ** 31, 2 ** 31 - 1, 33]
  let state = 0x9e3779b9
  for (const { buffer, offset, byteLength } of task.bindings) {
    if (buffer.access === 'readWrite') continue
    for (let index = offset; index < offset + byteLength; index += 4) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0
      view.setUint32(index, state >>> 28 < 6 ? (special[state >>> 28] ?? 0) : state, true)
    }
  }
  return payload
}

const output = '@group(0) @binding(0) var<storage, read_write> out: array<u32>;'
const head = '@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u)'

/** One output of `count` words and a body; what the body needs beside it stands in `more`. */
function outputTask(body: string, { fuel = 100, groups = 1, more = '', words = 4 } = {}): ShaderTask {
  const source = `${output}\n${more}\n${head} {\n${body}\n}\n`
  return taskOf({ source, dispatch: [groups, 1, 1], fuel, byteLengths: { 0: 4 * words } })
}

const gpu = await findGpu({ allowSoftware: true })

if ('refusal' in gpu) {
  console.warn(`user shaders not tested: ${gpu.refusal.message}`)
  test.skip(`user shaders (${gpu.refusal.message})`, () => {})
} else {
  const openDevice = async (): Promise<GPUDevice> => {
    const adapter = await gpu.requestAdapter()
    if (adapter === null) throw new Error('the adapter has gone')
    return await adapter.requestDevice({ requiredLimits: requiredLimits(adapter.limits) })
  }
  const device = await openDevice()

  async function expectSame(task: ShaderTask, payload: Uint8Array): Promise<void> {
    const expected = interpret(task, payload)
    const actual = await runShader(device, task, payload)
    if (expected.kind === 'outOfFuel') return expect(actual).toEqual({ kind: 'outOfFuel' })
    expect(actual.kind === 'output' ? encodeHex(actual.bytes) : actual.kind).toBe(encodeHex(expected.bytes))
  }

  describe('a device gives what the interpreter gives', () => {
    test('for random exact shaders, bit for bit', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.nat({ max: 1 << 20 }), { minLength: 20, maxLength: 300 }),
          fc.integer({ min: 1, max: 13 }),
          fc.integer({ min: 1, max: 40 }),
          async (tape, groups, words) => {
            const source = randomShader(tape)
            const byteLengths = { 0: 4 * words, 1: 8 * words, 2: 4 * (words + 3), 3: 8 * words }
            const task = taskOf({ source, dispatch: [groups, 1, 1], fuel: 60, byteLengths })
            expect(task.exactness).toMatchObject({ exactness: 'exact' })
            await expectSame(task, scatteredPayload(task))
          },
        ),
        { numRuns: 40 },
      )
    }, 60_000)

    const extremes = [0, 1, -1, 2, 31, 32, 33, 2 ** 31 - 1, -(2 ** 31), -(2 ** 31) + 1, 0x7fff, -7]
    const operators = ['+', '-', '*', '/', '%', '&', '|', '^']
    test('for every operator on every pair of extremes, signed and unsigned', async () => {
      const count = extremes.length ** 2
      const lines = (type: string, to: string) => [
        ...operators.map((operator) => `${to}(x ${operator} y)`),
        ...['<<', '>>'].map((operator) => `${to}(x ${operator} u32(y))`),
        ...['<', '<=', '==', '>'].map((operator) => `${to}(x ${operator} y)`),
        `${to}(vec2<${type}>(x, y) / vec2<${type}>(y, x)).y`,
      ]
      for (const [type, to] of [
        ['i32', 'u32'],
        ['u32', 'u32'],
      ] as const) {
        const words = lines(type, to).map((text) =>
          text.endsWith('.y') ? `u32((vec2<${type}>(x, y) / y).x)` : text,
        )
        const body = words.map((text, index) => `out[id.x * ${words.length}u + ${index}u] = ${text};`)
        const source = `${output}
@group(0) @binding(1) var<storage, read> pairs: array<vec2<${type}>>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = pairs[id.x].x;
  let y = pairs[id.x].y;
  ${body.join('\n  ')}
}`
        const byteLengths = { 0: 4 * words.length * count, 1: 8 * count }
        const task = taskOf({ source, dispatch: [count, 1, 1], fuel: 1, byteLengths })
        const payload = new Uint8Array(
          Int32Array.from(extremes.flatMap((x) => extremes.flatMap((y) => [x, y]))).buffer,
        )
        await expectSame(task, payload)
      }
    })

    // A driver was seen to lose the minus signs here (spec H25).
    test('for bounds within bounds', async () => {
      const words = [
        ...[
          'max(x, max(y, -y))',
          'min(x, min(y, -y))',
          'max(x, abs(y))',
          'min(abs(x), abs(y))',
          'clamp(-x, -y, abs(x))',
        ],
        ...[
          'max(x, max(y, 0 - y))',
          'max(x, max(y, ~y + 1))',
          'max(x, max(y, y * -1))',
          'min(-x, min(-y, -(x - y)))',
        ],
        ...['max(x, select(y, -y, y < 0))', 'max(x, select(y, -y, y < -y))', 'max(-x, min(-y, max(y, -x)))'],
      ]
      const body = words.map((text, index) => `out[id.x * ${words.length}u + ${index}u] = ${text};`)
      const source = `@group(0) @binding(0) var<storage, read_write> out: array<i32>;
@group(0) @binding(1) var<storage, read> pairs: array<vec2<i32>>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = pairs[id.x].x;
  let y = pairs[id.x].y;
  ${body.join('\n  ')}
}`
      const count = extremes.length ** 2
      const byteLengths = { 0: 4 * words.length * count, 1: 8 * count }
      const task = taskOf({ source, dispatch: [count, 1, 1], fuel: 1, byteLengths })
      const pairs = extremes.flatMap((x) => extremes.flatMap((y) => [x, y]))
      await expectSame(task, new Uint8Array(Int32Array.from(pairs).buffer))
    })

    test('for bounds in the wrong order, and sides that are never computed', async () => {
      const more = 'fn f(x: u32) -> bool { return x > 1u; }'
      const body = `var x = clamp(id.x, 3u, 2u);
if (id.x > 9u && (f(x) || f(x))) || id.x < 9u || (f(x) && f(x)) { x += 10u; }
out[id.x] = x;`
      // Either call more than one would spend it.
      const task = outputTask(body, { more, fuel: 1 })
      await expectSame(task, new Uint8Array(0))
      expect((await runShader(device, task, new Uint8Array(0))).kind).toBe('output')
      const eager = outputTask('out[id.x] = select(0u, 1u, (id.x < 9u && f(1u)) || f(2u));', {
        more,
        fuel: 1,
      })
      expect(await runShader(device, eager, new Uint8Array(0))).toEqual({ kind: 'outOfFuel' })
      await expectSame(eager, new Uint8Array(0))
    })

    test('for rows and columns', async () => {
      const source = `${output}
@compute @workgroup_size(3, 2) fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = groups.x * 3u;
  out[id.y * row + id.x] = group.x * 1000u + group.y * 100u + local.x * 10u + local.y;
}`
      const task = taskOf({ source, dispatch: [4, 3, 1], fuel: 1, byteLengths: { 0: 4 * 12 * 6 } })
      expect(task.exactness).toMatchObject({ exactness: 'exact' })
      await expectSame(task, new Uint8Array(0))
    })
  })

  describe('fuel ends', () => {
    const endless = [
      { desc: 'loop', body: 'loop { }' },
      { desc: 'loop that continues', body: 'loop { continue; }' },
      {
        desc: 'loop with continuing',
        body: 'var x = 0u; loop { continuing { x++; break if x == 0u && id.x > 9u; } }',
      },
      { desc: 'while', body: 'while true { }' },
      { desc: 'for without a condition', body: 'for (;;) { }' },
      { desc: 'for that never arrives', body: 'for (var x = 1u; x != 0u; x += 2u) { }' },
      { desc: 'for that is set back', body: 'for (var x = 0u; x < 5u; x++) { x = 0u; }' },
      { desc: 'nested loops', body: 'loop { loop { break; } }' },
      { desc: 'a loop in a switch', body: 'switch id.x { default: { while id.x < 4u { continue; } } }' },
      {
        desc: 'a loop in a called function',
        body: 'out[id.x] = f(id.x);',
        more: 'fn f(x: u32) -> u32 { while true { } return x; }',
      },
      {
        desc: 'a loop in a condition',
        body: 'while f(1u) == 0u { }',
        more: 'fn f(x: u32) -> u32 { while true { } return x; }',
      },
      {
        desc: 'a loop in an argument',
        body: 'out[id.x] = max(f(id.x), f(f(2u)));',
        more: 'fn f(x: u32) -> u32 { loop { } return x; }',
      },
      { desc: 'only one invocation', body: 'while id.x == 2u { }' },
    ]
    for (const { desc, body, more = '' } of endless) {
      test(`${desc}, on the device and in the interpreter`, async () => {
        const task = outputTask(body, { more, fuel: 1000 })
        expect(interpret(task, new Uint8Array(0)).kind).toBe('outOfFuel')
        expect(await runShader(device, task, new Uint8Array(0))).toEqual({ kind: 'outOfFuel' })
      })
    }

    test('exactly when it is spent: the same last unit on both', async () => {
      const body = 'var x = 0u; for (var i = 0u; i < 5u; i++) { x += f(i); } out[id.x] = x;'
      const more = 'fn f(x: u32) -> u32 { return x + 1u; }'
      for (const [fuel, kind] of [
        [9, 'outOfFuel'],
        [10, 'output'],
      ] as const) {
        const task = outputTask(body, { more, fuel })
        expect(interpret(task, new Uint8Array(0)).kind).toBe(kind)
        expect((await runShader(device, task, new Uint8Array(0))).kind).toBe(kind)
      }
    })

    test('and the device goes on with the next task', async () => {
      await runShader(device, outputTask('loop { }', { fuel: 100_000 }), new Uint8Array(0))
      expect(await runShader(device, outputTask('out[id.x] = id.x;'), new Uint8Array(0))).toEqual({
        kind: 'output',
        bytes: new Uint8Array(Uint32Array.of(0, 1, 2, 3).buffer),
      })
    })
  })

  describe('indices beyond the end', () => {
    test('read the last element and write nothing', async () => {
      const source = `${output}
@group(0) @binding(1) var<storage, read> a: array<i32>;
${head} {
  var t: array<u32, 2>;
  t[id.x + 1u] = 7u;
  t[u32(a[2]) + id.x] = 9u;
  out[id.x] = u32(a[id.x + 4294967295u]) + u32(a[i32(id.x) - 9]) + t[1] + t[id.x * 3000000000u];
}`
      const task = taskOf({ source, dispatch: [3, 1, 1], fuel: 1, byteLengths: { 0: 20, 1: 12 } })
      await expectSame(task, new Uint8Array(Int32Array.of(10, 20, 30).buffer))
    })

    test('of a vector take the last component', async () => {
      const body = 'let v = vec3u(5u, 6u, 7u + id.x); out[id.x] = v[id.x] * 100u + v[id.x + 4294967290u];'
      const task = outputTask(body)
      await expectSame(task, new Uint8Array(0))
      expect(await runShader(device, task, new Uint8Array(0))).toEqual({
        kind: 'output',
        bytes: new Uint8Array(Uint32Array.of(507, 608, 909, 1010).buffer),
      })
    })

    test('of an output leave the neighbours alone', async () => {
      const task = outputTask('out[id.x] = 1u + id.x;', { groups: 9, words: 5 })
      await expectSame(task, new Uint8Array(0))
    })
  })

  test('preprocessing is part of what the device sees', async () => {
    const source = `${output}
@group(0) @binding(3) var<storage, read> a: array<i32>;
${head} { out[id.x] = u32(a[id.x]); }`
    const preprocess = [
      { kind: 'slice', binding: 3, offset: 1, length: 4 },
      { kind: 'clamp', binding: 3, min: -50, max: 50 },
      { kind: 'ema', binding: 3, alphaNumerator: 1, shift: 2 },
    ] as const
    const task = taskOf({ source, dispatch: [1, 1, 1], fuel: 1, byteLengths: { 0: 16, 3: 24 }, preprocess })
    const payload = new Uint8Array(Int32Array.of(9, 10, 1000, -1000, 3, 8).buffer)
    await expectSame(task, payload)
    expect(await runShader(device, task, payload)).toEqual({
      kind: 'output',
      bytes: new Uint8Array(Int32Array.of(10, 20, 3, 3).buffer),
    })
  })

  test('an inexact shader runs too: floats, atomics, scattered writes', async () => {
    const source = `@group(0) @binding(0) var<storage, read_write> counts: array<atomic<u32>, 2>;
@group(0) @binding(1) var<storage, read_write> roots: array<f32>;
@group(0) @binding(2) var<uniform> scale: f32;
@compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {
  atomicAdd(&counts[id.x % 2u], id.x);
  roots[7u - id.x] = sqrt(f32(id.x) * scale) + 1.5e0 - 0.5;
}`
    const task = taskOf({ source, dispatch: [1, 1, 1], fuel: 1, byteLengths: { 1: 32 } })
    expect(task.exactness.exactness).toBe('inexact')
    const outcome = await runShader(device, task, new Uint8Array(Float32Array.of(4).buffer))
    if (outcome.kind !== 'output') throw new Error(outcome.kind)
    expect([...new Uint32Array(outcome.bytes.slice(0, 8).buffer)]).toEqual([12, 16])
    expect([...new Float32Array(outcome.bytes.slice(8).buffer)][6]).toBeCloseTo(3)
    expect(() => interpret(task, new Uint8Array(4))).toThrow('only exact tasks')
  })

  describe('H2: what is accepted compiles', () => {
    const accepts = (source: string): boolean => validateShader(source).ok
    const deep = deepShaders(accepts)
    const taskOfDeep = (source: string): ShaderTask =>
      taskOf({ source, dispatch: [1, 1, 1], fuel: 1000, byteLengths: { 0: 16, 1: 16 } })
    const payload = new Uint8Array(Int32Array.of(3, 1, 0, 0).buffer)

    test('by its form, however deep statements and expressions are together', async () => {
      const refused: string[] = []
      for (const { statements, expressions, source } of deep) {
        const module = device.createShaderModule({ code: taskOfDeep(source).instrumented })
        const { messages } = await module.getCompilationInfo()
        const error = messages.find(({ type }) => type === 'error')
        if (error !== undefined) refused.push(`${expressions} in ${statements}: ${error.message}`)
      }
      expect(refused).toEqual([])
      expect(deep.length).toBeGreaterThan(100)
    })

    test('wholly, every kind of statement and of expression at its deepest', async () => {
      for (const { statements, expressions, source } of deep) {
        if (statements !== 'switch' && expressions !== 'indices') continue
        await expectSame(taskOfDeep(source), payload)
      }
    }, 60_000)

    test('with as many parameters as a function may have', async () => {
      expect(accepts(wideShader(33))).toBe(false)
      await expectSame(taskOfDeep(wideShader(32)), payload)
    })
  })

  test('a payload of another length is refused as input', async () => {
    const answer = runShader(device, outputTask('out[id.x] = 1u;'), new Uint8Array(4))
    expect(await answer.catch((thrown) => thrown)).toMatchObject({ kind: 'inputRefused' })
  })

  test('a call that is aborted before it begins does nothing', async () => {
    const signal = AbortSignal.abort()
    const answer = runShader(device, outputTask('out[id.x] = 1u;'), new Uint8Array(0), { signal })
    expect(await answer.catch((thrown) => thrown)).toMatchObject({ kind: 'aborted' })
  })

  test('a device that is lost ends the call as lost', async () => {
    const other = await openDevice()
    other.destroy()
    await other.lost
    const answer = runShader(other, outputTask('out[id.x] = 1u;'), new Uint8Array(0))
    expect(await answer.catch((thrown) => thrown)).toMatchObject({ kind: 'deviceLost' })
  })
}

describe('limits', () => {
  const defaults: ShaderLimits = {
    maxBufferSize: 268_435_456,
    maxStorageBufferBindingSize: 134_217_728,
    maxUniformBufferBindingSize: 65_536,
    maxStorageBuffersPerShaderStage: 8,
    maxUniformBuffersPerShaderStage: 12,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupSizeX: 256,
    maxComputeWorkgroupSizeY: 256,
    maxComputeWorkgroupSizeZ: 64,
    maxComputeWorkgroupsPerDimension: 65_535,
  }
  const task = outputTask('out[id.x] = 1u;', { groups: 6, words: 30 })

  test('every WebGPU device runs what the spec accepts', () => {
    expect(() => refuseBeyondLimits(task, defaults)).not.toThrow()
  })

  const refused = [
    { limit: 'maxBufferSize', max: 100, says: 'a buffer of 120' },
    { limit: 'maxStorageBufferBindingSize', max: 100, says: 'a binding of 120' },
    { limit: 'maxStorageBuffersPerShaderStage', max: 1, says: 'a number of storage buffers of 2' },
    { limit: 'maxUniformBuffersPerShaderStage', max: 0, says: 'a number of uniform buffers of 1' },
    { limit: 'maxComputeInvocationsPerWorkgroup', max: 3, says: 'a workgroup of 4' },
    { limit: 'maxComputeWorkgroupSizeX', max: 3, says: 'a workgroup width of 4' },
    { limit: 'maxComputeWorkgroupSizeY', max: 0, says: 'a workgroup height of 1' },
    { limit: 'maxComputeWorkgroupSizeZ', max: 0, says: 'a workgroup depth of 1' },
    { limit: 'maxComputeWorkgroupsPerDimension', max: 5, says: 'a dispatch of 6' },
  ] as const
  for (const { limit, max, says } of refused) {
    test(`${limit} of ${max} is refused in words`, () => {
      expect(() => refuseBeyondLimits(task, { ...defaults, [limit]: max })).toThrow(
        expect.objectContaining({
          kind: 'beyondLimits',
          message: `the shader needs ${says}, the device's ${limit} is ${max}`,
        }),
      )
    })
  }
})
