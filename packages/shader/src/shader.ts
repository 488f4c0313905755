/**
 * A checked shader: every name resolved, every type known, every constant folded. The printer, the interpreter and the
 * classification read this and never the source again, so all of them mean the same program.
 */
import type { Position } from './position.ts'
import type { AssignmentOperator, BinaryOperator } from './syntax.ts'
import type { ValueType } from './types.ts'

export type Access = 'read' | 'readWrite' | 'uniform'

/** What lies in a buffer. Offsets and sizes are those of WGSL's own layout rules. */
export type Layout =
  | {
      readonly kind: 'array'
      readonly element: ValueType
      readonly length: number | undefined
      readonly isAtomic: boolean
    }
  | { readonly kind: 'value'; readonly type: ValueType }
  | {
      readonly kind: 'struct'
      readonly name: string
      readonly members: readonly Member[]
      readonly bytes: number
    }

export interface Member {
  readonly name: string
  readonly type: ValueType
  readonly offset: number
}

export interface Buffer {
  readonly at: Position
  readonly name: string
  readonly binding: number
  readonly access: Access
  readonly layout: Layout
}

export type Builtin =
  | 'global_invocation_id'
  | 'local_invocation_id'
  | 'local_invocation_index'
  | 'workgroup_id'
  | 'num_workgroups'

export interface Variable {
  readonly at: Position
  readonly name: string
  /** Unique in the shader. */
  readonly id: number
  readonly isMutable: boolean
  readonly type: ValueType
  /** Of a local array; `type` is its element then. */
  readonly length: number | undefined
  readonly builtin: Builtin | undefined
}

/** A place with an index: an element of a buffer or of a local array. */
export interface Element {
  readonly array:
    | { readonly kind: 'buffer'; readonly buffer: Buffer }
    | { readonly kind: 'local'; readonly variable: Variable }
  /** u32; the element's number before the rule for indices out of bounds (spec H12). */
  readonly index: Expression
  /** The array's fixed length, if it has one. */
  readonly length: number | undefined
}

export type Expression = {
  readonly at: Position
  readonly type: ValueType
} /** A scalar: i32 and u32 as numbers, bool as 0 and 1, f32 as its text. */ & (
  | { readonly kind: 'constant'; readonly value: number; readonly text: string }
  | { readonly kind: 'local'; readonly variable: Variable }
  | { readonly kind: 'uniform'; readonly buffer: Buffer; readonly member: Member | undefined }
  | ({ readonly kind: 'element' } & Element)
  | { readonly kind: 'components'; readonly vector: Expression; readonly components: readonly number[] }
  | { readonly kind: 'component'; readonly vector: Expression; readonly index: Expression }
  | { readonly kind: 'unary'; readonly operator: '-' | '!' | '~'; readonly operand: Expression }
  | {
      readonly kind: 'binary'
      readonly operator: BinaryOperator
      readonly left: Expression
      readonly right: Expression
    }
  /** A vector of its components one after another, or of one scalar everywhere. None is zero. */
  | { readonly kind: 'vector'; readonly values: readonly Expression[] }
  | { readonly kind: 'convert'; readonly value: Expression }
  | { readonly kind: 'bitcast'; readonly value: Expression }
  | { readonly kind: 'builtin'; readonly name: string; readonly values: readonly Expression[] }
  | { readonly kind: 'call'; readonly callee: ShaderFunction; readonly values: readonly Expression[] }
  | { readonly kind: 'arrayLength'; readonly buffer: Buffer }
  | {
      readonly kind: 'atomic'
      readonly name: string
      readonly element: Element
      readonly value: Expression | undefined
    }
)

export type Target =
  | { readonly kind: 'local'; readonly variable: Variable; readonly component: number | undefined }
  | ({ readonly kind: 'element'; readonly at: Position; readonly component: number | undefined } & Element)

export type Statement = { readonly at: Position } & (
  | { readonly kind: 'block'; readonly body: readonly Statement[] }
  | { readonly kind: 'declare'; readonly variable: Variable; readonly value: Expression | undefined }
  | {
      readonly kind: 'assign'
      readonly target: Target
      readonly operator: AssignmentOperator | undefined
      readonly value: Expression
    }
  | { readonly kind: 'evaluate'; readonly value: Expression; readonly hasValue: boolean }
  | {
      readonly kind: 'if'
      readonly condition: Expression
      readonly whenTrue: readonly Statement[]
      readonly whenFalse: readonly Statement[]
    }
  | { readonly kind: 'switch'; readonly selector: Expression; readonly clauses: readonly Clause[] }
  /** Every loop of WGSL: `while (condition) { body; update }`, `breakIf` being asked last. */
  | {
      readonly kind: 'loop'
      readonly initial: Statement | undefined
      readonly condition: Expression | undefined
      readonly body: readonly Statement[]
      readonly update: readonly Statement[]
      readonly breakIf: Expression | undefined
    }
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' }
  | { readonly kind: 'return'; readonly value: Expression | undefined }
)

export interface Clause {
  readonly values: readonly number[]
  readonly isDefault: boolean
  readonly body: readonly Statement[]
}

export interface ShaderFunction {
  readonly at: Position
  readonly name: string
  readonly id: number
  readonly parameters: readonly Variable[]
  readonly result: ValueType | undefined
  readonly body: readonly Statement[]
}

export interface Shader {
  /** In the order of their numbers. */
  readonly buffers: readonly Buffer[]
  /** Callees before callers, the entry point last. */
  readonly functions: readonly ShaderFunction[]
  readonly entry: ShaderFunction
  readonly workgroupSize: readonly [number, number, number]
  /** Nodes of the checked tree by width and cost, each function once: what one unit of fuel can at most pay for (spec H16). */
  readonly nodes: number
}
