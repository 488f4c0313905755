/**
 * The WGSL that a device gets (spec H11 to H16): the checked tree, written anew with names of our own, every operator in
 * parentheses, every index guarded, divisions and shifts defined, and fuel injected. The requester's text itself never
 * reaches a compiler. Nothing is indented: the blanks of deep nesting would be most of the text.
 */
import type {
  Buffer,
  Element,
  Expression,
  Layout,
  Shader,
  ShaderFunction,
  Statement,
  Variable,
} from './shader.ts'
import type { BinaryOperator } from './syntax.ts'
import { bool, isInteger, typeName, type ValueType } from './types.ts'

/**
 * Group 1 is the host's: binding 0 is a u32 that becomes one when fuel is spent, binding 1 the fuel in `x` and zeros behind
 * it, which no compiler can know to be zeros.
 */
export const hostGroup = 1
export const statusBinding = 0
export const limitBinding = 1
export const entryPointName = 'shardy_main'

const preamble = `@group(${hostGroup}) @binding(${statusBinding}) var<storage, read_write> shardy_status: atomic<u32>;
@group(${hostGroup}) @binding(${limitBinding}) var<uniform> shardy_limit: vec4<u32>;
var<private> shardy_fuel: u32;

fn shardy_spend() -> bool {
if (shardy_fuel == 0u) {
atomicStore(&shardy_status, 1u);
return true;
}
shardy_fuel = shardy_fuel - 1u;
return false;
}`

/** Functions of our own that a shader turned out to need, by name. */
type Helpers = Map<string, string>

export function printShader(shader: Shader): string {
  const helpers: Helpers = new Map()
  const functions = shader.functions.map((one) => printFunction(helpers, shader, one))
  const buffers = shader.buffers.map(printBuffer)
  const structs = new Set(shader.buffers.flatMap(({ layout }) => (layout.kind === 'struct' ? [layout] : [])))
  return `${[[...structs].map(printStruct), buffers, preamble, [...helpers.values()], functions].flat().join('\n\n')}\n`
}

function variableName({ name, id }: Variable): string {
  return `${name}_${id}`
}

function functionName({ name, id }: ShaderFunction): string {
  return `${name}_${id}`
}

function bufferName({ name, binding }: Buffer): string {
  return `${name}_b${binding}`
}

function printStruct({ name, members }: Extract<Layout, { kind: 'struct' }>): string {
  const lines = members.map((member) => `${member.name}_m: ${typeName(member.type)},`)
  return [`struct ${name}_s {`, ...lines, '}'].join('\n')
}

function layoutName(layout: Layout): string {
  if (layout.kind === 'value') return typeName(layout.type)
  if (layout.kind === 'struct') return `${layout.name}_s`
  const element = layout.isAtomic ? `atomic<${typeName(layout.element)}>` : typeName(layout.element)
  return layout.length === undefined ? `array<${element}>` : `array<${element}, ${layout.length}>`
}

function printBuffer(buffer: Buffer): string {
  const space = { read: 'storage, read', readWrite: 'storage, read_write', uniform: 'uniform' }[buffer.access]
  return `@group(0) @binding(${buffer.binding}) var<${space}> ${bufferName(buffer)}: ${layoutName(buffer.layout)};`
}

function printFunction(helpers: Helpers, shader: Shader, one: ShaderFunction): string {
  const isEntry = one === shader.entry
  const parameters = one.parameters.map((parameter) => {
    const builtin = parameter.builtin === undefined ? '' : `@builtin(${parameter.builtin}) `
    return `${builtin}${variableName(parameter)}: ${typeName(parameter.type)}`
  })
  const result = one.result === undefined ? '' : ` -> ${typeName(one.result)}`
  const spent = one.result === undefined ? 'return;' : `return ${typeName(one.result)}();`
  const head = isEntry
    ? `@compute @workgroup_size(${shader.workgroupSize.join(', ')})\nfn ${entryPointName}`
    : `fn ${functionName(one)}`
  const first = isEntry ? 'shardy_fuel = shardy_limit.x;' : `if (shardy_spend()) { ${spent} }`
  const body = printList({ helpers, spent }, one.body)
  return [`${head}(${parameters.join(', ')})${result} {`, first, ...body, '}'].join('\n')
}

interface Context {
  readonly helpers: Helpers
  /** How the function ends when there is no fuel left. */
  readonly spent: string
}

function printList(context: Context, body: readonly Statement[]): string[] {
  return body.flatMap((statement) => printStatement(context, statement))
}

function printStatement(context: Context, statement: Statement): string[] {
  const { helpers } = context
  const expression = (value: Expression): string => printExpression(helpers, value)
  const block = (body: readonly Statement[]): string[] => printList(context, body)
  switch (statement.kind) {
    case 'block':
      return ['{', ...block(statement.body), `}`]
    case 'declare': {
      const { variable, value } = statement
      const type =
        variable.length === undefined
          ? typeName(variable.type)
          : `array<${typeName(variable.type)}, ${variable.length}>`
      const initial = value === undefined ? '' : ` = ${expression(value)}`
      return [`${variable.isMutable ? 'var' : 'let'} ${variableName(variable)}: ${type}${initial};`]
    }
    case 'assign':
      return printAssignment(helpers, statement)
    case 'evaluate':
      return [`${statement.hasValue ? '_ = ' : ''}${expression(statement.value)};`]
    case 'if': {
      const { condition, whenTrue, whenFalse } = statement
      const lines = [`if (${expression(condition)}) {`, ...block(whenTrue)]
      return whenFalse.length === 0 ? [...lines, `}`] : [...lines, `} else {`, ...block(whenFalse), `}`]
    }
    case 'switch': {
      const { selector, clauses } = statement
      const lines = clauses.flatMap(({ values, isDefault, body }) => {
        const words = values.map((value) => printInteger(selector.type.of === 'u32', value))
        const selectors = isDefault ? [...words, 'default'] : words
        return [`case ${selectors.join(', ')}: {`, ...printList(context, body), `}`]
      })
      return [`switch (${expression(selector)}) {`, ...lines, `}`]
    }
    case 'loop':
      return printLoop(context, statement)
    case 'break':
    case 'continue':
      return [`${statement.kind};`]
    case 'return':
      return [statement.value === undefined ? `return;` : `return ${expression(statement.value)};`]
  }
}

/**
 * H15: fuel is paid where an iteration begins, behind its condition. Variables have names of their own, so the head of a `for`
 * needs no block around it, which would be one more level for compilers that count them.
 */
function printLoop(context: Context, loop: Extract<Statement, { kind: 'loop' }>): string[] {
  const expression = (value: Expression): string => printExpression(context.helpers, value)
  const initial = loop.initial === undefined ? [] : printStatement(context, loop.initial)
  const condition = loop.condition === undefined ? [] : [`if (!(${expression(loop.condition)})) { break; }`]
  const breakIf = loop.breakIf === undefined ? [] : [`break if ${expression(loop.breakIf)};`]
  const update = [...printList(context, loop.update), ...breakIf]
  return [
    ...initial,
    'loop {',
    ...condition,
    `if (shardy_spend()) { ${context.spent} }`,
    ...printList(context, loop.body),
    ...(update.length === 0 ? [] : ['continuing {', ...update, '}']),
    '}',
  ]
}

/** H12: an element beyond the end is not written. The index is computed first, then the value. */
function printAssignment(
  helpers: Helpers,
  { target, operator, value }: Extract<Statement, { kind: 'assign' }>,
): string[] {
  const component = target.component === undefined ? '' : `.${'xyzw'[target.component]}`
  const written = printExpression(helpers, value)
  const combine = (place: string): string =>
    operator === undefined ? written : printOperator(helpers, operator, value.type, place, written)
  if (target.kind === 'local') {
    const place = `${variableName(target.variable)}${component}`
    return [`${place} = ${combine(place)};`]
  }
  const array = arrayName(target)
  if (target.length !== undefined && target.index.kind === 'constant') {
    const place = `${array}[${printExpression(helpers, target.index)}]${component}`
    return [`${place} = ${combine(place)};`]
  }
  const place = `${array}[shardy_index]${component}`
  return [
    `{`,
    `let shardy_index = ${printExpression(helpers, target.index)};`,
    `let shardy_value = ${written};`,
    `if (shardy_index < ${lengthOf(target)}) {`,
    `${place} = ${operator === undefined ? 'shardy_value' : printOperator(helpers, operator, value.type, place, 'shardy_value')};`,
    `}`,
    `}`,
  ]
}

function arrayName({ array }: Element): string {
  return array.kind === 'buffer' ? bufferName(array.buffer) : variableName(array.variable)
}

function lengthOf(element: Element): string {
  return element.length === undefined ? `arrayLength(&${arrayName(element)})` : `${element.length}u`
}

/** H12: the nearest element that there is. */
function printElement(helpers: Helpers, element: Element): string {
  const index = printExpression(helpers, element.index)
  const isWithin =
    element.index.kind === 'constant' && (element.length !== undefined || element.index.value === 0)
  return `${arrayName(element)}[${isWithin ? index : `min(${index}, ${lengthOf(element)} - 1u)`}]`
}

function printInteger(isUnsigned: boolean, value: number): string {
  if (isUnsigned) return `${value}u`
  return value < 0 ? `i32(${value})` : `${value}i`
}

function printConstant({ type, value, text }: Extract<Expression, { kind: 'constant' }>): string {
  if (type.of === 'bool') return value === 1 ? 'true' : 'false'
  if (type.of === 'f32') return text.startsWith('-') ? `(${text}f)` : `${text}f`
  return printInteger(type.of === 'u32', value)
}

function printExpression(helpers: Helpers, expression: Expression): string {
  const print = (value: Expression): string => printExpression(helpers, value)
  const { type } = expression
  switch (expression.kind) {
    case 'constant':
      return printConstant(expression)
    case 'local':
      return variableName(expression.variable)
    case 'uniform': {
      const { buffer, member } = expression
      return member === undefined ? bufferName(buffer) : `${bufferName(buffer)}.${member.name}_m`
    }
    case 'element':
      return printElement(helpers, expression)
    case 'components':
      return `${print(expression.vector)}.${expression.components.map((component) => 'xyzw'[component]).join('')}`
    case 'component':
      return `${print(expression.vector)}[min(${print(expression.index)}, ${expression.vector.type.width - 1}u)]`
    case 'unary':
      return `(${expression.operator}${print(expression.operand)})`
    case 'binary': {
      const { operator, left, right } = expression
      return printOperator(helpers, operator, left.type, print(left), print(right))
    }
    case 'vector':
      return `${typeName(type)}(${expression.values.map(print).join(', ')})`
    case 'convert':
      return `${typeName(type)}(${print(expression.value)})`
    case 'bitcast':
      return `bitcast<${typeName(type)}>(${print(expression.value)})`
    case 'builtin': {
      return printBuiltin(helpers, expression.name, type, expression.values.map(print))
    }
    case 'call':
      return `${functionName(expression.callee)}(${expression.values.map(print).join(', ')})`
    case 'arrayLength':
      return `arrayLength(&${bufferName(expression.buffer)})`
    case 'atomic': {
      const value = expression.value === undefined ? '' : `, ${print(expression.value)}`
      return `${expression.name}(&${printElement(helpers, expression.element)}${value})`
    }
  }
}

function printBuiltin(helpers: Helpers, name: string, type: ValueType, values: readonly string[]): string {
  const [value = '', low = '', high = ''] = values
  // For constant bounds in the wrong order, WGSL refuses a clamp that it defines otherwise.
  if (name === 'clamp') {
    return printBuiltin(helpers, 'min', type, [printBuiltin(helpers, 'max', type, [value, low]), high])
  }
  if (isInteger(type)) {
    if (name === 'abs') return type.of === 'u32' ? value : `${absHelper(helpers, type)}(${value})`
    if (name === 'min' || name === 'max') return `${boundHelper(helpers, name, type)}(${values.join(', ')})`
  }
  return `${name}(${values.join(', ')})`
}

/** H13: divisions and remainders by a function of our own, shifts by their low five bits. */
function printOperator(
  helpers: Helpers,
  operator: BinaryOperator,
  type: ValueType,
  left: string,
  right: string,
): string {
  if (isInteger(type) && (operator === '/' || operator === '%')) {
    return `${divisionHelper(helpers, operator, type)}(${left}, ${right})`
  }
  if (operator === '<<' || operator === '>>') {
    const mask = type.width === 1 ? '31u' : `${typeName({ of: 'u32', width: type.width })}(31u)`
    return `(${left} ${operator} (${right} & ${mask}))`
  }
  return `(${left} ${operator} ${right})`
}

/** The end of a helper's name. */
function suffixOf({ of, width }: ValueType): string {
  return width === 1 ? of : `vec${width}${of}`
}

/** A zero that no compiler can know (spec H14). */
function unknownZero(type: ValueType): string {
  const zero = type.of === 'u32' ? 'shardy_limit.y' : 'i32(shardy_limit.y)'
  return type.width === 1 ? zero : `${typeName(type)}(${zero})`
}

/**
 * A driver was seen to join two `max`, or two `min`, to one instruction and to lose a minus on the way: in
 * `max(x, max(y, -y))`, and in `max(x, abs(y))`, which is the same to it. What is added keeps them apart.
 */
function boundHelper(helpers: Helpers, name: 'min' | 'max', type: ValueType): string {
  const own = typeName(type)
  const helper = `shardy_${name}_${suffixOf(type)}`
  helpers.set(
    helper,
    `fn ${helper}(left: ${own}, right: ${own}) -> ${own} {
return ${name}(left, right) + ${unknownZero(type)};
}`,
  )
  return helper
}

function absHelper(helpers: Helpers, type: ValueType): string {
  const own = typeName(type)
  const helper = `shardy_abs_${suffixOf(type)}`
  helpers.set(
    helper,
    `fn ${helper}(value: ${own}) -> ${own} {
return select(value, -value, value < ${unknownZero(type)});
}`,
  )
  return helper
}

function divisionHelper(helpers: Helpers, operator: '/' | '%', type: ValueType): string {
  const word = operator === '/' ? 'divide' : 'remainder'
  const name = `shardy_${word}_${suffixOf(type)}`
  if (helpers.has(name)) return name
  const [own, conditions] = [typeName(type), typeName({ ...bool, width: type.width })]
  const splat = (text: string): string => (type.width === 1 ? text : `${own}(${text})`)
  const isZero = `by == ${splat(type.of === 'u32' ? '0u' : '0i')}`
  const isOverflow = `(left == ${splat('i32(-2147483648)')}) & (by == ${splat('-1i')})`
  const unsafe = type.of === 'u32' ? isZero : `(${isZero}) | (${isOverflow})`
  const one = splat(type.of === 'u32' ? '1u' : '1i')
  const result = operator === '/' ? 'left / divisor' : 'left - (left / divisor) * divisor'
  helpers.set(
    name,
    `fn ${name}(left: ${own}, by: ${own}) -> ${own} {
let unsafe_by: ${conditions} = ${unsafe};
let divisor: ${own} = select(by, ${one}, unsafe_by);
return ${result};
}`,
  )
  return name
}
