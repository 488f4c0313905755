import { expect, test } from 'bun:test'
import { buildShaderTask } from './build.ts'
import { interpret } from './interpret.ts'
import { describeTaskRefusal, encodeShaderTask, parseShaderTask, type ShaderTask } from './task.ts'

const source = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
fn f(x: u32) -> u32 { return x + 7u; }
@compute @workgroup_size(2) fn main(@builtin(global_invocation_id) id: vec3u) { out[id.x] = f(id.x); }
`

function task(): ShaderTask {
  const built = buildShaderTask({ source, dispatch: [1, 1, 1], fuel: 9, byteLengths: { 0: 8 } })
  if (!built.ok) throw new Error(built.refusal.message)
  const parsed = parseShaderTask(encodeShaderTask(built.value))
  if (!parsed.ok) throw new Error(describeTaskRefusal(parsed.refusal))
  return parsed.value
}

test('a call gives what its function returned', () => {
  const bytes = new Uint8Array(Uint32Array.of(7, 8).buffer)
  expect(interpret(task(), new Uint8Array(0))).toEqual({ kind: 'output', bytes })
})

test('a function that ends without its value stops the run: no earlier call speaks for it', () => {
  const broken = task()
  const [callee] = broken.shader.functions
  if (callee === undefined) throw new Error('the shader has two functions')
  // No source gives such a tree; the validator refuses it.
  Object.assign(callee, { body: [] })
  expect(() => interpret(broken, new Uint8Array(0))).toThrow("'f' ended without a value")
})
