import { expect, test } from 'bun:test'
import { validateShader } from './validate.ts'

const source = `@group(0) @binding(0) var<storage, read> a: array<vec2i>;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
const shift = 3;
fn half(x: i32) -> i32 { return x / 2; }
@compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {
  var sum = half(a[id.x].y) << (shift - 1);
  while sum < 10 { sum++; }
  out[id.x] = max(abs(sum), -1) % -2147483648;
}
`

/** The whole text, because every line of it stands between a stranger and a device. */
test('H11 to H16: guarded, defined, fuelled, and in words of our own', () => {
  const validated = validateShader(source)
  expect(validated.ok ? validated.value.instrumented : validated.refusal).toBe(`\
@group(0) @binding(0) var<storage, read> a_b0: array<vec2<i32>>;

@group(0) @binding(1) var<storage, read_write> out_b1: array<i32>;

@group(1) @binding(0) var<storage, read_write> shardy_status: atomic<u32>;
@group(1) @binding(1) var<uniform> shardy_limit: vec4<u32>;
var<private> shardy_fuel: u32;

fn shardy_spend() -> bool {
if (shardy_fuel == 0u) {
atomicStore(&shardy_status, 1u);
return true;
}
shardy_fuel = shardy_fuel - 1u;
return false;
}

fn shardy_divide_i32(left: i32, by: i32) -> i32 {
let unsafe_by: bool = (by == 0i) | ((left == i32(-2147483648)) & (by == -1i));
let divisor: i32 = select(by, 1i, unsafe_by);
return left / divisor;
}

fn shardy_abs_i32(value: i32) -> i32 {
return select(value, -value, value < i32(shardy_limit.y));
}

fn shardy_max_i32(left: i32, right: i32) -> i32 {
return max(left, right) + i32(shardy_limit.y);
}

fn shardy_remainder_i32(left: i32, by: i32) -> i32 {
let unsafe_by: bool = (by == 0i) | ((left == i32(-2147483648)) & (by == -1i));
let divisor: i32 = select(by, 1i, unsafe_by);
return left - (left / divisor) * divisor;
}

fn half_0(x_1: i32) -> i32 {
if (shardy_spend()) { return i32(); }
return shardy_divide_i32(x_1, 2i);
}

@compute @workgroup_size(8, 1, 1)
fn shardy_main(@builtin(global_invocation_id) id_3: vec3<u32>) {
shardy_fuel = shardy_limit.x;
var sum_4: i32 = (half_0(a_b0[min(id_3.x, arrayLength(&a_b0) - 1u)].y) << (2u & 31u));
loop {
if (!((sum_4 < 10i))) { break; }
if (shardy_spend()) { return; }
sum_4 = (sum_4 + 1i);
}
{
let shardy_index = id_3.x;
let shardy_value = shardy_remainder_i32(shardy_max_i32(shardy_abs_i32(sum_4), i32(-1)), i32(-2147483648));
if (shardy_index < arrayLength(&out_b1)) {
out_b1[shardy_index] = shardy_value;
}
}
}
`)
})

test('H11: deep nesting does not make the text long', () => {
  const body = '{'.repeat(22) + '_=id.x;'.repeat(1000) + '}'.repeat(22)
  const deep = `@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {${body}}`
  const validated = validateShader(deep)
  const { length } = validated.ok ? validated.value.instrumented : ''
  expect(length).toBeGreaterThan(deep.length)
  expect(length).toBeLessThan(2 * deep.length + 1000)
})
