/**
 * A value that no log, JSON or message can show by mistake: whatever turns it into text gets the same mark, and only
 * `reveal`, which is easy to look for, gives it away.
 */
import { inspect } from 'node:util'

const mark = '[secret]'

export class Secret {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return mark
  }
  toJSON(): string {
    return mark
  }
  [Symbol.toPrimitive](): string {
    return mark
  }
  [inspect.custom](): string {
    return mark
  }
}

/** API keys as they are made here, and whatever stands behind `Bearer`: an error of somebody else's may quote them. */
const secretPattern = /shardy_[0-9A-Za-z_-]{16,}|(?<=\bBearer\s+)[\x21-\x7e]+/gi

/** The second line of defence, for text that somebody else made. */
export function withoutSecrets(text: string): string {
  return text.replace(secretPattern, mark)
}
