/** Something that must always be true was not. */
export class Broken extends Error {
  override readonly name = 'Broken'

  constructor(what: string, about?: unknown) {
    super(about === undefined ? what : `${what}: ${Bun.inspect(about)}`)
  }
}
