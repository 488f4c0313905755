/** Takes a key or a ptau file apart and puts it together again, to tamper with its parts. */
export type Sections = Map<number, Uint8Array>

export function sectionsOf(bytes: Uint8Array): Sections {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const sections: Sections = new Map()
  for (let offset = 12; offset < bytes.length; ) {
    const length = Number(view.getBigUint64(offset + 4, true))
    sections.set(view.getUint32(offset, true), bytes.slice(offset + 12, offset + 12 + length))
    offset += 12 + length
  }
  return sections
}

export function joinSections(letters: string, sections: Sections): Uint8Array {
  const start = Buffer.alloc(12)
  start.write(letters)
  start.writeUInt32LE(1, 4)
  start.writeUInt32LE(sections.size, 8)
  const parts: Uint8Array[] = [start]
  for (const [id, content] of sections) {
    const head = Buffer.alloc(12)
    head.writeUInt32LE(id, 0)
    head.writeBigUInt64LE(BigInt(content.length), 4)
    parts.push(head, content)
  }
  return new Uint8Array(Buffer.concat(parts))
}

const fixedBytes = 3 * 64 + 128 + 64 + 4

/** Each contribution of section 10 as its bytes. */
export function contributionsOf(log: Uint8Array): Uint8Array[] {
  const view = new DataView(log.buffer, log.byteOffset, log.length)
  const contributions: Uint8Array[] = []
  for (let offset = 68; offset < log.length; ) {
    const length = fixedBytes + 4 + view.getUint32(offset + fixedBytes, true)
    contributions.push(log.slice(offset, offset + length))
    offset += length
  }
  return contributions
}

export function editContributions(
  key: Uint8Array,
  edit: (contributions: Uint8Array[]) => Uint8Array[],
): Uint8Array {
  const sections = sectionsOf(key)
  const log = sections.get(10) ?? new Uint8Array()
  const contributions = edit(contributionsOf(log))
  const head = Buffer.from(log.slice(0, 68))
  head.writeUInt32LE(contributions.length, 64)
  sections.set(10, new Uint8Array(Buffer.concat([head, ...contributions])))
  return joinSections('zkey', sections)
}

export function editSection(
  file: Uint8Array,
  letters: string,
  id: number,
  edit: (section: Uint8Array) => Uint8Array,
): Uint8Array {
  const sections = sectionsOf(file)
  sections.set(id, edit(sections.get(id) ?? new Uint8Array()))
  return joinSections(letters, sections)
}

export function flip(bytes: Uint8Array, offset: number, mask = 1): Uint8Array {
  const flipped = bytes.slice()
  flipped[offset] = (flipped[offset] ?? 0) ^ mask
  return flipped
}
