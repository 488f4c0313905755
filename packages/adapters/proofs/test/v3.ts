/** The development key of `task-proof-v3`, and blocks that are true under it. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type BlockStatement, openField, type V3Binding } from '../src/index.ts'

const artifacts = path.join(import.meta.dir, '../../../../circuits/artifacts')
const read = (name: string): Uint8Array => new Uint8Array(readFileSync(path.join(artifacts, name)))

export const v3ZkeyBytes = (): Uint8Array => read('task-proof-v3.zkey')
export const v3WasmBytes = (): Uint8Array => read('task-proof-v3.wasm')
export const v3KeyJson = (): Record<string, unknown> =>
  JSON.parse(new TextDecoder().decode(read('task-proof-v3.vkey.json')))

const side = 16

/** With the least and the greatest entries that an operand may have among them. */
export async function v3Block(seed = 1): Promise<BlockStatement> {
  const opened = await openField()
  if (!opened.ok) throw new Error(opened.refusal.message)
  const { field } = opened
  const a = Int8Array.from({ length: side * side }, (_, index) => ((index * 37 * seed) % 256) - 128)
  const b = Int8Array.from({ length: side * side }, (_, index) => ((index * 91 * seed + 5) % 256) - 128)
  const sumsIn = Int32Array.from({ length: side * side }, (_, index) => (index - 128) * 1_234_567 * seed)
  const sumsOut = sumsIn.map((before, index) => {
    const [row, column] = [Math.floor(index / side), index % side]
    let sum = before
    for (let k = 0; k < side; k++) sum += (a[row * side + k] as number) * (b[k * side + column] as number)
    return sum
  })
  const binding: V3Binding = {
    taskId: 2n ** 128n - 1n,
    deliveryId: 0x0123_4567_89ab_cdefn,
    workerHigh: 3n,
    workerLow: 2n ** 127n,
    resultDigest: 5n,
    position: (1n << 96n) + (2n << 64n) + (3n << 32n) + 4n,
    commitA: field.commitOperand(a, 'a'),
    commitB: field.commitOperand(b, 'b'),
    commitIn: field.commitSums(sumsIn),
    commitOut: field.commitSums(sumsOut),
  }
  return { binding, a, b, sumsIn }
}
