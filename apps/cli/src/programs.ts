/** Programs in files: canonical bytes, or JSON for people; and the blobs that they name, as files named by their digest. */
import { join } from 'node:path'
import { sha256 } from '@shardy/crypto/native'
import { type Digest, describeRefusal, encodeHex, programBytesMax } from '@shardy/protocol'
import { type Blobs, byteLengthOf, decodeProgram, type Program, parseProgram } from '@shardy/tensor'
import { Failure } from './failure.ts'
import { readBytesFrom } from './files.ts'

/** JSON spells bytes as hex and says every field's name. */
const fileBytesMax = 16 * programBytesMax

export async function readProgram(file: string): Promise<Program> {
  const bytes = await readBytesFrom(file, fileBytesMax)
  const parsed = bytes[0] === 0x7b ? parseProgram(readJson(file, bytes)) : decodeProgram(bytes)
  if (parsed.ok) return parsed.value
  // What is no message at all is another kind of file; what its bytes would mean helps nobody.
  const isOther = bytes[0] !== 0x7b && !beginsLikeProgram(parsed.refusal)
  if (!isOther) throw new Failure('usage', `${file} is no program: ${describeRefusal(parsed.refusal)}`)
  throw new Failure('usage', `${file} is no program file; \`npx shardy import\` makes one`)
}

const formKinds: readonly string[] = [
  'truncated',
  'unknownField',
  'wrongWireType',
  'nonCanonical',
  'badText',
  'missing',
  'wrongLength',
]

/** It is of our form, and only what it says cannot be. */
function beginsLikeProgram({ kind }: { readonly kind: string }): boolean {
  return !formKinds.includes(kind)
}

function readJson(file: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new Failure('usage', `${file} begins like JSON and is none: ${cause}`, { cause })
  }
}

/** Those that the program names, from a folder. */
export async function readBlobs({ constants }: Program, folder: string | undefined): Promise<Blobs> {
  const blobs = new Map<Digest, Uint8Array>()
  for (const { type, digest } of constants) {
    if (digest === undefined || blobs.has(digest)) continue
    if (folder === undefined) {
      throw new Failure('usage', `the program names blob ${digest}`, {
        next: 'Give the folder in which it lies, under its digest as name, with --blobs FOLDER.',
      })
    }
    const bytes = await readBytesFrom(join(folder, digest), byteLengthOf(type))
    const actual = encodeHex(sha256(bytes))
    if (actual !== digest) throw new Failure('usage', `blob ${digest} in ${folder} hashes to ${actual}`)
    blobs.set(digest, bytes)
  }
  return blobs
}
