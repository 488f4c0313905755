/** The types of the builtin functions that are accepted (spec H8); every other name is refused. */
import { integerBuiltins } from './arithmetic.ts'
import { type Position, refuse } from './position.ts'
import { bool, isInteger, sameType, typeName, type ValueType } from './types.ts'

/** Functions of floats, with the number of their arguments, all of one type, which is that of the result. */
const floatBuiltins = new Map<string, number>([
  ...['ceil', 'floor', 'round', 'trunc', 'fract', 'sqrt', 'inverseSqrt', 'exp', 'exp2', 'log', 'log2'].map(
    one,
  ),
  ...['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'saturate', 'normalize'].map(one),
  ...([
    ['atan2', 2],
    ['pow', 2],
    ['step', 2],
    ['distance', 2],
    ['length', 1],
  ] as const),
  ...([
    ['fma', 3],
    ['mix', 3],
    ['smoothstep', 3],
  ] as const),
])

function one(name: string): [string, number] {
  return [name, 1]
}

const unsigned = new Set(['sign'])
const vectorsOnly = new Set(['normalize'])
const scalarResults = new Set(['distance', 'length'])

export const atomicBuiltins: ReadonlySet<string> = new Set(
  'Load Store Add Sub Max Min And Or Xor Exchange'.split(' ').map((name) => `atomic${name}`),
)

/** Why some of WGSL's functions are left out. */
const refusals: readonly (readonly [RegExp, string])[] = [
  [
    /Barrier$|^workgroupUniformLoad$/,
    'barriers are not accepted: fuel cannot end an invocation that others wait for',
  ],
  [/^(subgroup|quad)/, 'subgroup functions are not accepted: devices differ in them'],
  [/^texture/, 'textures are not accepted: pass buffers'],
  [/^(dpd|fwidth)/, 'derivatives are not accepted: they are for fragment shaders'],
  [/^atomicCompareExchangeWeak$/, 'atomicCompareExchangeWeak is not accepted: it may fail for no reason'],
]

export function isBuiltin(name: string): boolean {
  return (
    integerBuiltins.has(name) ||
    floatBuiltins.has(name) ||
    atomicBuiltins.has(name) ||
    ['all', 'any', 'select', 'dot', 'arrayLength', 'bitcast'].includes(name) ||
    refusals.some(([pattern]) => pattern.test(name))
  )
}

export function refuseFunction(at: Position, name: string): never {
  const [, message] = refusals.find(([pattern]) => pattern.test(name)) ?? []
  return refuse(at, message ?? `there is no function '${name}' that is accepted`)
}

/** The type of the result, or a refusal. The arguments are of one type already, but for the condition of `select`. */
export function builtinType(at: Position, name: string, types: readonly ValueType[]): ValueType {
  const count = argumentCount(name) ?? refuseFunction(at, name)
  const [first] = types
  if (first === undefined || types.length !== count) {
    return refuse(at, `'${name}' takes ${count} argument${count === 1 ? '' : 's'}, found ${types.length}`)
  }
  const wrong = (): never => refuse(at, `'${name}' does not take ${types.map(typeName).join(', ')}`)
  if (name === 'all' || name === 'any') return first.of === 'bool' ? bool : wrong()
  if (name === 'select') {
    const [, second, condition] = types
    const fits = condition?.of === 'bool' && (condition.width === 1 || condition.width === first.width)
    return fits && second !== undefined && sameType(first, second) ? first : wrong()
  }
  if (types.some((type) => !sameType(type, first)) || first.of === 'bool') wrong()
  if (name === 'dot') return first.width === 1 ? wrong() : { of: first.of, width: 1 }
  if (isInteger(first)) {
    if (!integerBuiltins.has(name) || (first.of === 'u32' && unsigned.has(name))) wrong()
    return first
  }
  if (!floatBuiltins.has(name) && !['abs', 'min', 'max', 'clamp', 'sign'].includes(name)) wrong()
  if (vectorsOnly.has(name) && first.width === 1) wrong()
  return scalarResults.has(name) ? { of: 'f32', width: 1 } : first
}

function argumentCount(name: string): number | undefined {
  if (name === 'all' || name === 'any') return 1
  if (name === 'select') return 3
  if (name === 'dot') return 2
  return integerBuiltins.get(name)?.count ?? floatBuiltins.get(name)
}
