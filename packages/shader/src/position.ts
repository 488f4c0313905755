/** Where something is in a source, and the refusal that names a place. Lines and columns count from one. */

export interface Position {
  readonly line: number
  readonly column: number
}

export interface SourceRefusal extends Position {
  readonly kind: 'source'
  readonly message: string
}

/** Thrown inside this package only; `validateShader` turns it into the refusal that it carries. */
export class SourceRefused extends Error {
  override readonly name = 'SourceRefused'
  readonly refusal: SourceRefusal

  constructor({ line, column }: Position, message: string) {
    super(`${line}:${column}: ${message}`)
    this.refusal = { kind: 'source', line, column, message }
  }
}

export function refuse(at: Position, message: string): never {
  throw new SourceRefused(at, message)
}
