/** The syntax tree of a source: what the grammar says, before any name is looked up (spec H4 to H6). */
import type { Position } from './position.ts'

export interface TypeSyntax {
  readonly at: Position
  readonly name: string
  readonly element: TypeSyntax | undefined
  /** Of `array<T, N>`. */
  readonly length: ExpressionSyntax | undefined
}

export type ExpressionSyntax = { readonly at: Position; readonly depth: number } & (
  | { readonly kind: 'integer'; readonly value: bigint; readonly suffix: '' | 'i' | 'u' }
  | { readonly kind: 'float'; readonly text: string }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'name'; readonly name: string }
  | {
      readonly kind: 'call'
      readonly callee: TypeSyntax
      readonly values: readonly ExpressionSyntax[]
    }
  | { readonly kind: 'unary'; readonly operator: '-' | '!' | '~' | '&'; readonly operand: ExpressionSyntax }
  | {
      readonly kind: 'binary'
      readonly operator: BinaryOperator
      readonly left: ExpressionSyntax
      readonly right: ExpressionSyntax
    }
  | { readonly kind: 'index'; readonly object: ExpressionSyntax; readonly index: ExpressionSyntax }
  | { readonly kind: 'member'; readonly object: ExpressionSyntax; readonly name: string }
)

export type Arithmetic = '+' | '-' | '*' | '/' | '%'
export type Bitwise = '&' | '|' | '^'
export type Shift = '<<' | '>>'
export type Comparison = '<' | '<=' | '>' | '>=' | '==' | '!='
export type Logical = '&&' | '||'
export type BinaryOperator = Arithmetic | Bitwise | Shift | Comparison | Logical
export type AssignmentOperator = Arithmetic | Bitwise | Shift

export type StatementSyntax = { readonly at: Position } & (
  | { readonly kind: 'block'; readonly body: readonly StatementSyntax[] }
  | {
      readonly kind: 'declare'
      readonly how: 'const' | 'let' | 'var'
      readonly name: string
      readonly nameAt: Position
      readonly type: TypeSyntax | undefined
      readonly value: ExpressionSyntax | undefined
    }
  | {
      readonly kind: 'assign'
      readonly target: ExpressionSyntax
      readonly operator: AssignmentOperator | undefined
      readonly value: ExpressionSyntax
    }
  /** A call for its effect, or `_ = value`. */
  | { readonly kind: 'evaluate'; readonly value: ExpressionSyntax; readonly isPhony: boolean }
  | {
      readonly kind: 'if'
      readonly condition: ExpressionSyntax
      readonly whenTrue: readonly StatementSyntax[]
      readonly whenFalse: readonly StatementSyntax[] | undefined
    }
  | {
      readonly kind: 'switch'
      readonly selector: ExpressionSyntax
      readonly clauses: readonly ClauseSyntax[]
    }
  | {
      readonly kind: 'for'
      readonly initial: StatementSyntax | undefined
      readonly condition: ExpressionSyntax | undefined
      readonly update: StatementSyntax | undefined
      readonly body: readonly StatementSyntax[]
    }
  | {
      readonly kind: 'while'
      readonly condition: ExpressionSyntax
      readonly body: readonly StatementSyntax[]
    }
  | {
      readonly kind: 'loop'
      readonly body: readonly StatementSyntax[]
      readonly continuing: readonly StatementSyntax[] | undefined
      readonly breakIf: ExpressionSyntax | undefined
    }
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' }
  | { readonly kind: 'return'; readonly value: ExpressionSyntax | undefined }
)

/** `default` is the selector undefined. */
export interface ClauseSyntax {
  readonly at: Position
  readonly selectors: readonly (ExpressionSyntax | undefined)[]
  readonly body: readonly StatementSyntax[]
}

export interface AttributeSyntax {
  readonly at: Position
  readonly name: string
  readonly values: readonly ExpressionSyntax[]
}

export interface FieldSyntax {
  readonly at: Position
  readonly name: string
  readonly type: TypeSyntax
  readonly attributes: readonly AttributeSyntax[]
}

export type DeclarationSyntax = { readonly at: Position; readonly name: string } & (
  | { readonly kind: 'const'; readonly type: TypeSyntax | undefined; readonly value: ExpressionSyntax }
  | { readonly kind: 'struct'; readonly members: readonly FieldSyntax[] }
  | {
      readonly kind: 'buffer'
      readonly space: readonly string[]
      readonly type: TypeSyntax
      readonly attributes: readonly AttributeSyntax[]
    }
  | {
      readonly kind: 'function'
      readonly attributes: readonly AttributeSyntax[]
      readonly parameters: readonly FieldSyntax[]
      readonly result: TypeSyntax | undefined
      readonly body: readonly StatementSyntax[]
    }
)
