/** What snarkjs leaves behind: no global, no thread, whoever else uses it in the same process. */
import { afterEach, expect, test } from 'bun:test'
import path from 'node:path'
import { withSnarkjs } from '../src/snarkjs.ts'

const holder = globalThis as { curve_bn128?: unknown }
afterEach(() => {
  delete holder.curve_bn128
})

test('no global stays, also after a failure', async () => {
  await withSnarkjs(async ({ curve }) => expect(holder.curve_bn128).toBe(curve))
  expect('curve_bn128' in holder).toBe(false)
  await expect(withSnarkjs(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect('curve_bn128' in holder).toBe(false)
})

test('what another put there is there again', async () => {
  const own = { name: 'a curve of somebody else' }
  holder.curve_bn128 = own
  await withSnarkjs(async ({ curve }) => expect(holder.curve_bn128).toBe(curve))
  expect(holder.curve_bn128).toBe(own)
})

test('calls that overlap share it, and the last gives it back', async () => {
  const own = { name: 'a curve of somebody else' }
  holder.curve_bn128 = own
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
  const calls = gates.map(({ promise }) => withSnarkjs(() => promise))
  await withSnarkjs(async () => {})
  gates[0].resolve()
  await calls[0]
  await withSnarkjs(async ({ curve }) => expect(holder.curve_bn128).toBe(curve))
  gates[1].resolve()
  await calls[1]
  expect(holder.curve_bn128).toBe(own)
})

test('long work lets others in between, also what is asked for at once', async () => {
  let turns = 0
  const count = (): void => {
    turns++
    next = setImmediate(count)
  }
  let next = setImmediate(count)
  await withSnarkjs(({ curve: { G1, G2, pairingEq } }) =>
    Promise.all(Array.from({ length: 20 }, () => pairingEq(G1.g, G2.g))),
  )
  clearImmediate(next)
  expect(turns).toBeGreaterThanOrEqual(20)
})

test('a process that used it ends by itself', async () => {
  const script = `
    const { withSnarkjs } = await import(${JSON.stringify(path.resolve(import.meta.dir, '../src/snarkjs.ts'))})
    await withSnarkjs(async ({ curve: { G1, G2, pairingEq } }) => console.log(await pairingEq(G1.g, G2.g)))`
  const child = Bun.spawn([process.execPath, '--eval', script], { stdout: 'pipe', timeout: 60_000 })
  expect(await new Response(child.stdout).text()).toBe('false\n')
  expect([await child.exited, child.signalCode]).toEqual([0, null])
})
