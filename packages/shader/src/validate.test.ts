import { describe, expect, test } from 'bun:test'
import { validateShader } from './validate.ts'

const out = '@group(0) @binding(0) var<storage, read_write> out: array<u32>;\n'
const entry = '@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {\n'

/** `line:column message`, or `accepted`. */
function verdict(source: string): string {
  const validated = validateShader(source)
  if (validated.ok) return 'accepted'
  const { line, column, message } = validated.refusal
  return `${line}:${column} ${message}`
}

/** A whole shader around some statements, which begin on line 3. */
const inEntry = (body: string): string => `${out}${entry}${body}\n}`
/** A whole shader below some declarations, which begin on line 1. */
const below = (declarations: string): string => `${declarations}\n${out}${entry}out[id.x] = 1u;\n}`

describe('accepts', () => {
  const accepted: readonly (readonly [string, string])[] = [
    ['the least', inEntry('')],
    ['nested comments', inEntry('/* /* */ out[9] = 1u; */ out[id.x] = 2u; // /* no')],
    ['template lists', inEntry('let v = vec2<u32>(1u, 2u);')],
    ['a list that closes with >>', inEntry('var t: array<vec2<u32>,4>; t[0]=vec2<u32>(id.x>>1u, id.x);')],
    [
      'a comparison that looks like a list',
      inEntry('let x = id.x; let b = x < id.y && id.z > (3); if b { }'),
    ],
    ['an operator beside a type name', inEntry('let big = id.x < u32(3) || id.y > u32(4);')],
    [
      'numbers of every spelling',
      inEntry(
        'let a = 0; let b = 0u; let c = 0xFFu; let d = 0x7fffffffi; let e = 4294967295u; let f = -2147483648; let g = .5; let h = 1e3; let i = 2.f; let j = 1f;',
      ),
    ],
    ['constants of constants', below('const a = 1 << 3; const b: u32 = a * 2 - 1; const c = b % 4u == 3u;')],
    [
      'constants wider than 32 bits on the way',
      below('const a: u32 = 4294967295 * 2147483647 / 2147483647;'),
    ],
    [
      'functions after their callers',
      `${inEntry('out[id.x] = f(id.x);')}\nfn f(x: u32) -> u32 { return g(x); } fn g(x: u32) -> u32 { return x; }`,
    ],
    [
      'a local that hides a module name',
      below('const n = 1;\nfn f(n: u32) -> u32 { if n > 1u { let n = false; _ = n; } return n; }'),
    ],
    [
      'every loop',
      inEntry(
        'for (;;) { break; } while id.x < 1u { continue; } loop { if id.x > 0u { break; } continuing { break if id.y == 0u; } }',
      ),
    ],
    [
      'every switch',
      inEntry(
        'switch i32(id.x) { case 1, 2: { } case -1 { } default { } } switch id.x { case 1u, default: { } }',
      ),
    ],
    [
      'every assignment',
      inEntry(
        'var x = 1u; x++; x--; x += 1; x -= 1; x *= 2; x /= 2; x %= 2; x &= 1; x |= 1; x ^= 1; x <<= 1; x >>= 1; _ = x; var v = vec3i(); v.y = 2; v += 1; v *= v;',
      ),
    ],
    [
      'swizzles and indices',
      inEntry('let v = vec4u(1u, id.xy, 2u); let w = v.xxyy + v.bgra; let x = w[id.x] + w[3]; _ = x;'),
    ],
    [
      'uniforms of every layout',
      below(
        'struct P { a: u32, b: vec3f, c: i32 }\n@group(0) @binding(1) var<uniform> p: P;\n@group(0) @binding(2) var<uniform> q: vec4f;\n@group(0) @binding(3) var<uniform> r: array<vec4i, 3>;\nfn f() -> f32 { return p.b.x + q.w + f32(r[2].x) + f32(p.c); }',
      ),
    ],
    [
      'a return by a switch whose loops and switches have breaks of their own',
      below(
        'fn f(x: u32) -> u32 { switch x { default { loop { if x > 3u { break; } } switch x { default { break; } } return x; } } }',
      ),
    ],
    ['a workgroup at the limit', inEntry('').replace('size(1)', 'size(4, 4, 16)')],
    ['a constant workgroup size', `const n = 8;\n${inEntry('')}`.replace('size(1)', 'size(n * 2)')],
    [
      'trailing commas',
      `${out}@compute @workgroup_size(1,) fn main(@builtin(global_invocation_id) id: vec3<u32,>,) { out[id.x] = max(1u, 2u,); }`,
    ],
    [
      'as many parameters as there may be',
      below(`fn f(${Array.from({ length: 32 }, (_, index) => `p${index}: u32`).join(', ')}) { }`),
    ],
    [
      'a member named like a function',
      below('struct S { min: u32 }\n@group(0) @binding(1) var<uniform> s: S;'),
    ],
    ['semicolons by themselves', `;;${inEntry(';; if true { ; }')};`],
  ]
  for (const [desc, source] of accepted) {
    test(desc, () => expect(verdict(source)).toBe('accepted'))
  }
})

const refusals: Readonly<Record<string, readonly (readonly [string, string, string])[]>> = {
  'what does not parse': [
    ['nothing', '', '1:1 there is no read_write buffer, so the shader has no output'],
    ['a stray word', 'hello', "1:1 expected a declaration, found 'hello'"],
    ['an open block', `${out}${entry}`, "3:1 expected a statement, found 'the end of the source'"],
    ['a missing semicolon', inEntry('let x = 1u'), "4:1 expected ';' after the statement, found '}'"],
    ['an open comment', inEntry('/* /* */ x'), '3:1 the comment is not closed (comments nest)'],
    [
      'an open comment after a line comment',
      inEntry('// /*\n/* x'),
      '4:1 the comment is not closed (comments nest)',
    ],
    ['a malformed number', inEntry('let x = 01;'), '3:9 the number beginning with 0 is malformed'],
    ['a number with a tail', inEntry('let x = 1ux;'), '3:9 the number beginning with 1u is malformed'],
    ['half precision', inEntry('let x = 1h;'), '3:9 the number beginning with 1 is malformed'],
    ['hexadecimal floats', inEntry('let x = 0x1p3;'), '3:9 the number beginning with 0x1 is malformed'],
    ['a string', inEntry('let x = "a";'), "3:9 the character '\"' has no meaning here"],
    ['a chain of comparisons', inEntry('let x = id.x < id.y == true;'), '3:21 comparisons do not chain'],
    [
      'mixed logic',
      inEntry('let x = true && false || true;'),
      "3:23 '&&' and '||' need parentheses between them",
    ],
    [
      'mixed bits',
      inEntry('let x = id.x & id.y | id.z;'),
      "3:21 '|' needs parentheses beside another operator",
    ],
    [
      'a shifted sum',
      inEntry('let x = 1u + id.x << 2u;'),
      "3:19 '<<' needs parentheses beside another operator",
    ],
    ['an expression alone', inEntry('id.x;'), "3:5 expected an assignment, found ';'"],
    ['a keyword as a name', inEntry('let loop = 1u;'), "3:5 expected a name, found 'loop'"],
    ['an underscore as a name', inEntry('let _ = 1u;'), "3:5 expected a name, found '_'"],
    [
      'break if outside',
      inEntry('loop { break if true; }'),
      "3:8 'break if' stands last in a 'continuing' block only",
    ],
    [
      'continuing before the end',
      inEntry('loop { continuing { } let x = 1; }'),
      "3:23 expected '}' after 'continuing', which stands last in 'loop', found 'let'",
    ],
  ],
  'template lists that WGSL would see': [
    [
      'a < b > (c)',
      inEntry('let a = 1u; let b = 2u; let x = a < b > (3u);'),
      "3:33 'a' takes no template arguments; put comparisons in parentheses",
    ],
    [
      'in arguments',
      inEntry('let a = 1u; let x = f(a < id.x, id.y > (a));'),
      "3:23 'a' takes no template arguments; put comparisons in parentheses",
    ],
    [
      'an unknown generator',
      inEntry('let x = matrix<u32>(1u);'),
      "3:9 'matrix' takes no template arguments; put comparisons in parentheses",
    ],
    ['a list that never closes', inEntry('let x = vec2<u32(1u, 2u);'), "3:9 'vec2' is not declared"],
    [
      'too many arguments',
      inEntry('let x = vec2<u32, 2>(1u, 2u);'),
      "3:19 'vec2' takes one template argument",
    ],
  ],
  directives: [
    ['enable', `enable f16;\n${inEntry('')}`, "1:1 the directive 'enable' is not accepted: no extension is"],
    [
      'requires',
      `requires readonly_and_readwrite_storage_textures;\n${inEntry('')}`,
      "1:1 the directive 'requires' is not accepted",
    ],
    [
      'diagnostic',
      `diagnostic(off, derivative_uniformity);\n${inEntry('')}`,
      "1:1 the directive 'diagnostic' is not accepted",
    ],
    [
      'override',
      `override n = 1;\n${inEntry('')}`,
      "1:1 'override' is not accepted: write a 'const', or pass a uniform",
    ],
    ['alias', `alias T = u32;\n${inEntry('')}`, "1:1 'alias' is not accepted: write the type"],
    ['const_assert', `const_assert true;\n${inEntry('')}`, "1:1 'const_assert' is not accepted"],
    [
      'a diagnostic attribute',
      inEntry('@diagnostic(off, x) if true { }'),
      '3:1 attributes are accepted on bindings, on the entry point and on its parameters only',
    ],
  ],
  'the entry point': [
    ['none', `${out}fn main() { }`, "1:1 there is no entry point: mark one '@compute'"],
    [
      'two',
      `${inEntry('')}\n@compute @workgroup_size(1) fn other() { }`,
      "5:32 there is a second entry point, 'other'",
    ],
    [
      'another stage',
      `${out}@fragment fn main() { }`,
      "2:1 '@fragment' is not accepted: the stage is compute",
    ],
    ['no size', `${out}@compute fn main() { }`, "2:13 the entry point needs '@workgroup_size(…)'"],
    [
      'too wide',
      inEntry('').replace('size(1)', 'size(257)'),
      '2:26 the workgroup size is 257, allowed is 1 to 256',
    ],
    [
      'too many',
      inEntry('').replace('size(1)', 'size(256, 2)'),
      '2:10 a workgroup has 512 invocations, the limit is 256',
    ],
    [
      'too deep',
      inEntry('').replace('size(1)', 'size(1, 1, 65)'),
      '2:32 the workgroup size is 65, allowed is 1 to 64',
    ],
    [
      'nothing wide',
      inEntry('').replace('size(1)', 'size(0)'),
      '2:26 the workgroup size is 0, allowed is 1 to 256',
    ],
    ['an unknown size', inEntry('').replace('size(1)', 'size(n)'), "2:26 'n' is not declared"],
    [
      'a parameter that is no builtin',
      `${out}@compute @workgroup_size(1) fn main(x: u32) { }`,
      "2:37 the parameter 'x' of the entry point needs '@builtin(…)'",
    ],
    [
      'an unknown builtin',
      `${out}@compute @workgroup_size(1) fn main(@builtin(subgroup_size) x: u32) { }`,
      "2:46 the builtin 'subgroup_size' is not accepted",
    ],
    [
      'a builtin of another type',
      `${out}@compute @workgroup_size(1) fn main(@builtin(workgroup_id) x: vec3i) { }`,
      "2:63 'workgroup_id' is vec3<u32>",
    ],
    [
      'a builtin twice',
      `${out}@compute @workgroup_size(1) fn main(@builtin(workgroup_id) x: vec3u, @builtin(workgroup_id) y: vec3u) { }`,
      "2:93 'workgroup_id' is there twice",
    ],
    [
      'a result',
      `${out}@compute @workgroup_size(1) fn main() -> u32 { return 1u; }`,
      '2:42 the entry point returns nothing',
    ],
    ['being called', `${inEntry('')}\nfn f() { main(vec3u()); }`, '5:10 the entry point cannot be called'],
    ['an unknown attribute', `${out}@must_use ${entry}}`, "2:1 the attribute '@must_use' has no place here"],
    ['an attribute twice', `${out}@compute ${entry}}`, "2:10 '@compute' is there twice"],
  ],
  bindings: [
    [
      'no output',
      `@group(0) @binding(0) var<storage, read> a: array<u32>;\n${entry}}`,
      '1:1 there is no read_write buffer, so the shader has no output',
    ],
    [
      'another group',
      below('@group(1) @binding(1) var<storage> a: array<u32>;'),
      "1:8 '@group' is 1, allowed is 0 to 0",
    ],
    [
      'a number too high',
      below('@group(0) @binding(16) var<storage> a: array<u32>;'),
      "1:20 '@binding' is 16, allowed is 0 to 15",
    ],
    [
      'a number twice: two names for one memory',
      below('@group(0) @binding(0) var<storage> a: array<u32>;'),
      '2:48 the binding 0 is there twice',
    ],
    ['no number', below('@group(0) var<storage> a: array<u32>;'), "1:24 'a' needs '@binding(…)'"],
    [
      'an attribute twice',
      below('@group(0) @group(0) @binding(1) var<storage> a: array<u32>;'),
      "1:11 '@group' is there twice",
    ],
    [
      'private memory',
      below('var<private> a: u32;'),
      "1:14 'var<private>' is not accepted: pass values as parameters",
    ],
    [
      'workgroup memory',
      below('var<workgroup> a: array<u32, 4>;'),
      "1:16 'var<workgroup>' is not accepted: sharing it needs barriers, and fuel cannot end an invocation at a barrier",
    ],
    [
      'handles',
      below('@group(0) @binding(1) var a: texture_2d<f32>;'),
      "1:30 'texture_2d' takes no template arguments; put comparisons in parentheses",
    ],
    [
      'write-only memory',
      below('@group(0) @binding(1) var<storage, write> a: array<u32>;'),
      '1:43 a module-scope variable is `var<storage>`, `var<storage, read_write>` or `var<uniform>`',
    ],
    [
      'a scalar in storage',
      below('@group(0) @binding(1) var<storage> a: u32;'),
      '1:39 a storage buffer is an array: `array<u32>` or `array<vec4<f32>, 16>`',
    ],
    [
      'bools',
      below('@group(0) @binding(1) var<storage> a: array<bool>;'),
      '1:45 bool cannot be shared with the host: pass u32',
    ],
    [
      'elements of three',
      below('@group(0) @binding(1) var<storage> a: array<vec3u>;'),
      '1:45 elements of three are not accepted: their padding has no defined bytes',
    ],
    [
      'arrays of arrays',
      below('@group(0) @binding(1) var<storage> a: array<array<u32, 2>>;'),
      '1:45 an array is accepted as a buffer or as a local `var` only, never as a value',
    ],
    [
      'a uniform array of scalars',
      below('@group(0) @binding(1) var<uniform> a: array<u32, 4>;'),
      '1:45 a uniform array has elements of 16 bytes: vec4',
    ],
    [
      'atomics to read',
      below('@group(0) @binding(1) var<storage> a: array<atomic<u32>>;'),
      '1:45 atomics are i32 or u32, in a read_write buffer',
    ],
    [
      'atomic floats',
      below('@group(0) @binding(1) var<storage, read_write> a: array<atomic<f32>>;'),
      '1:57 atomics are i32 or u32, in a read_write buffer',
    ],
    [
      'an array of no elements',
      below('@group(0) @binding(1) var<storage> a: array<u32, 0>;'),
      '1:50 the length of the array is 0, allowed is 1 to 16777216',
    ],
    [
      'a struct that names itself',
      below('struct S { s: S }\n@group(0) @binding(1) var<uniform> a: S;'),
      "1:15 'S' is not a type that is accepted",
    ],
    ['an empty struct', below('struct S { }'), "1:8 the struct 'S' is empty"],
    [
      'a member with two underscores',
      below('struct S { __x: u32 }'),
      "1:12 '__x' begins with two underscores",
    ],
    [
      'a member that is injected',
      below('struct S { shardy_x: u32 }'),
      "1:12 'shardy_x' is reserved: names that begin with 'shardy_' are injected",
    ],
    ['a member twice', below('struct S { a: u32, a: u32 }'), "1:20 the member 'a' is there twice"],
    [
      'attributes of layout',
      below('struct S { @size(64) a: u32 }'),
      "1:12 the attribute '@size' is not accepted in a struct",
    ],
    [
      'an initial value',
      below('@group(0) @binding(1) var<storage> a: array<u32> = 1;'),
      '1:50 a binding has no initial value',
    ],
    [
      'eight storage buffers',
      below(
        Array.from(
          { length: 8 },
          (_, index) => `@group(0) @binding(${index + 1}) var<storage> a${index}: array<u32>;`,
        ).join('\n'),
      ),
      '8:36 there are more than 7 storage buffers',
    ],
    [
      'five uniform buffers',
      below(
        Array.from(
          { length: 5 },
          (_, index) => `@group(0) @binding(${index + 1}) var<uniform> a${index}: u32;`,
        ).join('\n'),
      ),
      '5:36 there are more than 4 uniform buffers',
    ],
  ],
  pointers: [
    [
      'a type',
      below('fn f(p: ptr<function, u32>) { }'),
      "1:9 'ptr' takes no template arguments; put comparisons in parentheses",
    ],
    [
      'an address',
      inEntry('var x = 1u; let p = &x;'),
      "3:21 '&' is accepted as the argument of arrayLength and of atomic functions only",
    ],
    [
      'an address of an element',
      inEntry('let p = &out[0];'),
      "3:9 '&' is accepted as the argument of arrayLength and of atomic functions only",
    ],
    [
      'a write through one',
      inEntry('var x = 1u; *(&x) = 2u;'),
      '3:13 pointers are not accepted: pass values',
    ],
    ['a read through one', inEntry('var x = 1u; x = *&x;'), '3:17 pointers are not accepted: pass values'],
    [
      'the length of a local array',
      inEntry('var t: array<u32, 4>; let n = arrayLength(&t);'),
      "3:31 'arrayLength' takes '&' and the name of a runtime-sized buffer",
    ],
    [
      'an atomic that is none',
      inEntry('let x = atomicAdd(&out[0], 1u);'),
      "3:9 'atomicAdd' takes '&' and an element of a buffer of atomics first",
    ],
    [
      'an atomic read plainly',
      below(
        '@group(0) @binding(1) var<storage, read_write> a: array<atomic<u32>>;\nfn f() -> u32 { return a[0]; }',
      ),
      "2:24 'a' holds atomics: use atomicLoad",
    ],
    [
      'an atomic written plainly',
      below('@group(0) @binding(1) var<storage, read_write> a: array<atomic<u32>>;\nfn f() { a[0] = 1u; }'),
      "2:10 'a' holds atomics: use atomicStore",
    ],
  ],
  names: [
    ['unknown', inEntry('let x = y;'), "3:9 'y' is not declared"],
    ['of itself', inEntry('let x = x;'), "3:9 'x' is not declared"],
    ['twice in a scope', inEntry('let x = 1; let x = 2;'), "3:16 'x' is declared twice in this scope"],
    [
      'of a parameter in the body',
      below('fn f(x: u32) { let x = 1u; }'),
      "1:20 'x' is declared twice in this scope",
    ],
    ['twice in the module', below('const out = 1;'), "2:48 'out' is declared twice in this scope"],
    [
      'of a builtin function',
      inEntry('let min = 1u;'),
      "3:5 'min' is WGSL's own name and cannot be declared",
    ],
    [
      'of a builtin function that is not accepted',
      below('fn workgroupBarrier() { }'),
      "1:4 'workgroupBarrier' is WGSL's own name and cannot be declared",
    ],
    ['of a type', below('const u32 = 1;'), "1:7 'u32' is WGSL's own name and cannot be declared"],
    [
      'that are injected',
      inEntry('let shardy_fuel = 1u;'),
      "3:5 'shardy_fuel' is reserved: names that begin with 'shardy_' are injected",
    ],
    ['with two underscores', inEntry('let __x = 1u;'), "3:5 '__x' begins with two underscores"],
    [
      'with the letter of another script',
      inEntry('let \u0430 = 1u;'),
      '3:5 the character U+0430 is not accepted: write printable ASCII, newlines and tabs',
    ],
    [
      'with an invisible letter',
      inEntry('let a\u200b = 1u;'),
      '3:6 the character U+200B is not accepted: write printable ASCII, newlines and tabs',
    ],
    [
      'behind a reversed line',
      inEntry('// \u202e\nlet a = 1u;'),
      '3:4 the character U+202E is not accepted: write printable ASCII, newlines and tabs',
    ],
    [
      'behind a carriage return',
      inEntry('// \rlet a = 1u;'),
      '3:4 the character U+000D is not accepted: write printable ASCII, newlines and tabs',
    ],
    [
      'after a zero',
      inEntry('\0'),
      '3:1 the character U+0000 is not accepted: write printable ASCII, newlines and tabs',
    ],
    ['too long', inEntry(`let ${'a'.repeat(65)} = 1u;`), '3:5 the name has 65 letters, the limit is 64'],
    [
      'of the loop body in continuing',
      inEntry('loop { let x = id.x; continuing { break if x > 1u; } }'),
      "3:44 'x' belongs to the loop's body, and 'continuing' may come without it",
    ],
    ['out of their block', inEntry('if true { let x = 1u; } out[id.x] = x;'), "3:37 'x' is not declared"],
    [
      'of constants before they are declared',
      `const a = b; const b = 1;\n${inEntry('')}`,
      "1:11 'b' is not declared",
    ],
    [
      'of a function as a value',
      `${inEntry('let x = main;')}`,
      "3:9 'main' is a function, which is no value: call it",
    ],
    ['of a variable as a function', inEntry('let x = 1u; let y = x(2u);'), "3:21 'x' is not a function"],
  ],
  types: [
    ['mixed sums', inEntry('let x = 1u + 1i;'), "3:9 '+' does not take u32 and i32"],
    ['widths', inEntry('let x = id.xy + id;'), "3:9 '+' does not take vec2<u32> and vec3<u32>"],
    ['bools in sums', inEntry('let x = true + false;'), "3:9 '+' does not take bool and bool"],
    ['floats in bits', inEntry('let x = 1.0 & 2.0;'), "3:9 '&' does not take f32 and f32"],
    ['the sign of u32', inEntry('let x = -id.x;'), "3:9 '-' does not take u32"],
    ['a shift by i32', inEntry('let x = id.x << 1i;'), "3:9 '<<' does not take u32 and i32"],
    ['a condition', inEntry('if id.x { }'), "3:4 the condition of 'if' is bool, found u32"],
    ['an index', inEntry('out[1.0] = 1u;'), '3:5 an index is i32 or u32, found f32'],
    ['an assignment', inEntry('out[id.x] = 1i;'), '3:13 the target is u32, found i32'],
    ['a declaration', inEntry('let x: i32 = id.x;'), "3:14 'x' is i32, found u32"],
    ['a let that changes', inEntry('let x = 1u; x = 2u;'), "3:13 'x' is not a 'var' and keeps its value"],
    ['a parameter that changes', inEntry('id.x = 2u;'), "3:1 'id' is not a 'var' and keeps its value"],
    [
      'a buffer that is read only',
      below('@group(0) @binding(1) var<storage> a: array<u32>;\nfn f() { a[0] = 1u; }'),
      "2:10 'a' is read only",
    ],
    [
      'two components at once',
      inEntry('var v = vec2u(); v.xy = v;'),
      '3:18 one component is assigned at a time',
    ],
    ['a component that there is not', inEntry('let x = id.w;'), "3:9 vec3<u32> has no member 'w'"],
    ['mixed swizzles', inEntry('let x = id.xg;'), "3:9 vec3<u32> has no member 'xg'"],
    ['a vector of too few', inEntry('let v = vec4u(id.xy, 1u);'), "3:9 'vec4u' takes 4 components, found 3"],
    ['a vector of others', inEntry('let v = vec2i(id.xy.x, 1);'), "3:15 'vec2i' of i32 does not take u32"],
    [
      'an array as a value',
      inEntry('var t: array<u32, 2>; let u = t;'),
      "3:31 't' is an array, which is no value: index it",
    ],
    [
      'an array as a result',
      below('fn f() -> array<u32, 2> { }'),
      '1:11 an array is accepted as a buffer or as a local `var` only, never as a value',
    ],
    [
      'an array of unknown length',
      inEntry('var t: array<u32, id.x>;'),
      '3:19 the length of the array is not a constant whole number',
    ],
    ['matrices', inEntry('let m = mat2x2f();'), '3:9 matrices are not accepted: write vectors'],
    ['half floats', inEntry('var x: f16;'), '3:8 f16 is not accepted: devices differ in having it'],
    ['a missing argument', inEntry('let x = min(1u);'), "3:9 'min' takes 2 arguments, found 1"],
    ['arguments of two types', inEntry('let x = min(1u, 1i);'), "3:9 'min' does not take u32, i32"],
    ['an unknown function', inEntry('let x = foo(1u);'), "3:9 there is no function 'foo' that is accepted"],
    [
      'barriers',
      inEntry('workgroupBarrier();'),
      '3:1 barriers are not accepted: fuel cannot end an invocation that others wait for',
    ],
    [
      'subgroups',
      inEntry('let x = subgroupAdd(1u);'),
      '3:9 subgroup functions are not accepted: devices differ in them',
    ],
    [
      'weak exchanges',
      inEntry('let x = atomicCompareExchangeWeak(1u);'),
      '3:9 atomicCompareExchangeWeak is not accepted: it may fail for no reason',
    ],
    ['a call without an effect', inEntry('min(1u, 2u);'), "3:1 'min' has no effect: use its value"],
    ['a function without a value as one', `${inEntry('let x = f();')}\nfn f() { }`, "3:9 'f' has no value"],
    [
      'a missing return',
      below('fn f(x: u32) -> u32 { if x > 1u { return x; } }'),
      '1:4 the function can end without a value: end it, or every branch of its end, with a return',
    ],
    [
      'a loop for a return',
      below('fn f() -> u32 { loop { } }'),
      '1:4 the function can end without a value: end it, or every branch of its end, with a return',
    ],
    [
      'a switch with a break before its return',
      below('fn f(x: u32) -> u32 { switch x { default { if x > 3u { break; } return x * 11u; } } }'),
      '1:4 the function can end without a value: end it, or every branch of its end, with a return',
    ],
    [
      'a switch with a break in a block of an else',
      below(
        'fn f(x: u32) -> u32 { switch x { case 1 { return 2u; } default { if x > 3u { } else { { break; } } return 1u; } } }',
      ),
      '1:4 the function can end without a value: end it, or every branch of its end, with a return',
    ],
    [
      'a loop that returns, for a return',
      below('fn f(x: u32) -> u32 { loop { if x > 3u { break; } return 1u; } }'),
      '1:4 the function can end without a value: end it, or every branch of its end, with a return',
    ],
    [
      'a loop with a break and a return in its continuing block',
      below('fn f(x: u32) -> u32 { loop { return 1u; continuing { break if x > 1u; } } }'),
      '1:4 the function can end without a value: end it, or every branch of its end, with a return',
    ],
    ['what is never reached', inEntry('return; out[0] = 1u;'), "3:9 nothing is reached after 'return'"],
    ['break outside', inEntry('break;'), "3:1 'break' stands in no loop and no switch that it could end"],
    [
      'continue in a switch alone',
      inEntry('switch 1 { default { continue; } }'),
      "3:22 'continue' stands in no loop that it could go on with",
    ],
    [
      'return in continuing',
      inEntry('loop { continuing { return; } }'),
      "3:21 'return' is not accepted in 'continuing'",
    ],
    [
      'a loop in continuing',
      inEntry('loop { continuing { loop { } } }'),
      "3:21 a loop in 'continuing' is not accepted: fuel could not end it",
    ],
    ['a switch without a default', inEntry('switch 1 { case 1 { } }'), "3:1 'switch' needs a default"],
    ['a case twice', inEntry('switch 1 { case 1, 1 { } default { } }'), '3:20 the case 1 is there twice'],
    ['discard', inEntry('discard;'), "3:1 'discard' is not accepted: it is for fragment shaders"],
    [
      'an element in the head of for',
      inEntry('for (;; out[id.x] += 1u) { }'),
      "3:9 the head of 'for' assigns to variables only, not to elements",
    ],
  ],
  constants: [
    ['i32 beyond its end', inEntry('let x = 2147483648;'), '3:9 2147483648 does not fit i32'],
    ['u32 beyond its end', inEntry('let x = 4294967296u;'), '3:9 4294967296 does not fit u32'],
    ['a negative u32', inEntry('let x = u32(-1);'), '3:9 -1 does not fit u32'],
    ['a sum that overflows', inEntry('let x = 2147483647i + 1i;'), '3:9 2147483648 does not fit i32'],
    ['a product that overflows', inEntry('let x = 65536u * 65536u;'), '3:9 4294967296 does not fit u32'],
    ['the size of the least', inEntry('let x = -(-2147483648i);'), '3:12 2147483648 does not fit i32'],
    [
      '64 bits that overflow',
      inEntry('let x = 9223372036854775807 + 1;'),
      '3:9 the constant does not fit 64 bits',
    ],
    ['digits without end', inEntry(`let x = ${'9'.repeat(400)};`), '3:9 the number is out of range'],
    ['a division by zero', inEntry('let x = 1 / 0;'), '3:9 divides by the constant zero'],
    [
      'a division of a variable by zero',
      inEntry('let x = id.x / (2u - 2u);'),
      '3:9 divides by the constant zero',
    ],
    ['a shift too far', inEntry('let x = id.x << 32u;'), '3:9 shifts by 32, allowed is 0 to 31'],
    ['an abstract shift too far', inEntry('let x = 1 << 64;'), '3:9 shifts by 64, allowed is 0 to 63'],
    [
      'an abstract shift without end',
      inEntry('let x = 1 << 9223372036854775807;'),
      '3:9 shifts by 9223372036854775807, allowed is 0 to 63',
    ],
    ['a negative index', inEntry('let x = out[-1];'), '3:13 the index -1 is out of bounds'],
    [
      'an index past a fixed end',
      inEntry('var t: array<u32, 4>; t[4] = 1u;'),
      '3:25 the index 4 is out of bounds: there are 4',
    ],
    ['an index past a vector', inEntry('let x = id[3];'), '3:12 the index 3 is out of bounds: there are 3'],
    [
      'vectors that a compiler would compute',
      inEntry('let x = vec2i(2147483647) + vec2i(1);'),
      '3:9 arithmetic on constants other than plain numbers is not accepted: write its result',
    ],
    ['a float beyond its end', inEntry('let x = 1e39;'), '3:9 1e39 does not fit f32'],
    [
      'a constant that is none',
      inEntry('const x = id.x;'),
      "3:11 the value of 'const x' is not a constant scalar",
    ],
  ],
  'what is too large': [
    ['a source', ' '.repeat(32 * 1024 + 1), '1:1 the source has 32769 bytes, the limit is 32768'],
    [
      'parentheses',
      inEntry(`let x = ${'('.repeat(70)}1u${')'.repeat(70)};`),
      '3:39 expressions nested deeper than 30 levels',
    ],
    ['a sum', inEntry(`let x = id.x${' + 1u'.repeat(70)};`), '3:9 expressions nested deeper than 30 levels'],
    ['signs', inEntry(`let x = ${'~'.repeat(70)}id.x;`), '3:38 expressions nested deeper than 30 levels'],
    ['blocks', inEntry('{'.repeat(70)), '3:24 statements nested deeper than 24 levels'],
    ['loops', inEntry('for (;;) {'.repeat(30)), '3:240 statements nested deeper than 24 levels'],
    [
      'switches, which are two levels',
      inEntry('switch id.x { default {'.repeat(30)),
      '3:276 statements nested deeper than 24 levels',
    ],
    [
      'else',
      inEntry(`if true { }${' else if true { }'.repeat(70)}`),
      '3:400 statements nested deeper than 24 levels',
    ],
    [
      'templates',
      inEntry(`let x = ${'vec2<'.repeat(70)}u32${'>'.repeat(70)}();`),
      '3:154 expressions nested deeper than 30 levels',
    ],
    [
      'indices of indices',
      inEntry(`let x = ${'out['.repeat(40)}0${']'.repeat(40)};`),
      '3:129 expressions nested deeper than 30 levels',
    ],
    [
      'parameters',
      below(`fn f(${Array.from({ length: 33 }, (_, index) => `p${index}: u32`).join(', ')}) { }`),
      "1:316 'f' has more than 32 parameters",
    ],
    ['indices', inEntry(`let x = out${'[0]'.repeat(70)};`), '3:9 expressions nested deeper than 30 levels'],
    [
      'local arrays',
      inEntry('var t: array<u32, 2048>; var u: array<u32, 1>;'),
      "2:32 the arrays of 'main' and of the functions it calls take 8196 bytes, the limit is 8192",
    ],
    [
      'recursion',
      `${inEntry('f();')}\nfn f() { g(); } fn g() { f(); }`,
      "5:26 'f' calls itself, directly or by others",
    ],
    [
      'recursion that nobody calls',
      `${inEntry('')}\nfn f() { f(); }`,
      "5:10 'f' calls itself, directly or by others",
    ],
    [
      'a chain of calls',
      `${inEntry('')}\n${Array.from({ length: 20 }, (_, index) => `fn g${index}() { g${index + 1}(); }`).join('\n')} fn g20() { }`,
      '20:12 functions call each other deeper than 16',
    ],
    [
      'calls that double',
      `${inEntry('f0();')}\n${Array.from({ length: 14 }, (_, index) => `fn f${index}() { f${index + 1}(); f${index + 1}(); }`).join('\n')} fn f14() { let x = 1u; }`,
      "13:4 'f8' with the functions it calls has a weight of 9843, the limit is 8192",
    ],
    // What took a software device from 7 to 77 seconds to compile, at no more than 8,192 nodes.
    [
      'a switch of 1681 clauses',
      inEntry(
        `switch id.x {${Array.from({ length: 1681 }, (_, index) => `case ${index} { }`).join('')} default { }}`,
      ),
      "2:32 'main' with the functions it calls has a weight of 40375, the limit is 8192",
    ],
    [
      'values that live at once',
      inEntry(
        `${Array.from({ length: 600 }, (_, index) => `let v${index} = out[${index}];`).join('')}${Array.from({ length: 600 }, (_, index) => `out[0] ^= v${index};`).join('')}`,
      ),
      "2:32 'main' with the functions it calls has a weight of 25801, the limit is 8192",
    ],
    [
      'variables that are carried around deep loops',
      inEntry(
        `${Array.from({ length: 100 }, (_, index) => `var v${index} = out[${index}];`).join('')}${'for (;;) {'.repeat(20)}${Array.from({ length: 100 }, (_, index) => `v${index}++;`).join('')}${'}'.repeat(20)}`,
      ),
      "2:32 'main' with the functions it calls has a weight of 21707, the limit is 8192",
    ],
    [
      'bits',
      inEntry(`var x = vec4(id.x);${'x = reverseBits(firstLeadingBit(x));'.repeat(600)}`),
      "2:32 'main' with the functions it calls has a weight of 46222, the limit is 8192",
    ],
    [
      'branches',
      inEntry('if out[0] > 1u { out[id.x] = 2u; }'.repeat(600)),
      "2:32 'main' with the functions it calls has a weight of 35407, the limit is 8192",
    ],
  ],
}

for (const [what, cases] of Object.entries(refusals)) {
  describe(`refuses ${what}`, () => {
    for (const [desc, source, says] of cases) {
      test(desc, () => expect(verdict(source)).toBe(says))
    }
  })
}
