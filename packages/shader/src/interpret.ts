/**
 * The reference interpreter (spec H25): what an exact shader means, in plain TypeScript. A check or a dispute runs it to
 * know the one right output; since invocations are independent, it can run as few of them as it likes.
 */
import { applyBinary, applyUnary, convert, type IntegerScalar, integerBuiltins, wrap } from './arithmetic.ts'
import { bufferContents, toBytes, toWords } from './contents.ts'
import type { Element, Expression, Member, Shader, ShaderFunction, Statement, Variable } from './shader.ts'
import type { ShaderTask } from './task.ts'
import type { ValueType } from './types.ts'

export type Interpreted =
  | { readonly kind: 'output'; readonly bytes: Uint8Array }
  /** The first invocation, in the order of this run, that spent its fuel. */
  | { readonly kind: 'outOfFuel'; readonly invocation: number }

/** Invocations in the order of z, y and x; the rest of the output stays zero. */
export interface InvocationRange {
  readonly first: number
  readonly count: number
}

type Vector = readonly number[]
type Evaluate<T> = () => T
/** How a statement ends: what follows it runs, or a loop, a switch or the function does the rest. */
type Flow = 'next' | 'break' | 'continue' | 'return'
type Run = () => Flow

class FuelSpent extends Error {
  override readonly name = 'FuelSpent'
}

/** Everything that a run changes. No function calls itself, so each variable has one place. */
interface Machine {
  readonly shader: Shader
  /** Scalars and vectors as lists, local arrays flat. */
  readonly slots: number[][]
  readonly buffers: ReadonlyMap<number, Int32Array>
  readonly functions: Map<ShaderFunction, Run>
  fuel: number
  result: Vector
}

function integerOf({ of }: ValueType): IntegerScalar {
  if (of === 'f32') throw new Error('floats have no exact meaning and are not interpreted')
  return of
}

export function interpret(task: ShaderTask, payload: Uint8Array, range?: InvocationRange): Interpreted {
  if (task.exactness.exactness !== 'exact') throw new TypeError('only exact tasks have one right output')
  const contents = bufferContents(task, payload).map(toWords)
  const { shader, dispatch } = task
  const machine: Machine = {
    shader,
    slots: [],
    buffers: new Map(
      task.bindings.map(({ buffer }, index) => [buffer.binding, contents[index] ?? new Int32Array(0)]),
    ),
    functions: new Map(),
    fuel: 0,
    result: [],
  }
  for (const one of shader.functions) machine.functions.set(one, compileList(machine, one.body))
  const run = machine.functions.get(shader.entry)
  if (run === undefined) throw new Error('the entry point is among the functions')
  const [width, height] = [0, 1].map((axis) => (dispatch[axis] ?? 1) * (shader.workgroupSize[axis] ?? 1))
  const { first, count } = range ?? { first: 0, count: task.invocations }
  const end = Math.min(task.invocations, first + count)
  for (let invocation = first; invocation < end; invocation++) {
    const row = Math.floor(invocation / (width ?? 1))
    const id = [invocation % (width ?? 1), row % (height ?? 1), Math.floor(row / (height ?? 1))]
    for (const parameter of shader.entry.parameters) {
      machine.slots[parameter.id] = builtinValue(task, parameter, id)
    }
    machine.fuel = task.fuel
    try {
      run()
    } catch (thrown) {
      if (thrown instanceof FuelSpent) return { kind: 'outOfFuel', invocation }
      throw thrown
    }
  }
  const bytes = new Uint8Array(task.outputBytes)
  for (const [index, { buffer, offset }] of task.bindings.entries()) {
    const words = contents[index]
    if (buffer.access === 'readWrite' && words !== undefined) bytes.set(toBytes(words), offset)
  }
  return { kind: 'output', bytes }
}

function builtinValue(
  { shader, dispatch }: ShaderTask,
  { builtin }: Variable,
  id: readonly number[],
): number[] {
  const size = shader.workgroupSize
  const local = id.map((value, axis) => value % (size[axis] ?? 1))
  switch (builtin) {
    case 'global_invocation_id':
      return [...id]
    case 'local_invocation_id':
      return local
    case 'local_invocation_index':
      return [(local[0] ?? 0) + size[0] * ((local[1] ?? 0) + size[1] * (local[2] ?? 0))]
    case 'workgroup_id':
      return id.map((value, axis) => Math.floor(value / (size[axis] ?? 1)))
    case 'num_workgroups':
      return [...dispatch]
    case undefined:
      throw new Error('every parameter of the entry point is a builtin')
  }
}

/** H15: one unit, or the end of the whole task. */
function spend(machine: Machine): void {
  if (machine.fuel === 0) throw new FuelSpent()
  machine.fuel--
}

function compileList(machine: Machine, body: readonly Statement[]): Run {
  const runs = body.map((statement) => compileStatement(machine, statement))
  return () => {
    for (const run of runs) {
      const flow = run()
      if (flow !== 'next') return flow
    }
    return 'next'
  }
}

function compileStatement(machine: Machine, statement: Statement): Run {
  switch (statement.kind) {
    case 'block':
      return compileList(machine, statement.body)
    case 'declare': {
      const { id, type, length } = statement.variable
      const value = statement.value === undefined ? undefined : compile(machine, statement.value)
      const words = type.width * (length ?? 1)
      return () => {
        machine.slots[id] = value === undefined ? new Array<number>(words).fill(0) : [...value()]
        return 'next'
      }
    }
    case 'assign':
      return compileAssignment(machine, statement)
    case 'evaluate': {
      const value = compile(machine, statement.value)
      return () => {
        value()
        return 'next'
      }
    }
    case 'if': {
      const condition = compileScalar(machine, statement.condition)
      const [whenTrue, whenFalse] = [statement.whenTrue, statement.whenFalse].map((body) =>
        compileList(machine, body),
      )
      return () => (condition() === 1 ? whenTrue : whenFalse)?.() ?? 'next'
    }
    case 'switch': {
      const selector = compileScalar(machine, statement.selector)
      const cases = new Map<number, Run>()
      let otherwise: Run = () => 'next'
      for (const clause of statement.clauses) {
        const run = compileList(machine, clause.body)
        for (const value of clause.values) cases.set(value, run)
        if (clause.isDefault) otherwise = run
      }
      return () => {
        const flow = (cases.get(selector()) ?? otherwise)()
        return flow === 'break' ? 'next' : flow
      }
    }
    case 'loop':
      return compileLoop(machine, statement)
    case 'break':
    case 'continue': {
      const { kind } = statement
      return () => kind
    }
    case 'return': {
      const value = statement.value === undefined ? undefined : compile(machine, statement.value)
      return () => {
        if (value !== undefined) machine.result = value()
        return 'return'
      }
    }
  }
}

function compileLoop(machine: Machine, loop: Extract<Statement, { kind: 'loop' }>): Run {
  const initial = loop.initial === undefined ? undefined : compileStatement(machine, loop.initial)
  const condition = loop.condition === undefined ? undefined : compileScalar(machine, loop.condition)
  const body = compileList(machine, loop.body)
  const update = compileList(machine, loop.update)
  const breakIf = loop.breakIf === undefined ? undefined : compileScalar(machine, loop.breakIf)
  return () => {
    initial?.()
    while (true) {
      if (condition?.() === 0) return 'next'
      spend(machine)
      const flow = body()
      if (flow === 'return') return flow
      if (flow === 'break') return 'next'
      update()
      if (breakIf?.() === 1) return 'next'
    }
  }
}

function compileAssignment(
  machine: Machine,
  { target, operator, value: valueTree }: Extract<Statement, { kind: 'assign' }>,
): Run {
  const value = compile(machine, valueTree)
  const type = target.kind === 'local' ? target.variable.type : elementType(target)
  const of = integerOf(type)
  const { component } = target
  const write = (words: number[] | Int32Array, base: number, written: Vector): void => {
    written.forEach((word, index) => {
      const place = base + (component ?? index)
      words[place] =
        operator === undefined ? word : applyBinary(operator, of, wrap(of, words[place] ?? 0), word)
    })
  }
  if (target.kind === 'local') {
    const { id } = target.variable
    return () => {
      const written = value()
      write(machine.slots[id] ?? [], 0, written)
      return 'next'
    }
  }
  const index = compileScalar(machine, target.index)
  return () => {
    const at = index()
    const written = value()
    const words = elementWords(machine, target)
    // H12: beyond the end nothing is written.
    if (at < words.length / type.width) write(words, at * type.width, written)
    return 'next'
  }
}

function elementType({ array }: Element): ValueType {
  if (array.kind === 'local') return array.variable.type
  const { layout } = array.buffer
  if (layout.kind !== 'array') throw new Error('only arrays have elements')
  return layout.element
}

function elementWords(machine: Machine, { array }: Element): number[] | Int32Array {
  const words =
    array.kind === 'local' ? machine.slots[array.variable.id] : machine.buffers.get(array.buffer.binding)
  if (words === undefined) throw new Error('every array has its place')
  return words
}

function compileScalar(machine: Machine, expression: Expression): Evaluate<number> {
  const value = compile(machine, expression)
  return () => value()[0] ?? 0
}

/** Every value is a list of its components, one for a scalar. Lists are never changed once they are values. */
function compile(machine: Machine, expression: Expression): Evaluate<Vector> {
  const { type } = expression
  const of = integerOf(type)
  switch (expression.kind) {
    case 'constant': {
      const value = [expression.value]
      return () => value
    }
    case 'local': {
      const { id } = expression.variable
      // A copy, since assignments change the place itself.
      return () => (machine.slots[id] ?? []).slice()
    }
    case 'uniform': {
      const member: Member | undefined = expression.member
      const first = (member?.offset ?? 0) / 4
      const { binding } = expression.buffer
      return () => readWords(of, machine.buffers.get(binding) ?? [], first, type.width)
    }
    case 'element': {
      const index = compileScalar(machine, expression.index)
      return () => {
        const at = index()
        const words = elementWords(machine, expression)
        // H12: beyond the end the last element is read.
        return readWords(of, words, Math.min(at, words.length / type.width - 1) * type.width, type.width)
      }
    }
    case 'components': {
      const vector = compile(machine, expression.vector)
      const { components } = expression
      return () => {
        const value = vector()
        return components.map((component) => value[component] ?? 0)
      }
    }
    case 'component': {
      const vector = compile(machine, expression.vector)
      const index = compileScalar(machine, expression.index)
      return () => {
        const value = vector()
        return [value[Math.min(index(), value.length - 1)] ?? 0]
      }
    }
    case 'unary': {
      const operand = compile(machine, expression.operand)
      const { operator } = expression
      return () => operand().map((value) => applyUnary(operator, of, value))
    }
    case 'binary':
      return compileBinary(machine, expression)
    case 'vector': {
      const values = expression.values.map((value) => compile(machine, value))
      const { width } = type
      return () => {
        const parts = values.flatMap((value) => value())
        return parts.length === width ? parts : new Array<number>(width).fill(parts[0] ?? 0)
      }
    }
    case 'convert':
    case 'bitcast': {
      const from = integerOf(expression.value.type)
      const value = compile(machine, expression.value)
      return () => value().map((part) => convert(from, of, part))
    }
    case 'builtin':
      return compileBuiltin(machine, expression)
    case 'call':
      return compileCall(machine, expression)
    case 'arrayLength': {
      const { binding, layout } = expression.buffer
      if (layout.kind !== 'array') throw new Error('only arrays have a length')
      const { width } = layout.element
      return () => [(machine.buffers.get(binding)?.length ?? 0) / width]
    }
    case 'atomic':
      throw new Error('atomics have no exact meaning and are not interpreted')
  }
}

function readWords(of: IntegerScalar, words: ArrayLike<number>, first: number, width: number): number[] {
  const value: number[] = []
  for (let index = first; index < first + width; index++) value.push(wrap(of, words[index] ?? 0))
  return value
}

function compileBinary(
  machine: Machine,
  expression: Extract<Expression, { kind: 'binary' }>,
): Evaluate<Vector> {
  const { operator } = expression
  const [left, right] = [compile(machine, expression.left), compile(machine, expression.right)]
  // The right side may call a function, which pays fuel only when it is called.
  if (operator === '&&') return () => (left()[0] === 0 ? [0] : right())
  if (operator === '||') return () => (left()[0] === 1 ? [1] : right())
  const of = integerOf(expression.left.type)
  return () => {
    const [one, other] = [left(), right()]
    return one.map((value, index) => applyBinary(operator, of, value, other[index] ?? 0))
  }
}

function compileBuiltin(
  machine: Machine,
  { name, values: trees }: Extract<Expression, { kind: 'builtin' }>,
): Evaluate<Vector> {
  const values = trees.map((value) => compile(machine, value))
  const [first] = trees
  if (first === undefined) throw new Error('every builtin has an argument')
  const of = integerOf(first.type)
  switch (name) {
    case 'all':
      return () => [values[0]?.().every((value) => value === 1) ? 1 : 0]
    case 'any':
      return () => [values[0]?.().some((value) => value === 1) ? 1 : 0]
    case 'select':
      return () => {
        const [whenFalse = [], whenTrue = [], condition = []] = values.map((value) => value())
        return whenFalse.map((value, index) => {
          const chosen = condition.length === 1 ? condition[0] : condition[index]
          return chosen === 1 ? (whenTrue[index] ?? 0) : value
        })
      }
    case 'dot':
      return () => {
        const [one = [], other = []] = values.map((value) => value())
        return [one.reduce((sum, value, index) => wrap(of, sum + Math.imul(value, other[index] ?? 0)), 0)]
      }
  }
  const apply = integerBuiltins.get(name)?.apply
  if (apply === undefined) throw new Error(`${name} has no exact meaning and is not interpreted`)
  return () => {
    const [one = [], two = [], three = []] = values.map((value) => value())
    return one.map((value, index) => apply(of, value, two[index] ?? 0, three[index] ?? 0))
  }
}

function compileCall(
  machine: Machine,
  { callee, values: trees }: Extract<Expression, { kind: 'call' }>,
): Evaluate<Vector> {
  const values = trees.map((value) => compile(machine, value))
  return () => {
    // All arguments first: one of them may call the same function.
    const given = values.map((value) => value())
    callee.parameters.forEach((parameter, index) => {
      machine.slots[parameter.id] = [...(given[index] ?? [])]
    })
    spend(machine)
    machine.result = []
    const flow = machine.functions.get(callee)?.()
    // The validator refuses a function that can end without its value; what an earlier call left must never stand in for it.
    if (callee.result !== undefined && (flow !== 'return' || machine.result.length === 0)) {
      throw new Error(`'${callee.name}' ended without a value`)
    }
    return machine.result
  }
}
