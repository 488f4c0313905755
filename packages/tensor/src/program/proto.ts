/**
 * The `.proto` file of programs for readers in other languages, written from the same definitions that encode and decode
 * here. What a program may be and means is docs/spec/tensor.md; the one accepted encoding is spec T11.
 */
import { type Definition, protoMessage } from '@shardy/protocol'
import { programMessages } from './encoding.ts'

export function protoFile(): string {
  const head = `// Generated from the definitions in packages/tensor/src; do not edit.
//
// A program in its one accepted encoding: fields in ascending order, defaults left out, shortest varints, repeated fields
// not packed. Decoders refuse everything else (docs/spec/tensor.md, T11). "required" means that a message without the field
// is refused. Operands are indices of earlier values: inputs, then constants, then nodes.
syntax = "proto3";

package shardy.tensor.v1;`
  const messages: readonly Definition[] = programMessages
  return `${[head, ...messages.map(protoMessage)].join('\n\n')}\n`
}
