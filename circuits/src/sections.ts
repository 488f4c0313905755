// The container that .r1cs, .ptau, .zkey and .wtns files share: four letters, a version, then numbered sections, each
// with its length. Every number is little end first.

const startBytes = 12
const headBytes = 12

export class SectionError extends Error {
  override name = 'SectionError'
}

export function encodeSections(letters: string, sections: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const start = Buffer.alloc(startBytes)
  start.write(letters, 0, 'ascii')
  start.writeUInt32LE(1, 4)
  start.writeUInt32LE(sections.size, 8)
  const parts: Uint8Array[] = [start]
  for (const [id, content] of sections) {
    const head = Buffer.alloc(headBytes)
    head.writeUInt32LE(id, 0)
    head.writeBigUInt64LE(BigInt(content.length), 4)
    parts.push(head, content)
  }
  return new Uint8Array(Buffer.concat(parts))
}

/** The sections are views of `bytes`. The version is not looked at: witnesses have 2, all others 1. */
export function decodeSections(letters: string, bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < startBytes || new TextDecoder().decode(bytes.subarray(0, 4)) !== letters)
    throw new SectionError(`not a .${letters} file`)
  const sections = new Map<number, Uint8Array>()
  let at = startBytes
  for (let left = view.getUint32(8, true); left > 0; left--) {
    if (at + headBytes > bytes.length) throw new SectionError('the file is cut short')
    const id = view.getUint32(at, true)
    const end = at + headBytes + Number(view.getBigUint64(at + 4, true))
    if (end > bytes.length) throw new SectionError('the file is cut short')
    if (sections.has(id)) throw new SectionError(`section ${id} comes twice`)
    sections.set(id, bytes.subarray(at + headBytes, end))
    at = end
  }
  return sections
}

export function requireSection(sections: ReadonlyMap<number, Uint8Array>, id: number): Uint8Array {
  const found = sections.get(id)
  if (found === undefined) throw new SectionError(`section ${id} is missing`)
  return found
}

/** A field element of 32 bytes, as it stands. */
export function readElement(bytes: Uint8Array, at: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 32)
  const limb = (index: number) => view.getBigUint64(8 * index, true)
  return limb(0) | (limb(1) << 64n) | (limb(2) << 128n) | (limb(3) << 192n)
}

export function writeElement(value: bigint, bytes: Uint8Array, at: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 32)
  for (let index = 0; index < 4; index++)
    view.setBigUint64(8 * index, BigInt.asUintN(64, value >> BigInt(64 * index)), true)
}
