/**
 * Whether a shader is in the exact subset (spec H20 to H24): the same bytes on every device, because nothing in it is
 * left to a device. What is not recognised counts as inexact, with its place and what would be accepted.
 */
import { strideMax } from './limits.ts'
import type { Position } from './position.ts'
import type { Builtin, Expression, Shader, ShaderFunction, Statement, Target, Variable } from './shader.ts'
import type { ValueType } from './types.ts'
import { walk } from './walk.ts'

export interface Reason extends Position {
  readonly message: string
}

export type Exactness =
  | {
      readonly exactness: 'exact'
      /** Set when an own index is `global_invocation_id.x` alone: only a dispatch of one row keeps it unique. */
      readonly oneRowAt: Position | undefined
    }
  | { readonly exactness: 'inexact'; readonly reasons: readonly Reason[] }

/** Every reason is true; this many are enough to be told. */
const reasonsMax = 20

/** What is known of a u32 value, as far as own indices need it (spec H22). */
type Form =
  | { readonly kind: 'builtin'; readonly builtin: Builtin }
  | { readonly kind: 'builtinComponent'; readonly builtin: Builtin; readonly component: number }
  /** Groups in a row times a workgroup's width: the length of a row of invocations. */
  | { readonly kind: 'rowLength' }
  /** y times the groups in a row; the workgroup's width is still to come. */
  | { readonly kind: 'rowsOfGroups' }
  /** y times the length of a row. */
  | { readonly kind: 'rowStart' }
  /** The own number times the stride, and up to `offsetMax` more. */
  | {
      readonly kind: 'own'
      readonly stride: number
      readonly offsetMax: number
      readonly rows: 'one' | 'many'
    }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'bounded'; readonly max: number }
  | undefined

interface Survey {
  readonly shader: Shader
  /** Of `let`s, parameters and the counters of recognised loops. */
  readonly forms: Map<Variable, Form>
  readonly strides: Map<number, number>
  readonly reasons: Reason[]
  oneRowAt: Position | undefined
}

export function classify(shader: Shader): Exactness {
  const survey: Survey = { shader, forms: new Map(), strides: new Map(), reasons: [], oneRowAt: undefined }
  for (const parameter of shader.entry.parameters) {
    if (parameter.builtin !== undefined)
      survey.forms.set(parameter, { kind: 'builtin', builtin: parameter.builtin })
  }
  for (const { at, layout, access } of shader.buffers) {
    const types =
      layout.kind === 'array'
        ? [layout.element]
        : layout.kind === 'value'
          ? [layout.type]
          : layout.members.map(({ type }) => type)
    if (types.some(isFloat)) reason(survey, at, floatMessage)
    if (layout.kind === 'array' && layout.isAtomic) {
      reason(survey, at, 'atomics: the order in which invocations reach them is not defined')
    }
    if (access === 'readWrite' && shader.workgroupSize[2] > 1) {
      reason(survey, at, 'an own index is recognised in one or two dimensions: the workgroup has a third')
    }
  }
  for (const one of shader.functions) surveyFunction(survey, one)
  const reasons = distinct(survey.reasons)
  if (reasons.length > 0) return { exactness: 'inexact', reasons }
  return { exactness: 'exact', oneRowAt: survey.oneRowAt }
}

const floatMessage = 'floats: devices differ in rounding, fusing and functions; use fixed-point integers'

function isFloat(type: ValueType): boolean {
  return type.of === 'f32'
}

function reason({ reasons }: Survey, { line, column }: Position, message: string): void {
  reasons.push({ line, column, message })
}

function distinct(reasons: readonly Reason[]): Reason[] {
  const byText = new Map(reasons.map((one) => [`${one.line}:${one.column}:${one.message}`, one]))
  const ordered = [...byText.values()].sort(
    (one, other) => one.line - other.line || one.column - other.column,
  )
  return ordered.slice(0, reasonsMax)
}

function surveyFunction(survey: Survey, one: ShaderFunction): void {
  const { entry } = survey.shader
  if (one.result !== undefined && isFloat(one.result)) reason(survey, one.at, floatMessage)
  for (const parameter of one.parameters)
    if (isFloat(parameter.type)) reason(survey, parameter.at, floatMessage)
  walk(one.body, {
    statement(statement) {
      if (statement.kind === 'declare') {
        const { variable, value } = statement
        if (isFloat(variable.type)) reason(survey, variable.at, floatMessage)
        // Walked outer before inner and in order, so the forms of what the value uses are known.
        if (!variable.isMutable && value !== undefined) survey.forms.set(variable, formOf(survey, value))
      }
      if (statement.kind === 'loop') surveyCounter(survey, statement)
      if (statement.kind !== 'assign' || statement.target.kind !== 'element') return
      const { array } = statement.target
      if (array.kind === 'local') return
      const isEntry = one === entry
      surveyWrite(survey, statement.target, array.buffer.binding, isEntry)
      if (statement.operator !== undefined) {
        reason(
          survey,
          statement.at,
          `'${array.buffer.name}' is read and written: keep read and write buffers apart`,
        )
      }
    },
    expression(expression) {
      if (isFloat(expression.type)) reason(survey, expression.at, floatMessage)
      if (expression.kind !== 'element' || expression.array.kind !== 'buffer') return
      const { buffer } = expression.array
      if (buffer.access !== 'readWrite') return
      reason(survey, expression.at, `'${buffer.name}' is read and written: keep read and write buffers apart`)
    },
  })
}

function surveyWrite(
  survey: Survey,
  { at, index }: Extract<Target, { kind: 'element' }>,
  binding: number,
  isEntry: boolean,
): void {
  if (!isEntry)
    return reason(survey, at, 'a write outside the entry point: return the value and write it there')
  const form = asOwn(formOf(survey, index))
  if (form === undefined) {
    return reason(survey, at, "the index is not recognised as the invocation's own (spec H22)")
  }
  if (form.offsetMax >= form.stride) {
    return reason(
      survey,
      at,
      `the index reaches ${form.offsetMax} past the own block, which has ${form.stride} elements`,
    )
  }
  const known = survey.strides.get(binding)
  if (known !== undefined && known !== form.stride) {
    return reason(
      survey,
      at,
      `the buffer is written in blocks of ${known} and of ${form.stride}: blocks of two sizes overlap`,
    )
  }
  survey.strides.set(binding, form.stride)
  if (form.rows === 'one') {
    survey.oneRowAt ??= at
    if (survey.shader.workgroupSize[1] > 1) {
      reason(survey, at, 'x alone is not unique: the workgroup has a second dimension')
    }
  }
}

/** `for (var c = …; c < 4u; …)` with a body that never assigns c: inside, c is below 4 whatever the update does. */
function surveyCounter(
  survey: Survey,
  { initial, condition, body }: Extract<Statement, { kind: 'loop' }>,
): void {
  if (initial?.kind !== 'declare' || condition?.kind !== 'binary' || condition.operator !== '<') return
  const { variable } = initial
  const { left, right } = condition
  if (left.kind !== 'local' || left.variable !== variable) return
  if (variable.type.of !== 'u32' || right.kind !== 'constant' || right.value === 0) return
  let isAssigned = false
  walk(body, {
    statement(statement) {
      if (statement.kind !== 'assign' || statement.target.kind !== 'local') return
      if (statement.target.variable === variable) isAssigned = true
    },
  })
  if (!isAssigned) survey.forms.set(variable, { kind: 'bounded', max: right.value - 1 })
}

function asOwn(form: Form): Extract<Form, { kind: 'own' }> | undefined {
  if (form?.kind === 'own') return form
  if (isComponent(form, 'global_invocation_id', 0))
    return { kind: 'own', stride: 1, offsetMax: 0, rows: 'one' }
  return undefined
}

function isComponent(form: Form, builtin: Builtin, component: number): boolean {
  return form?.kind === 'builtinComponent' && form.builtin === builtin && form.component === component
}

function maxOf(form: Form): number | undefined {
  return form?.kind === 'constant' ? form.value : form?.kind === 'bounded' ? form.max : undefined
}

function formOf(survey: Survey, expression: Expression): Form {
  switch (expression.kind) {
    case 'constant':
      return expression.type.of === 'u32' ? { kind: 'constant', value: expression.value } : undefined
    case 'local':
      return survey.forms.get(expression.variable)
    case 'components': {
      const vector = formOf(survey, expression.vector)
      const [component, second] = expression.components
      if (vector?.kind !== 'builtin' || component === undefined || second !== undefined) return undefined
      return { kind: 'builtinComponent', builtin: vector.builtin, component }
    }
    case 'builtin': {
      if (expression.name !== 'min' || expression.type.of !== 'u32' || expression.type.width !== 1)
        return undefined
      const bounds = expression.values.flatMap((value) => maxOf(formOf(survey, value)) ?? [])
      return bounds.length === 0 ? undefined : { kind: 'bounded', max: Math.min(...bounds) }
    }
    case 'binary':
      if (expression.type.of !== 'u32' || expression.type.width !== 1) return undefined
      return formOfBinary(survey, expression)
    default:
      return undefined
  }
}

function formOfBinary(
  survey: Survey,
  { operator, left, right }: Extract<Expression, { kind: 'binary' }>,
): Form {
  const [one, other] = [formOf(survey, left), formOf(survey, right)]
  switch (operator) {
    case '+':
      return formOfSum(one, other) ?? formOfSum(other, one)
    case '*':
      return formOfProduct(survey, one, other) ?? formOfProduct(survey, other, one)
    case '%':
      return other?.kind === 'constant' && other.value > 0
        ? { kind: 'bounded', max: other.value - 1 }
        : undefined
    case '&': {
      const bounds = [maxOf(one), maxOf(other)].flatMap((max) => max ?? [])
      return bounds.length === 0 ? undefined : { kind: 'bounded', max: Math.min(...bounds) }
    }
    default:
      return undefined
  }
}

/** No sum here can wrap: own numbers are below 2^24, strides and offsets at most 256 (spec H22). */
function formOfSum(one: Form, other: Form): Form {
  if (one?.kind === 'rowStart' && isComponent(other, 'global_invocation_id', 0)) {
    return { kind: 'own', stride: 1, offsetMax: 0, rows: 'many' }
  }
  const more = maxOf(other)
  const [own, bound] = [asOwn(one), maxOf(one)]
  if (more === undefined || more > strideMax) return undefined
  if (own !== undefined) return { ...own, offsetMax: own.offsetMax + more }
  return bound === undefined || bound > strideMax ? undefined : { kind: 'bounded', max: bound + more }
}

function formOfProduct(survey: Survey, one: Form, other: Form): Form {
  const [width] = survey.shader.workgroupSize
  const factor = other?.kind === 'constant' ? other.value : undefined
  const isRow = isComponent(one, 'global_invocation_id', 1)
  const isGroups = isComponent(other, 'num_workgroups', 0)
  if (isRow && other?.kind === 'rowLength') return { kind: 'rowStart' }
  if (isRow && isGroups) return width === 1 ? { kind: 'rowStart' } : { kind: 'rowsOfGroups' }
  if (factor === width && isComponent(one, 'num_workgroups', 0)) return { kind: 'rowLength' }
  if (factor === width && one?.kind === 'rowsOfGroups') return { kind: 'rowStart' }
  const own = asOwn(one)
  if (own === undefined || factor === undefined || factor < 1 || own.offsetMax > 0) return undefined
  const stride = own.stride * factor
  return stride > strideMax ? undefined : { ...own, stride }
}
