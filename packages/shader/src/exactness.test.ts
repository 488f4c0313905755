import { describe, expect, test } from 'bun:test'
import { validateShader } from './validate.ts'

const buffers = `@group(0) @binding(0) var<storage, read> a: array<i32>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<uniform> n: u32;
`
/** A body on line 5, with a workgroup of 4 by `height`. */
function shader(body: string, { height = 1, more = '' } = {}): string {
  return `${buffers}@compute @workgroup_size(4, ${height}) fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
${body}
}
${more}`
}

function judge(source: string): readonly string[] | 'exact' {
  const validated = validateShader(source)
  if (!validated.ok)
    throw new Error(`${validated.refusal.line}:${validated.refusal.column} ${validated.refusal.message}`)
  const { exactness } = validated.value
  if (exactness.exactness === 'exact') return 'exact'
  return exactness.reasons.map(({ line, column, message }) => `${line}:${column} ${message}`)
}

describe('own indices that are recognised', () => {
  const bodies = [
    'out[id.x] = 1u;',
    'let i = id.x; if i >= arrayLength(&out) { return; } out[i] = u32(a[i]);',
    'let all_of_it = id; let i = all_of_it.x; out[i] = 1u;',
    'let i = id.xyz.x; _ = i; out[id.x] = 1u;',
    'out[id.x * 4u] = 1u; out[id.x * 4u + 3u] = 1u; out[3u + 4u * id.x] = 1u;',
    'let base = id.x * 4u; let next = base + 1u; out[next + 2u] = 1u;',
    'out[id.x * 2u * 2u + (n % 4u)] = 1u;',
    'out[id.x * 4u + (n & 3u)] = 1u; out[id.x * 4u + min(n, 3u)] = 1u; out[id.x * 4u + min(3u, n)] = 1u;',
    'out[id.x * 4u + n % 2u + (n & 2u)] = 1u;',
    'const stride = 4u; out[id.x * stride + (stride - 1u)] = 1u;',
    'for (var c = 0u; c < 4u; c++) { out[id.x * 4u + c] = 1u; }',
    'for (var c = 7u; c < 4u; c = n) { for (var d = 0u; d < 1u; d += c) { out[id.x * 4u + c + d] = 1u; } }',
    'if n > 3u { while true { switch n { default { out[id.x] = 1u; break; } } } }',
    'out[id.y * (groups.x * 4u) + id.x] = 1u;',
    'let row = 4u * groups.x; let i = id.x + row * id.y; out[2u * i] = 1u; out[i * 2u + 1u] = 1u;',
    'out[id.y * groups.x * 4u + id.x] = 1u;',
    'out[id.x * 256u + 255u] = 1u;',
  ]
  for (const body of bodies) test(body, () => expect(judge(shader(body))).toBe('exact'))

  test('rows of a workgroup with two dimensions', () => {
    expect(judge(shader('out[id.y * (groups.x * 4u) + id.x] = 1u;', { height: 2 }))).toBe('exact')
  })
})

const unknown = "the index is not recognised as the invocation's own (spec H22)"
describe('own indices that are not', () => {
  const bodies: readonly (readonly [string, string])[] = [
    ['out[0] = 1u;', `5:1 ${unknown}`],
    ['out[n] = 1u;', `5:1 ${unknown}`],
    ['out[local] = 1u;', `5:1 ${unknown}`],
    ['out[id.y] = 1u;', `5:1 ${unknown}`],
    ['out[groups.x] = 1u;', `5:1 ${unknown}`],
    ['out[id.x / 2u] = 1u;', `5:1 ${unknown}`],
    ['out[id.x % 8u] = 1u;', `5:1 ${unknown}`],
    ['out[id.x - 1u] = 1u;', `5:1 ${unknown}`],
    ['out[id.x ^ 1u] = 1u;', `5:1 ${unknown}`],
    ['out[id.x + n] = 1u;', `5:1 ${unknown}`],
    ['out[id.x * n] = 1u;', `5:1 ${unknown}`],
    ['out[id.x * 0u] = 1u;', `5:1 ${unknown}`],
    ['out[id.x * 257u] = 1u;', `5:1 ${unknown}`],
    ['out[id.x * 128u * 128u] = 1u;', `5:1 ${unknown}`],
    ['out[(id.x + 1u) * 2u] = 1u;', `5:1 ${unknown}`],
    ['out[id.x * id.x] = 1u;', `5:1 ${unknown}`],
    ['out[id.x + id.x] = 1u;', `5:1 ${unknown}`],
    ['out[i32(id.x)] = 1u;', `5:1 ${unknown}`],
    ['out[u32(i32(id.x))] = 1u;', `5:1 ${unknown}`],
    ['out[min(id.x, 100u)] = 1u;', `5:1 ${unknown}`],
    ['out[id.y * 4u + id.x] = 1u;', `5:1 ${unknown}`],
    ['out[id.y * (groups.x * 3u) + id.x] = 1u;', `5:1 ${unknown}`],
    ['out[id.y * (groups.y * 4u) + id.x] = 1u;', `5:1 ${unknown}`],
    ['out[id.y * groups.x + id.x] = 1u;', `5:1 ${unknown}`],
    ['out[id.x * (groups.x * 4u) + id.y] = 1u;', `5:1 ${unknown}`],
    ['var i = id.x; out[i] = 1u;', `5:15 ${unknown}`],
    ['out[id.x + 1u] = 1u;', '5:1 the index reaches 1 past the own block, which has 1 elements'],
    ['out[id.x * 4u + 4u] = 1u;', '5:1 the index reaches 4 past the own block, which has 4 elements'],
    ['out[id.x * 4u + n % 5u] = 1u;', '5:1 the index reaches 4 past the own block, which has 4 elements'],
    [
      'out[id.x * 4u + 2u + n % 3u] = 1u;',
      '5:1 the index reaches 4 past the own block, which has 4 elements',
    ],
    [
      'for (var c = 0u; c < 5u; c++) { out[id.x * 4u + c] = 1u; }',
      '5:33 the index reaches 4 past the own block, which has 4 elements',
    ],
    ['for (var c = 0u; c <= 3u; c++) { out[id.x * 4u + c] = 1u; }', `5:34 ${unknown}`],
    ['for (var c = 0u; c < 4u; c++) { c += 9u; out[id.x * 4u + c] = 1u; }', `5:42 ${unknown}`],
    ['for (var c = 0u; c < 4u; c++) { for (;; c++) { break; } out[id.x * 4u + c] = 1u; }', `5:57 ${unknown}`],
    ['for (var c = 0u; c < n; c++) { out[id.x * 4u + c] = 1u; }', `5:32 ${unknown}`],
    ['var c = 0u; for (; c < 4u; c++) { out[id.x * 4u + c] = 1u; }', `5:35 ${unknown}`],
    [
      'out[id.x * 4u] = 1u; out[id.x * 2u] = 1u;',
      '5:22 the buffer is written in blocks of 4 and of 2: blocks of two sizes overlap',
    ],
    ['out[id.x] += 1u;', "5:1 'out' is read and written: keep read and write buffers apart"],
    ['out[id.x] = out[id.x + 1u];', "5:13 'out' is read and written: keep read and write buffers apart"],
    [
      'let x = 1.5; out[id.x] = 1u;',
      '5:5 floats: devices differ in rounding, fusing and functions; use fixed-point integers',
    ],
    [
      'if f32(n) > 2.0 { out[id.x] = 1u; }',
      '5:4 floats: devices differ in rounding, fusing and functions; use fixed-point integers',
    ],
    [
      'out[id.x] = bitcast<u32>(f32(n));',
      '5:26 floats: devices differ in rounding, fusing and functions; use fixed-point integers',
    ],
  ]
  for (const [body, reason] of bodies) test(body, () => expect(judge(shader(body))).toContain(reason))

  test('x alone in a workgroup of two rows', () => {
    expect(judge(shader('out[id.x] = 1u;', { height: 2 }))).toEqual([
      '5:1 x alone is not unique: the workgroup has a second dimension',
    ])
  })

  test('a write in a function that is called', () => {
    const more = 'fn f(i: u32) { out[i] = 1u; }'
    expect(judge(shader('f(id.x);', { more }))).toEqual([
      '7:16 a write outside the entry point: return the value and write it there',
    ])
  })

  test('atomics', () => {
    const source = shader('atomicAdd(&out[id.x], 1u);').replace('array<u32>', 'array<atomic<u32>>')
    expect(judge(source)).toEqual(['2:48 atomics: the order in which invocations reach them is not defined'])
  })

  test('floats in a buffer that is not even read', () => {
    expect(judge(shader('').replace('array<i32>', 'array<vec2f>'))).toHaveLength(1)
  })

  test('every reason is told in order, at most twenty', () => {
    const reasons = judge(shader('out[0] = 1u;\n'.repeat(30)))
    expect(reasons).toHaveLength(20)
    expect(reasons[1]).toBe(`6:1 ${unknown}`)
  })
})
