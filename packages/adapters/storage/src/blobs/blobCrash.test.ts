/** Kill -9 while storing: every acknowledged blob is there, every blob is whole, and what was begun can be finished. */
import { afterEach, expect, test } from 'bun:test'
import { crashBlob, crashBlobBytesMax } from './blobCrashWriter.ts'
import { begin, blobOpenings, listed } from './conformance.ts'
import { hashBytes } from './digest.ts'

const writer = new URL('./blobCrashWriter.ts', import.meta.url).pathname
const { open, freshPath } = blobOpenings('file')
const started: Bun.Subprocess[] = []
afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill('SIGKILL')
    await child.exited
  }
})

test('blobs survive kill -9', async () => {
  const path = await freshPath()
  let next = 0
  for (const killAfter of [1, 6, 15]) {
    const printed = await writeUntilKilled([path, String(next)], killAfter)
    const blobs = await open(path, crashBlobBytesMax)
    const found = new Set<string>()
    for (const { digest } of await listed(blobs)) {
      expect(hashBytes(await blobs.readAll(digest))).toBe(digest)
      found.add(digest)
    }
    expect(printed.filter((number) => !found.has(hashBytes(crashBlob(number))))).toEqual([])
    next = Math.max(next, ...printed) + 1
    // The blob it died on: by upload or by put, in part, whole, or not begun.
    const bytes = crashBlob(next)
    const digest = hashBytes(bytes)
    if (!(await blobs.has(digest))) {
      const upload = await begin(blobs, digest)
      await upload.append(upload.receivedBytes(), bytes.slice(upload.receivedBytes()))
      expect(await upload.finish()).toEqual({ kind: 'stored', sizeBytes: bytes.byteLength })
    }
    await blobs.close()
  }
}, 60_000)

async function writeUntilKilled(args: string[], killAfter: number): Promise<number[]> {
  const child = Bun.spawn([process.execPath, writer, ...args], { stdout: 'pipe', stderr: 'inherit' })
  started.push(child)
  let output = ''
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += chunk
    if (output.split('\n').length - 1 >= killAfter) child.kill('SIGKILL')
  }
  await child.exited
  expect(child.signalCode).toBe('SIGKILL')
  return output.split('\n').slice(0, -1).map(Number)
}
