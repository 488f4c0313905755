/** How a `.proto` file spells a message: its names, numbers and types, with the limits as comments. */
import type { Codec } from './codec.ts'
import type { Message } from './message.ts'

/** What the file needs of a message, whatever its value type is. */
export type Definition = Pick<Message<unknown>, 'name' | 'fields'>

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function fieldLines({ proto, wireType, absent }: Codec<unknown>, name: string, number: number): string[] {
  const label = proto.label === undefined ? '' : `${proto.label} `
  // Proto3 packs repeated numbers unless told not to; here every element has a tag of its own.
  const packing = proto.label === 'repeated' && wireType !== 2 ? ' [packed = false]' : ''
  const notes = [absent === undefined ? 'required' : '', proto.note].filter((note) => note !== '')
  const comment = notes.length === 0 ? [] : [`  // ${notes.join('; ')}`]
  return [...comment, `  ${label}${proto.type} ${snakeCase(name)} = ${number}${packing};`]
}

export function protoMessage({ name, fields }: Definition): string {
  const lines = fields.flatMap((entry) => fieldLines(entry.codec, entry.name, entry.number))
  return [`message ${name} {`, ...lines, '}'].join('\n')
}
