/**
 * Shaders at the limits of the spec (H2), for tests: whatever is accepted must compile, and compilers bound what they
 * parse. Every way to nest statements is tried around every way to nest expressions.
 */

export interface Deep {
  readonly statements: string
  readonly expressions: string
  readonly source: string
}

const buffers = `@group(0) @binding(0) var<storage, read> a: array<i32>;
@group(0) @binding(1) var<storage, read_write> o: array<i32>;
`

function shader(body: string, declarations = ''): string {
  return `${buffers}${declarations}
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
${body}
}
`
}

interface Layer {
  readonly name: string
  readonly open: string
  readonly close: string
}

const statements: readonly Layer[] = [
  { name: 'blocks', open: '{', close: '}' },
  { name: 'if', open: 'if a[0] == 3 {', close: '}' },
  { name: 'else', open: 'if a[0] == 1 { } else {', close: '}' },
  { name: 'else if', open: 'if a[0] == 1 { } else if a[0] == 3 {', close: '}' },
  { name: 'switch', open: 'switch a[0] { case 1 { } default {', close: '} }' },
  { name: 'for', open: 'for (var n = 0; n < 1; n++) {', close: '}' },
  { name: 'while', open: 'while a[0] == 3 {', close: 'break; }' },
  { name: 'loop', open: 'loop {', close: 'continuing { break if a[0] == 3; } }' },
]

const expressions: readonly Layer[] = [
  { name: 'indices', open: 'a[', close: ']' },
  { name: 'signed indices', open: 'a[u32(', close: ')]' },
  { name: 'components', open: 'vec2<i32>(a[1], 2)[', close: ']' },
  { name: 'divisions', open: '(a[1] / ', close: ')' },
  { name: 'sums', open: '(a[1] + ', close: ')' },
  { name: 'shifts', open: '(1i << u32(', close: '))' },
  { name: 'shift distances', open: 'i32(1u << u32(', close: '))' },
  { name: 'unary', open: '-', close: '' },
  { name: 'min', open: 'min(a[1], ', close: ')' },
  { name: 'abs', open: 'abs(', close: ')' },
  { name: 'clamp below', open: 'clamp(', close: ', 1, a[1])' },
  { name: 'clamp above', open: 'clamp(a[1], 2, ', close: ')' },
  { name: 'select', open: 'select(a[0], ', close: ', a[1] == 1)' },
  { name: 'conversions', open: 'i32(u32(', close: '))' },
  { name: 'bitcasts', open: 'bitcast<i32>(', close: ')' },
  { name: 'vectors', open: 'vec2(1, ', close: ').y' },
  { name: 'calls', open: 'f(', close: ')' },
]

const functions = 'fn f(x: i32) -> i32 { return x; }'

/** Each pair as deep as `accepts` lets it be: the expression first, then the statements around it. */
export function deepShaders(accepts: (source: string) => boolean): readonly Deep[] {
  const deepest = (make: (turns: number) => string): number => {
    let turns = 40
    while (turns > 1 && !accepts(make(turns))) turns--
    return turns
  }
  const nest = ({ open, close }: Layer, turns: number, inside: string): string =>
    `${open.repeat(turns)}${inside}${close.repeat(turns)}`
  return expressions.flatMap((inner) => {
    const plain = (turns: number): string => shader(`o[id.x] = ${nest(inner, turns, 'a[0]')};`, functions)
    const value = `o[id.x] = ${nest(inner, deepest(plain), 'a[0]')};`
    return statements.map((outer) => {
      const around = (turns: number): string => shader(nest(outer, turns, value), functions)
      return { statements: outer.name, expressions: inner.name, source: around(deepest(around)) }
    })
  })
}

/** As many parameters as a function may have. */
export function wideShader(parameters: number): string {
  const names = Array.from({ length: parameters }, (_, index) => `p${index}`)
  return shader(
    `o[id.x] = f(${names.map(() => 'a[0]').join(', ')});`,
    `fn f(${names.map((name) => `${name}: i32`).join(', ')}) -> i32 { return ${names.at(-1)}; }`,
  )
}
