/**
 * The `.proto` file for readers in other languages, written from the same definitions that encode and decode here.
 * It gives names, numbers and types; the limits in its comments and the one accepted encoding are spec W2 and W3.
 */
import { receipt, receiptAnswer, receiptContent, receiptDelivery } from './receipt/receipt.ts'
import type { Codec } from './schema/codec.ts'
import type { Message } from './schema/message.ts'
import { attestation, batchContent } from './statement/attestation.ts'
import { commitmentContent } from './statement/commitment.ts'
import { statement } from './statement/statement.ts'
import { traceLeaf } from './statement/trace.ts'
import { frames } from './wire/frame.ts'
import { helloContent } from './wire/handshake.ts'

/** What the file needs of a message, whatever its value type is. */
export type Definition = Pick<Message<unknown>, 'name' | 'fields'>

/** Every message, each after those that it contains. */
export const definitions: readonly Definition[] = [
  attestation,
  ...Object.values(frames).map((frame) => frame.message),
  helloContent,
  statement,
  batchContent,
  commitmentContent,
  traceLeaf,
  receiptAnswer,
  receiptDelivery,
  receiptContent,
  receipt,
]

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

function messageText({ name, fields }: Definition): string {
  const frame = Object.values(frames).find((candidate) => candidate.message.name === name)
  const comment =
    frame === undefined ? [] : [`// Frame ${frame.number}, sent by the ${frame.senders.join(' and the ')}.`]
  const lines = fields.flatMap((entry) => fieldLines(entry.codec, entry.name, entry.number))
  return [...comment, `message ${name} {`, ...lines, '}'].join('\n')
}

export function protoFile(): string {
  const head = `// Generated from the definitions in packages/protocol/src; do not edit.
//
// A frame is one type byte, then one of these messages in its one accepted encoding: fields in ascending order,
// defaults left out, shortest varints, repeated fields not packed. Decoders refuse everything else
// (docs/spec/wire.md). "required" means that a message without the field is refused.
syntax = "proto3";

package shardy.v1;`
  return `${[head, ...definitions.map(messageText)].join('\n\n')}\n`
}
