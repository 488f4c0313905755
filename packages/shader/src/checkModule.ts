/** The declarations of a source as one shader (spec H9, H10): bindings, functions in calling order, the entry point. */

import { readBuffer, readStruct } from './bindings.ts'
import { checkCount, checkExpression } from './checkExpression.ts'
import { checkBody } from './checkStatement.ts'
import { coerce } from './constant.ts'
import {
  callDepthMax,
  localBytesMax,
  parametersMax,
  storageBindingsMax,
  uniformBindingsMax,
  weightMax,
  workgroupInvocationsMax,
  workgroupZMax,
} from './limits.ts'
import { refuse } from './position.ts'
import { declare, openScope, type Scope } from './scope.ts'
import type { Buffer, Builtin, Expression, Shader, ShaderFunction, Statement, Variable } from './shader.ts'
import type { AttributeSyntax, BinaryOperator, DeclarationSyntax, FieldSyntax } from './syntax.ts'
import { expectValueType, type ValueType } from './types.ts'
import { walk } from './walk.ts'

type FunctionSyntax = Extract<DeclarationSyntax, { kind: 'function' }>
/** A function whose body is checked after every signature is known. */
type Signature = ShaderFunction & { body: readonly Statement[] }

const builtinTypes: Readonly<Record<Builtin, ValueType>> = {
  global_invocation_id: { of: 'u32', width: 3 },
  local_invocation_id: { of: 'u32', width: 3 },
  local_invocation_index: { of: 'u32', width: 1 },
  workgroup_id: { of: 'u32', width: 3 },
  num_workgroups: { of: 'u32', width: 3 },
}

function isBuiltinValue(name: string): name is Builtin {
  return Object.hasOwn(builtinTypes, name)
}

export function checkModule(declarations: readonly DeclarationSyntax[]): Shader {
  const scope = openScope(undefined)
  const buffers: Buffer[] = []
  const signatures: { syntax: FunctionSyntax; function: Signature }[] = []
  let ids = 0
  const nextId = (): number => ids++

  for (const declaration of declarations) {
    const { at, name } = declaration
    switch (declaration.kind) {
      case 'const': {
        const type = declaration.type === undefined ? undefined : expectValueType(declaration.type)
        const checked = checkExpression(scope, declaration.value)
        const value = type === undefined ? checked : coerce(checked, type, `'${name}'`)
        if (value.kind !== 'constant' && value.kind !== 'abstract') {
          return refuse(declaration.value.at, `the value of 'const ${name}' is not a constant scalar`)
        }
        declare(scope, at, name, { kind: 'constant', value })
        break
      }
      case 'struct':
        declare(scope, at, name, { kind: 'struct', layout: readStruct(declaration) })
        break
      case 'buffer': {
        const buffer = readBuffer(scope, declaration)
        if (buffers.some(({ binding }) => binding === buffer.binding)) {
          refuse(at, `the binding ${buffer.binding} is there twice`)
        }
        buffers.push(buffer)
        declare(scope, at, name, { kind: 'buffer', buffer })
        break
      }
      case 'function': {
        const id = nextId()
        const result = declaration.result === undefined ? undefined : expectValueType(declaration.result)
        const parameters = readParameters(declaration, nextId)
        const signature: Signature = { at, name, id, parameters, result, body: [] }
        signatures.push({ syntax: declaration, function: signature })
        declare(scope, at, name, { kind: 'function', function: signature })
      }
    }
  }
  refuseTooManyBuffers(buffers)
  const entrySyntax = findEntry(signatures.map(({ syntax }) => syntax))
  for (const { syntax, function: signature } of signatures) {
    const inner = openScope(scope)
    for (const variable of signature.parameters) {
      declare(inner, variable.at, variable.name, { kind: 'variable', variable })
    }
    signature.body = checkBody(inner, syntax.body, signature.result, syntax.at, nextId)
  }
  const entry = signatures.find(({ syntax }) => syntax === entrySyntax)?.function
  if (entry === undefined) throw new Error('the entry point is one of the functions')
  const all = signatures.map((one) => one.function)
  const measured = measure(all, entry)
  return {
    buffers: buffers.sort((left, right) => left.binding - right.binding),
    functions: measured.reached,
    entry,
    workgroupSize: readWorkgroupSize(scope, entrySyntax),
    nodes: measured.nodes,
  }
}

function refuseTooManyBuffers(buffers: readonly Buffer[]): void {
  const [uniform, storage] = [
    buffers.filter(({ access }) => access === 'uniform'),
    buffers.filter(({ access }) => access !== 'uniform'),
  ]
  const extra = storage[storageBindingsMax]
  if (extra !== undefined) refuse(extra.at, `there are more than ${storageBindingsMax} storage buffers`)
  const other = uniform[uniformBindingsMax]
  if (other !== undefined) refuse(other.at, `there are more than ${uniformBindingsMax} uniform buffers`)
  if (buffers.every(({ access }) => access !== 'readWrite')) {
    refuse({ line: 1, column: 1 }, 'there is no read_write buffer, so the shader has no output')
  }
}

function findEntry(functions: readonly FunctionSyntax[]): FunctionSyntax {
  let entry: FunctionSyntax | undefined
  for (const candidate of functions) {
    const stage = candidate.attributes.find(({ name }) => ['compute', 'vertex', 'fragment'].includes(name))
    if (stage === undefined) {
      const [attribute] = candidate.attributes
      if (attribute !== undefined)
        refuse(attribute.at, `the attribute '@${attribute.name}' has no place here`)
      continue
    }
    if (stage.name !== 'compute') refuse(stage.at, `'@${stage.name}' is not accepted: the stage is compute`)
    if (entry !== undefined) refuse(candidate.at, `there is a second entry point, '${candidate.name}'`)
    entry = candidate
  }
  if (entry === undefined)
    return refuse({ line: 1, column: 1 }, "there is no entry point: mark one '@compute'")
  if (entry.result !== undefined) refuse(entry.result.at, 'the entry point returns nothing')
  return entry
}

function readParameters(syntax: FunctionSyntax, nextId: () => number): Variable[] {
  const isEntry = syntax.attributes.some(({ name }) => name === 'compute')
  const extra = syntax.parameters[parametersMax]
  if (extra !== undefined) refuse(extra.at, `'${syntax.name}' has more than ${parametersMax} parameters`)
  const seen = new Set<Builtin>()
  return syntax.parameters.map((field) => {
    const builtin = readBuiltin(field, isEntry)
    if (builtin !== undefined) {
      if (seen.has(builtin)) refuse(field.at, `'${builtin}' is there twice`)
      seen.add(builtin)
    }
    const type = expectValueType(field.type)
    if (builtin !== undefined) {
      const expected = builtinTypes[builtin]
      if (type.of !== expected.of || type.width !== expected.width) {
        refuse(field.type.at, `'${builtin}' is ${expected.width === 1 ? 'u32' : 'vec3<u32>'}`)
      }
    }
    return {
      at: field.at,
      name: field.name,
      id: nextId(),
      isMutable: false,
      type,
      length: undefined,
      builtin,
    }
  })
}

function readBuiltin({ at, name, attributes }: FieldSyntax, isEntry: boolean): Builtin | undefined {
  const [attribute, second] = attributes
  if (second !== undefined) refuse(second.at, `the attribute '@${second.name}' has no place here`)
  if (attribute === undefined) {
    return isEntry ? refuse(at, `the parameter '${name}' of the entry point needs '@builtin(…)'`) : undefined
  }
  const [value] = attribute.values
  if (!isEntry || attribute.name !== 'builtin') {
    refuse(attribute.at, `the attribute '@${attribute.name}' has no place here`)
  }
  if (attribute.values.length !== 1 || value?.kind !== 'name')
    return refuse(attribute.at, "'@builtin' takes one name")
  return isBuiltinValue(value.name)
    ? value.name
    : refuse(value.at, `the builtin '${value.name}' is not accepted`)
}

function readWorkgroupSize(scope: Scope, { at, attributes }: FunctionSyntax): [number, number, number] {
  const find = (name: string): AttributeSyntax | undefined => {
    const [first, second] = attributes.filter((attribute) => attribute.name === name)
    if (second !== undefined) refuse(second.at, `'@${name}' is there twice`)
    return first
  }
  const compute = find('compute')
  if (compute !== undefined && compute.values.length > 0) refuse(compute.at, "'@compute' takes no argument")
  const size = find('workgroup_size')
  const other = attributes.find(({ name }) => name !== 'compute' && name !== 'workgroup_size')
  if (other !== undefined) refuse(other.at, `the attribute '@${other.name}' has no place here`)
  if (size === undefined) return refuse(at, "the entry point needs '@workgroup_size(…)'")
  const [first, second, third] = size.values
  if (first === undefined || size.values.length > 3)
    return refuse(size.at, "'@workgroup_size' takes one to three numbers")
  const max = workgroupInvocationsMax
  const x = checkCount(scope, first, 1, max, 'the workgroup size')
  const y = second === undefined ? 1 : checkCount(scope, second, 1, max, 'the workgroup size')
  const z = third === undefined ? 1 : checkCount(scope, third, 1, workgroupZMax, 'the workgroup size')
  if (x * y * z > max) refuse(size.at, `a workgroup has ${x * y * z} invocations, the limit is ${max}`)
  return [x, y, z]
}

/** Divisions of integers become many instructions on every device. */
const divisionCost = 8
/** Of each loop and call: to a compiler, paying fuel and perhaps leaving everything is a graph of its own. */
const fuelCost = 64

function operatorCost(operator: BinaryOperator, { of, width }: ValueType): number {
  const isDivision = (operator === '/' || operator === '%') && of !== 'f32'
  return isDivision ? divisionCost * width : width
}

/**
 * What a compiler takes beyond the nodes, as measured on a software device at many of each: its time grows with the square of
 * branches and of values that live at once, and every guarded element is several instructions.
 */
const branchWeight = 24
const declarationWeight = 12
const elementWeight = 12
/** Of each component. */
const builtinWeight = 8

/**
 * Compilers carry every component of every variable around every loop and branch: their time was measured to be the square of
 * those components times the depths of all loops together, and an eighth of it for branches.
 */
const loopTurn = 8
const branchTurn = 1
const turnsPerWeight = 1024

function turnOf({ kind }: Statement): number {
  return kind === 'loop' ? loopTurn : kind === 'if' || kind === 'switch' ? branchTurn : 0
}

function statementWeight(statement: Statement): number {
  if (statement.kind === 'if') return branchWeight
  if (statement.kind === 'switch') return branchWeight * statement.clauses.length
  if (statement.kind === 'declare') return declarationWeight
  return statement.kind === 'assign' && statement.target.kind === 'element' ? elementWeight : 0
}

function expressionWeight(expression: Expression): number {
  if (expression.kind === 'element' || expression.kind === 'atomic') return elementWeight
  if (expression.kind === 'builtin') return builtinWeight * expression.type.width
  if (expression.kind !== 'binary') return 0
  const { operator, type } = expression
  if (operator === '&&' || operator === '||') return branchWeight
  return operator === '%' && type.of === 'f32' ? builtinWeight * type.width : 0
}

/**
 * H10: no recursion, no long chain of calls, and a bound on the shader with every call replaced by its body, because that
 * is what drivers compile: thirty functions that call each other twice would be a billion.
 */
function measure(functions: readonly ShaderFunction[], entry: ShaderFunction) {
  interface Size {
    /** Without what variables and loops weigh together. */
    readonly weight: number
    /** Components of all variables. */
    readonly components: number
    /** Of all loops and branches, once, and times their depths. */
    readonly turns: number
    readonly deepTurns: number
    readonly bytes: number
    readonly depth: number
  }
  const sizes = new Map<ShaderFunction, Size | 'open'>()
  const reached: ShaderFunction[] = []
  let nodesOfAll = 0

  function visit(one: ShaderFunction, level: number): Size {
    sizes.set(one, 'open')
    let [weight, bytes, depth] = [0, 0, 0]
    let [components, turns, deepTurns, turnDepth] = [
      one.parameters.reduce((sum, { type }) => sum + type.width, 0),
      0,
      0,
      0,
    ]
    let own = 1
    walk(one.body, {
      statement(statement) {
        own++
        weight += statementWeight(statement)
        const turn = turnOf(statement)
        if (turn > 0) turnDepth++
        turns += turn
        deepTurns += turn * turnDepth
        if (statement.kind === 'declare' && statement.variable.length === undefined) {
          components += statement.variable.type.width
        }
        if (statement.kind === 'loop') own += fuelCost
        if (statement.kind === 'assign' && statement.operator !== undefined) {
          own += operatorCost(statement.operator, statement.value.type)
        }
        if (statement.kind === 'declare' && statement.variable.length !== undefined) {
          const words = statement.variable.type.width * statement.variable.length
          bytes += 4 * words
          // Zeros are written each time that the statement is reached.
          own += words
        }
      },
      leave(statement) {
        if (turnOf(statement) > 0) turnDepth--
      },
      expression(expression) {
        own +=
          expression.kind === 'binary'
            ? operatorCost(expression.operator, expression.type)
            : expression.type.width
        weight += expressionWeight(expression)
        if (expression.kind !== 'call') return
        own += fuelCost
        const { callee, at } = expression
        if (callee === entry) refuse(at, 'the entry point cannot be called')
        const known = sizes.get(callee)
        if (known === 'open') return refuse(at, `'${callee.name}' calls itself, directly or by others`)
        const tooDeep = `functions call each other deeper than ${callDepthMax}`
        if (level >= callDepthMax) refuse(at, tooDeep)
        const size = known ?? visit(callee, level + 1)
        weight += size.weight
        components += size.components
        // Its body stands here, behind the fuel that the call pays.
        turns += branchTurn + size.turns
        deepTurns += branchTurn + size.deepTurns + turnDepth * (branchTurn + size.turns)
        bytes += size.bytes
        depth = Math.max(depth, size.depth)
        if (depth >= callDepthMax) refuse(at, tooDeep)
      },
    })
    weight += own
    nodesOfAll += own
    const total = weight + Math.ceil((components * components * deepTurns) / turnsPerWeight)
    if (total > weightMax) {
      refuse(
        one.at,
        `'${one.name}' with the functions it calls has a weight of ${total}, the limit is ${weightMax}`,
      )
    }
    if (bytes > localBytesMax) {
      refuse(
        one.at,
        `the arrays of '${one.name}' and of the functions it calls take ${bytes} bytes, the limit is ${localBytesMax}`,
      )
    }
    const size = { weight, components, turns, deepTurns, bytes, depth: depth + 1 }
    sizes.set(one, size)
    reached.push(one)
    return size
  }

  visit(entry, 1)
  const [nodes, used] = [nodesOfAll, [...reached]]
  for (const one of functions) if (!sizes.has(one)) visit(one, 1)
  return { nodes, reached: used }
}
