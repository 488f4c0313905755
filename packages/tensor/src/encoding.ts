/** The canonical bytes of a program and its id (spec T9, T10): one encoding per program, one program per id. */
import {
  type Decoded,
  describeRefusal,
  domainPayload,
  encodeHex,
  field,
  type Infer,
  message,
  optional,
  type ProgramId,
  type Sha256,
  whole,
} from '@shardy/protocol'
import { brokenBound, kMax, type Program, parseProgram, rowsMax } from './program.ts'

const matmulMessage = message(
  'Matmul',
  { m: field(1, whole(1, rowsMax)), k: field(2, whole(1, kMax)), n: field(3, whole(1, rowsMax)) },
  (shape) => brokenBound({ op: 'matmul', ...shape }),
)

/** Exactly one operation is present; with one operation in the language, that one. */
export const programMessage = message(
  'Program',
  { version: field(1, whole(1, 1)), matmul: field(2, optional(matmulMessage.codec)) },
  ({ matmul }) =>
    matmul === undefined ? { field: 'matmul', rule: 'a program has one operation' } : undefined,
)

function toMessage(program: Program): Infer<typeof programMessage> {
  switch (program.op) {
    case 'matmul': {
      const { m, k, n } = program
      return { version: 1, matmul: { m, k, n } }
    }
  }
}

/** For a program within its bounds; one outside them is a bug of the caller and throws. */
export function encodeProgram(program: Program): Uint8Array {
  const parsed = parseProgram(program)
  if (!parsed.ok) throw new RangeError(describeRefusal(parsed.refusal))
  return programMessage.encode(toMessage(program))
}

export function decodeProgram(bytes: Uint8Array): Decoded<Program> {
  const decoded = programMessage.decode(bytes)
  if (!decoded.ok) return decoded
  const { matmul } = decoded.value
  if (matmul === undefined) throw new Error('the message refuses a program without an operation')
  return { ok: true, value: { op: 'matmul', ...matmul } }
}

export function programId(program: Program, sha256: Sha256): ProgramId {
  return encodeHex(sha256(domainPayload('program', encodeProgram(program)))) as ProgramId
}
