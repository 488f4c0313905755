/** What names mean where (spec H9): nested scopes, one meaning per name and scope, and no builtin ever redefined. */
import { isBuiltin } from './builtins.ts'
import type { Checked } from './constant.ts'
import { type Position, refuse } from './position.ts'
import type { Buffer, Layout, ShaderFunction, Variable } from './shader.ts'
import { isTypeName } from './types.ts'

export type Meaning =
  | { readonly kind: 'constant'; readonly value: Checked }
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'buffer'; readonly buffer: Buffer }
  | { readonly kind: 'function'; readonly function: ShaderFunction }
  | { readonly kind: 'struct'; readonly layout: Extract<Layout, { kind: 'struct' }> }

export interface Scope {
  readonly parent: Scope | undefined
  readonly names: Map<string, Meaning>
  /** The body of a loop as its `continuing` block sees it: `continue` may have skipped what is declared there. */
  isSealed: boolean
}

export function openScope(parent: Scope | undefined): Scope {
  return { parent, names: new Map(), isSealed: false }
}

/** Of members too, which stand in no scope: what is printed for a name begins with it. */
export function refuseReserved(at: Position, name: string): void {
  if (name.startsWith('__')) refuse(at, `'${name}' begins with two underscores`)
  if (name.startsWith('shardy_'))
    refuse(at, `'${name}' is reserved: names that begin with 'shardy_' are injected`)
}

export function declare(scope: Scope, at: Position, name: string, meaning: Meaning): void {
  refuseReserved(at, name)
  if (isTypeName(name) || isBuiltin(name)) refuse(at, `'${name}' is WGSL's own name and cannot be declared`)
  if (scope.names.has(name)) refuse(at, `'${name}' is declared twice in this scope`)
  scope.names.set(name, meaning)
}

export function lookUp(scope: Scope, at: Position, name: string): Meaning {
  for (let place: Scope | undefined = scope; place !== undefined; place = place.parent) {
    const meaning = place.names.get(name)
    if (meaning === undefined) continue
    if (place.isSealed)
      refuse(at, `'${name}' belongs to the loop's body, and 'continuing' may come without it`)
    return meaning
  }
  return refuse(at, `'${name}' is not declared`)
}
