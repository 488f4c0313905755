import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fieldBase64, fieldSources } from './field.wasm.ts'
import { createInstance, type FieldExports } from './instance.ts'
import { openField } from './open.ts'

const wasm = Buffer.from(fieldBase64, 'base64')
/** Everything that the wrappers call; the compiler holds the list against their types. */
const called: Record<Exclude<keyof FieldExports, 'memory' | '__heap_base'>, true> = {
  fold_state_bytes: true,
  fold_begin: true,
  fold_update: true,
  fold_finish: true,
  fold_digest: true,
  reduce_wide: true,
  parameters_bytes: true,
  scratch_bytes: true,
  prepare: true,
  poseidon: true,
  commit: true,
}

test('the module imports nothing and exports what its wrappers call, no more', async () => {
  const module = await WebAssembly.compile(wasm)
  expect(WebAssembly.Module.imports(module)).toEqual([])
  const names = WebAssembly.Module.exports(module)
    .filter((one) => one.kind === 'function')
    .map((one) => one.name)
  expect(names.sort()).toEqual(Object.keys(called).sort())
})

test('the module was made from the sources in the repository', () => {
  const crate = path.join(import.meta.dir, '../../../../../crates/field')
  const hash = createHash('sha256')
  const sources = readdirSync(path.join(crate, 'src')).sort()
  for (const name of ['Cargo.toml', ...sources.map((name) => `src/${name}`)])
    hash
      .update(`${name}\0`)
      .update(readFileSync(path.join(crate, name)))
      .update('\0')
  expect(hash.digest('hex')).toBe(fieldSources)
})

test('regions never overlap and end within a memory that never grows', async () => {
  const { instance } = await WebAssembly.instantiate(wasm)
  const run = instance.exports as unknown as FieldExports
  const { at, bytes } = createInstance(run)
  expect(at.digest - at.state).toBeGreaterThanOrEqual(run.fold_state_bytes())
  expect(at.parameters + run.parameters_bytes()).toBeLessThanOrEqual(bytes.length)
  expect(bytes.length).toBe(2 ** 20)
  expect(() => run.memory.grow(1)).toThrow()
})

test('a fold in the making survives a commitment', async () => {
  const opened = await openField()
  if (!opened.ok) throw new Error(opened.refusal.message)
  const { field } = opened
  const alone = field.createFold().update(Uint8Array.of(1, 2)).finish()
  const fold = field.createFold().update(Uint8Array.of(1))
  const commitment = field.commitSums(new Int32Array(256))
  expect(fold.update(Uint8Array.of(2)).finish()).toEqual(alone)
  expect(field.commitSums(new Int32Array(256))).toBe(commitment)
})
