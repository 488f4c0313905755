/**
 * Random shaders of the exact subset, for tests: a tape of numbers decides everything, so a failure shrinks and repeats.
 * They divide by zero, shift by anything, overflow, index beyond every end, branch, loop and call.
 */

type Scalar = 'i32' | 'u32'
interface Type {
  readonly of: Scalar | 'bool'
  readonly width: number
}

/** Whether a compiler could compute it: two of those together might be refused, rightly. */
interface Text {
  readonly text: string
  readonly isConstant: boolean
}

const literals = {
  i32: ['0', '1', '-1', '2', '7', '31', '-32', '65535', '2147483647', '(-2147483647 - 1)', '1234567'],
  u32: ['0u', '1u', '2u', '3u', '31u', '32u', '255u', '65535u', '2147483648u', '4294967295u'],
}
const unaryBuiltins = [
  'abs',
  'countOneBits',
  'countLeadingZeros',
  'countTrailingZeros',
  'firstLeadingBit',
  'firstTrailingBit',
  'reverseBits',
]
const comparisons = ['<', '<=', '>', '>=', '==', '!=']

export function randomShader(tape: readonly number[]): string {
  let place = 0
  const pick = <T>(choices: readonly T[]): T => {
    const chosen = choices[(tape[place++] ?? 0) % choices.length]
    if (chosen === undefined) throw new Error('there is always a choice')
    return chosen
  }
  const typeText = ({ of, width }: Type): string => (width === 1 ? of : `vec${width}<${of}>`)
  let names = 0
  let scope: { name: string; type: Type; isMutable: boolean }[] = []

  /** A value that no compiler knows. */
  function leaf({ of, width }: Type): Text {
    const fitting = scope.filter(({ type }) => type.of === of && type.width === width)
    if (fitting.length > 0 && pick([0, 1, 2]) > 0) return { text: pick(fitting).name, isConstant: false }
    if (width > 1) {
      const parts = Array.from({ length: width }, () => leaf({ of, width: 1 }).text)
      return { text: `vec${width}<${of}>(${parts.join(', ')})`, isConstant: false }
    }
    const index = pick(['id.x', 'id.x * 3u + 1u', 'id.x - 5u', '4294967295u', 'i32(id.x) - 4', 'local'])
    if (of === 'bool') return { text: `(a[${index}] > 0)`, isConstant: false }
    return {
      text: of === 'i32' ? `a[${index}]` : pick([`b[${index}].x`, `b[${index}].y`, 'p.n']),
      isConstant: false,
    }
  }

  function expression(type: Type, depth: number): Text {
    const { of, width } = type
    if (depth <= 0 || place > tape.length) {
      if (of !== 'bool' && width === 1 && pick([0, 1, 2]) === 0)
        return { text: pick(literals[of]), isConstant: true }
      return leaf(type)
    }
    const some = (wanted: Type): string => expression(wanted, depth - 1).text
    const unknown = (wanted: Type): string => {
      const value = expression(wanted, depth - 1)
      return value.isConstant ? leaf(wanted).text : value.text
    }
    const dynamic = (text: string): Text => ({ text, isConstant: false })
    if (of === 'bool') {
      const inner: Type = { of: pick(['i32', 'u32'] as const), width }
      if (width > 1) return dynamic(`(${unknown(inner)} ${pick(comparisons)} ${unknown(inner)})`)
      return dynamic(
        pick([
          () => `(${unknown(inner)} ${pick(comparisons)} ${some(inner)})`,
          () => `(${unknown(type)} ${pick(['&&', '||', '&', '|', '==', '!='])} ${unknown(type)})`,
          () => `!${unknown(type)}`,
          () => `${pick(['all', 'any'])}(${unknown({ of: 'bool', width: 3 })})`,
        ])(),
      )
    }
    const other: Type = { of: of === 'i32' ? 'u32' : 'i32', width }
    const unsigned: Type = { of: 'u32', width }
    const scalar: Type = { of, width: 1 }
    return dynamic(
      pick([
        () => `(${unknown(type)} ${pick(['+', '-', '*'])} ${some(type)})`,
        () => `(${some(type)} ${pick(['+', '-', '*', '/', '%'])} ${unknown(type)})`,
        () => `(${unknown(type)} ${pick(['/', '%'])} ${unknown(scalar)})`,
        () => `(${some(type)} ${pick(['&', '|', '^'])} ${unknown(type)})`,
        () => `(${some(type)} ${pick(['<<', '>>'])} ${unknown(unsigned)})`,
        () => `${pick(of === 'i32' ? ['-', '~'] : ['~', '~'])}(${unknown(type)})`,
        () => `${pick(unaryBuiltins)}(${unknown(type)})`,
        () => `${pick(['min', 'max'])}(${unknown(type)}, ${some(type)})`,
        () => `clamp(${unknown(type)}, ${some(type)}, ${some(type)})`,
        () => `select(${some(type)}, ${unknown(type)}, ${unknown({ of: 'bool', width: pick([1, width]) })})`,
        () => `${typeText(type)}(${unknown(other)})`,
        () => `bitcast<${typeText(type)}>(${unknown(other)})`,
        () =>
          of === 'i32' ? `sign(${unknown(type)})` : `${typeText(type)}(${unknown({ of: 'bool', width })})`,
        () =>
          width === 1
            ? pick([
                () => `dot(${unknown({ of, width: 3 })}, ${unknown({ of, width: 3 })})`,
                () => `${unknown({ of, width: 4 })}.${pick(['x', 'y', 'z', 'w'])}`,
                () => `${unknown({ of, width: 2 })}[${unknown({ of: 'u32', width: 1 })}]`,
                () => (of === 'i32' ? `f(${unknown(type)}, ${some(type)})` : 'arrayLength(&a)'),
              ])()
            : `${unknown({ of, width: 4 })}.${'wzyx'.slice(0, width)}`,
      ])(),
    )
  }

  const scalars: readonly Type[] = [
    { of: 'i32', width: 1 },
    { of: 'u32', width: 1 },
    { of: 'bool', width: 1 },
  ]
  const types: readonly Type[] = [
    ...scalars,
    ...(['i32', 'u32'] as const).flatMap((of) => [2, 3, 4].map((width) => ({ of, width }))),
  ]

  function statements(count: number, depth: number, indent: string): string {
    const outer = [...scope]
    const lines: string[] = []
    for (let line = 0; line < count; line++) lines.push(statement(depth, indent))
    scope = outer
    return lines.join('\n')
  }

  function statement(depth: number, indent: string): string {
    const mutable = scope.filter(({ isMutable }) => isMutable)
    const kind = pick([
      'declare',
      'assign',
      'assign',
      'element',
      ...(depth > 0 ? ['if', 'loop', 'switch'] : []),
    ])
    const inner = `${indent}  `
    if (kind === 'if') {
      const condition = expression({ of: 'bool', width: 1 }, 2).text
      return `${indent}if ${condition} {\n${statements(2, depth - 1, inner)}\n${indent}} else {\n${statements(1, depth - 1, inner)}\n${indent}}`
    }
    if (kind === 'loop') {
      const counter = `n${names++}`
      const leave = pick([
        '',
        `${inner}if ${expression({ of: 'bool', width: 1 }, 1).text} { ${pick(['break', 'continue'])}; }\n`,
      ])
      return `${indent}for (var ${counter} = 0; ${counter} < ${pick([1, 2, 3])}; ${counter}++) {\n${leave}${statements(2, depth - 1, inner)}\n${indent}}`
    }
    if (kind === 'switch') {
      const selector = expression({ of: 'i32', width: 1 }, 1)
      const head = selector.isConstant ? leaf({ of: 'i32', width: 1 }).text : selector.text
      return `${indent}switch ${head} {\n${indent}case 0, -1: {\n${statements(1, depth - 1, inner)}\n${indent}}\n${indent}default: {\n${statements(1, depth - 1, inner)}\n${indent}}\n${indent}}`
    }
    if (kind === 'element') {
      const index = expression({ of: 'u32', width: 1 }, 1).text
      return /^\d/.test(index)
        ? `${indent}t[${pick([0, 1, 2])}] = ${expression({ of: 'i32', width: 1 }, 2).text};`
        : `${indent}t[${index}] ${pick(['=', '+=', '*='])} ${expression({ of: 'i32', width: 1 }, 2).text};`
    }
    const target = mutable.length > 0 && kind === 'assign' ? pick(mutable) : undefined
    if (target !== undefined) {
      const value = expression(target.type, 3).text
      const operator = target.type.of === 'bool' ? '=' : pick(['=', '+=', '-=', '*=', '^='])
      return `${indent}${target.name} ${operator} ${value};`
    }
    const [name, type, isMutable] = [`v${names++}`, pick(types), pick([true, true, false])]
    const text = `${indent}${isMutable ? 'var' : 'let'} ${name}: ${typeText(type)} = ${expression(type, 3).text};`
    scope.push({ name, type, isMutable })
    return text
  }

  const body = statements(6, 2, '  ')
  const sum = expression({ of: 'i32', width: 1 }, 3).text
  const pair = expression({ of: 'u32', width: 2 }, 3).text
  return `struct P { n: u32, v: vec3<i32> }
@group(0) @binding(0) var<storage, read> a: array<i32>;
@group(0) @binding(1) var<storage> b: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> out: array<i32>;
@group(0) @binding(3) var<storage, read_write> pairs: array<vec2u>;
@group(0) @binding(5) var<uniform> p: P;

fn f(x: i32, y: i32) -> i32 {
  if (x < y) { return x * 31 + y; }
  return x / y;
}

@compute @workgroup_size(${pick([1, 3, 8, 32])})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  var t: array<i32, 3>;
${body}
  let own = id.x * 2u;
  out[own] = ${sum};
  out[own + 1u] = t[0] ^ t[1] ^ t[2];
  pairs[id.x] = ${pair};
}
`
}
