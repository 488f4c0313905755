/** Bytes that can be handed to a thread without its owner losing them, copied in slices so that the loop can turn in between. */
export const sliceBytes = 4 * 1024 * 1024

export async function ownCopy(
  bytes: Uint8Array,
  pause: () => Promise<void>,
): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(bytes.length)
  for (let from = 0; from < bytes.length; from += sliceBytes) {
    if (from > 0) await pause()
    copy.set(bytes.subarray(from, from + sliceBytes), from)
  }
  return copy
}
