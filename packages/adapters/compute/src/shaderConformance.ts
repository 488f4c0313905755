/** What every executor that runs shaders must do with them. Part of the tests, like `conformance.ts`. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { buildShaderTask, encodeShaderTask, interpret, parseShaderTask } from '@shardy/shader'
import { ComputeError, type Executor } from './executor.ts'

const source = (body: string) => `
@group(0) @binding(0) var<storage, read> x: array<i32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&y)) { return; }
  ${body}
}`

function taskOf(body: string, fuel = 100, groups = 2): Uint8Array {
  const built = buildShaderTask({
    source: source(body),
    dispatch: [groups, 1, 1],
    fuel,
    byteLengths: { 0: 52, 1: 52 },
  })
  if (!built.ok) throw new Error(built.refusal.message)
  return encodeShaderTask(built.value)
}

const payload = new Uint8Array(
  Int32Array.from({ length: 13 }, (_, index) => (index - 6) * 400_000_003).buffer,
)

function expectedOf(task: Uint8Array): Uint8Array {
  const parsed = parseShaderTask(task)
  if (!parsed.ok) throw new Error('the task was just made')
  const interpreted = interpret(parsed.value, payload)
  if (interpreted.kind !== 'output') throw new Error('it has fuel enough')
  return interpreted.bytes
}

export function describeShaders(name: string, open: () => Promise<Executor>): void {
  describe(`shaders on ${name}`, () => {
    let executor: Executor
    beforeAll(async () => {
      executor = await open()
    })
    afterAll(() => executor?.close())

    const run = async (task: Uint8Array, bytes = payload) => {
      if (executor.runShader === undefined) throw new Error('this executor runs no shaders')
      return executor.runShader(task, bytes)
    }
    const failureOf = (answer: Promise<unknown>) =>
      answer.then(
        () => 'none',
        (thrown: unknown) => (thrown instanceof ComputeError ? thrown.kind : String(thrown)),
      )

    test('floats come back in their one form (spec H34), or the shader is handed back', async () => {
      const built = buildShaderTask({
        source: source('y[i] = x[i];').replaceAll('<i32>', '<f32>'),
        dispatch: [2, 1, 1],
        fuel: 1,
        byteLengths: { 0: 52, 1: 52 },
      })
      if (!built.ok) throw new Error(built.refusal.message)
      const nans = [0x7fc0_0001, 0xffc0_0000, 0xffff_ffff, 0x7fff_ffff, 0x7fc0_0000, 0xffc1_2345]
      const others = [0x8000_0000, 0, 0x7f80_0000, 0xff80_0000, 0x3f80_0000, 0xbf80_0000, 0x7f7f_ffff]
      const given = new Uint8Array(Uint32Array.from([...nans, ...others]).buffer)
      const answer = await run(encodeShaderTask(built.value), given).catch((thrown: unknown) => thrown)
      if (answer instanceof ComputeError) expect(answer.kind).toBe('beyondLimits')
      else {
        const words = [...new Uint32Array((answer as Uint8Array).slice().buffer)]
        expect(words).toEqual([...nans.map(() => 0x7fc0_0000), ...others])
      }
    })

    test('an exact shader gives what the interpreter gives', async () => {
      const bodies = [
        'y[i] = x[i] * 3 + 7;',
        'y[i] = x[i] / (x[i] % 3);',
        'var sum = 0; for (var j = 0u; j < i; j++) { sum += x[j] << (j + 20u); } y[i] = sum;',
      ]
      for (const body of bodies) {
        const task = taskOf(body)
        expect(await run(task)).toEqual(expectedOf(task))
      }
    })

    test('an endless loop ends without fuel, and the next shader is served', async () => {
      expect(await failureOf(run(taskOf('var n = 0; while (x[i] != 123456) { n = n + 1; } y[i] = n;')))).toBe(
        'outOfFuel',
      )
      const task = taskOf('y[i] = x[i];')
      expect(await run(task)).toEqual(expectedOf(task))
    })

    test('what could keep the device for too long is refused before it begins', async () => {
      const body = 'var n = 0; for (var j = 0u; j < 4000000000u; j++) { n = n + 1; } y[i] = n;'
      expect(await failureOf(run(taskOf(body, 2 ** 20, 2000)))).toBe('beyondLimits')
    })

    test('bytes that are no task, and a payload of another length, are refused', async () => {
      expect(await failureOf(run(Uint8Array.of(1, 2, 3)))).toBe('programRefused')
      expect(await failureOf(run(taskOf('y[i] = x[i];'), payload.subarray(4)))).toBe('inputRefused')
    })
  })
}
