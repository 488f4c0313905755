/**
 * The container that r1cs, ptau and zkey files share: four letters, a version, and numbered sections. Stricter than
 * snarkjs: each section once, nothing behind the last.
 */
import { ByteReader, EndOfBytesError } from './bytes.ts'

const sectionsMax = 64

export type ContainerFault = 'truncated' | 'malformed'
export type Container =
  | { readonly ok: true; readonly sections: ReadonlyMap<number, Uint8Array> }
  | { readonly ok: false; readonly fault: ContainerFault; readonly detail: string }

export function readContainer(bytes: Uint8Array, letters: 'r1cs' | 'ptau' | 'zkey'): Container {
  const malformed = (detail: string): Container => ({ ok: false, fault: 'malformed', detail })
  const reader = new ByteReader(bytes)
  try {
    const found = Buffer.from(reader.take(4)).toString('latin1')
    if (found !== letters) return malformed(`it does not begin with '${letters}'`)
    const version = reader.u32()
    if (version !== 1) return malformed(`its version is ${version}, and 1 is known`)
    const count = reader.u32()
    if (count > sectionsMax) return malformed(`it says that it has ${count} sections`)
    const sections = new Map<number, Uint8Array>()
    for (let index = 0; index < count; index++) {
      const id = reader.u32()
      const length = reader.u64()
      if (sections.has(id)) return malformed(`section ${id} stands in it twice`)
      if (length > BigInt(reader.left)) {
        return {
          ok: false,
          fault: 'truncated',
          detail: `section ${id} should have ${length} bytes, and ${reader.left} are left`,
        }
      }
      sections.set(id, reader.take(Number(length)))
    }
    if (reader.left > 0) return malformed(`${reader.left} bytes stand behind its last section`)
    return { ok: true, sections }
  } catch (error) {
    if (error instanceof EndOfBytesError) return { ok: false, fault: 'truncated', detail: error.message }
    throw error
  }
}
