/** A response's bytes, counted as they come: servers that stream need not announce a length. Undefined when there are more. */
export async function readAtMost({ body }: Response, bytesMax: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(bytesMax)
  let length = 0
  const reader = body?.getReader()
  for (;;) {
    const chunk = await reader?.read()
    if (chunk?.value === undefined) return bytes.subarray(0, length)
    if (length + chunk.value.length > bytesMax) {
      await reader?.cancel()
      return undefined
    }
    bytes.set(chunk.value, length)
    length += chunk.value.length
  }
}
