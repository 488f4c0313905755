/** One of so many, each as likely as any other, from bytes that nobody can foresee. */
export function drawBelow(count: number, random: (length: number) => Uint8Array): number {
  if (!Number.isInteger(count) || count < 1 || count > 2 ** 32)
    throw new RangeError(`one of ${count} is drawn`)
  // What lies above the last whole multiple would make the first ones likelier.
  const end = 2 ** 32 - (2 ** 32 % count)
  for (;;) {
    const bytes = random(4)
    const drawn = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
    if (drawn < end) return drawn % count
  }
}
