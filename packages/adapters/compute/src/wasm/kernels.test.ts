import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createInstance, type KernelExports, layOut } from './instance.ts'
import { openKernels } from './kernels.ts'
import { kernelBase64, kernelSources } from './kernels.wasm.ts'

const wasm = Buffer.from(kernelBase64, 'base64')
/** Everything that the wrappers call; the compiler holds the list against their types. */
const called: Record<Exclude<keyof KernelExports, 'memory' | '__heap_base'>, true> = {
  multiply_block: true,
  pack_left: true,
  pack_right_rows: true,
  pack_right_columns: true,
  widen_right: true,
  centre: true,
  centre_four: true,
  split: true,
  split_pairs: true,
  bytes_right: true,
  bytes_left: true,
  finish_bytes: true,
  words_right: true,
  words_left: true,
  finish_words: true,
  first_outside: true,
  requantize_high: true,
  requantize_any: true,
  look_up: true,
  extend_range: true,
  pack_bits: true,
  unpack_bits: true,
}

async function instantiate(): Promise<KernelExports> {
  const { instance } = await WebAssembly.instantiate(wasm)
  return instance.exports as unknown as KernelExports
}

test('the module imports nothing and exports what its wrappers call, no more', async () => {
  const module = await WebAssembly.compile(wasm)
  expect(WebAssembly.Module.imports(module)).toEqual([])
  const names = (kind: string) =>
    WebAssembly.Module.exports(module)
      .filter((one) => one.kind === kind)
      .map((one) => one.name)
      .sort()
  expect(names('function')).toEqual(Object.keys(called).sort())
  expect(names('memory')).toEqual(['memory'])
  expect(names('global')).toContain('__heap_base')
})

test('the module was made from the sources in the repository', () => {
  const crate = path.join(import.meta.dir, '../../../../../crates/kernels')
  const hash = createHash('sha256')
  const sources = readdirSync(path.join(crate, 'src')).sort()
  for (const name of ['Cargo.toml', ...sources.map((name) => `src/${name}`)]) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(path.join(crate, name)))
      .update('\0')
  }
  expect(hash.digest('hex')).toBe(kernelSources)
})

test('memory is bounded: it is all there at the start and never grows', async () => {
  const { memory } = await instantiate()
  expect(memory.buffer.byteLength).toBe(32 * 2 ** 20)
  expect(() => memory.grow(1)).toThrow()
  const opened = await openKernels()
  if (!opened.ok) throw new Error(opened.refusal.message)
  const { elements, field, matmul } = opened.kernels
  const source = Int32Array.from({ length: 100_000 }, (_, index) => index)
  const shape = { k: 100, n: 100, layout: 'rows' } as const
  for (let turn = 0; turn < 20; turn++) {
    const packed = elements.packBits(source)
    expect(packed.bytes.length).toBe(212_500)
    const right = matmul.packRight(new Int8Array(10_000).fill(turn), shape)
    const steps = matmul.multiply(new Int8Array(10_000).fill(1), 100, right)
    let step = steps.next()
    while (!step.done) step = steps.next()
    expect(step.value[9999]).toBe(100 * turn)
    const vectors = { repetitions: 1, elements: new Uint32Array(100).fill(2) }
    const products = field.multiplyBytes(
      new Int8Array(10_000).fill(turn),
      { rows: 100, columns: 100 },
      vectors,
    )
    expect(products[99]).toBe(200 * turn)
  }
})

test('regions never overlap, and one that does not fit is refused', async () => {
  const instance = createInstance(await instantiate())
  const at = layOut(instance, { first: 1, second: 100, third: 1 })
  expect(at.first).toBeGreaterThanOrEqual(instance.base)
  expect(at.second).toBeGreaterThan(at.first + 64)
  expect(at.third).toBeGreaterThan(at.second + 164)
  expect(() => layOut(instance, { first: 32 * 2 ** 20 })).toThrow(RangeError)
})

test('instances do not disturb one another', async () => {
  const [first, second] = await Promise.all([openKernels(), openKernels()])
  if (!first.ok || !second.ok) throw new Error('the kernels do not open here')
  const right = first.kernels.matmul.packRight(new Int8Array(4).fill(3), { k: 2, n: 2, layout: 'rows' })
  const steps = first.kernels.matmul.multiply(new Int8Array(4).fill(5), 2, right)
  second.kernels.elements.packBits(new Int32Array(1000).fill(-1))
  const step = steps.next()
  expect(step.done ? [...step.value] : []).toEqual([30, 30, 30, 30])
})
