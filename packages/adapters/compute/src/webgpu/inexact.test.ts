/** Near the numbers that mathematics gives: nothing more is promised of f32. */
import { afterAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Glob } from 'bun'
import { findGpu } from '../dawn.ts'
import { createInexact } from './inexact.ts'

const gpu = await findGpu({ allowSoftware: true })
const x = Float32Array.from({ length: 1001 }, (_, index) => (index - 500) / 61)
const y = Float32Array.from({ length: 1001 }, (_, index) => Math.sin(index))

if ('refusal' in gpu) {
  test.skip(`inexact operations (${gpu.refusal.message})`, () => {})
} else {
  const device = await (await gpu.requestAdapter())?.requestDevice()
  if (device === undefined) throw new Error('the adapter has gone')
  const inexact = await createInexact(device)
  afterAll(() => device.destroy())

  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
  const upload = (data: Float32Array<ArrayBuffer>) => {
    const buffer = device.createBuffer({ size: data.byteLength, usage })
    device.queue.writeBuffer(buffer, 0, data)
    return buffer
  }

  async function resultOf(
    work: (buffers: { size: number; x: GPUBuffer; y: GPUBuffer; result: GPUBuffer }) => void,
  ): Promise<Float32Array> {
    const result = device?.createBuffer({ size: x.byteLength, usage })
    const staging = device?.createBuffer({
      size: x.byteLength,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    })
    if (device === undefined || result === undefined || staging === undefined) throw new Error('no buffers')
    work({ size: x.length, x: upload(x), y: upload(y), result })
    const encoder = device.createCommandEncoder()
    encoder.copyBufferToBuffer(result, 0, staging, 0, x.byteLength)
    device.queue.submit([encoder.finish()])
    await staging.mapAsync(GPUMapMode.READ)
    return new Float32Array(staging.getMappedRange().slice(0))
  }

  function expectNear(actual: Float32Array, expected: (x: number, y: number, index: number) => number): void {
    for (const [index, value] of actual.entries()) {
      const wanted = expected(x[index] ?? 0, y[index] ?? 0, index)
      if (!(Math.abs(value - wanted) <= 1e-4 * (1 + Math.abs(wanted)))) {
        throw new Error(`entry ${index} is ${value}, expected about ${wanted}`)
      }
    }
  }

  describe('inexact operations', () => {
    test('add', async () => expectNear(await resultOf(inexact.inexactAdd), (x, y) => x + y))
    test('multiply', async () => expectNear(await resultOf(inexact.inexactMultiply), (x, y) => x * y))
    test('relu', async () => expectNear(await resultOf(inexact.inexactRelu), (x) => Math.max(x, 0)))

    test('gelu', async () => {
      const gelu = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
      expectNear(await resultOf(inexact.inexactGelu), gelu)
    })

    test('softmax of rows', async () => {
      const columns = 77
      const shares = await resultOf((buffers) => inexact.inexactSoftmax({ ...buffers, columns }))
      expectNear(shares, (entry, _, index) => {
        const row = x.subarray(index - (index % columns), index - (index % columns) + columns)
        return Math.exp(entry) / row.reduce((sum, other) => sum + Math.exp(other), 0)
      })
    })

    test('softmax refuses rows that do not fit', async () => {
      const attempt = resultOf((buffers) => inexact.inexactSoftmax({ ...buffers, columns: 76 }))
      expect(await attempt.catch((thrown) => thrown.message)).toBe('rows of 76 do not make 1001 entries')
    })
  })
}

test('nothing that runs programs imports it', () => {
  const sources = Array.from(new Glob('**/*.ts').scanSync(import.meta.dir)).filter(
    (path) => !path.startsWith('inexact'),
  )
  expect(sources).toContain('executor.ts')
  for (const path of sources) {
    expect([path, readFileSync(join(import.meta.dir, path), 'utf8').includes('inexact.ts')]).toEqual([
      path,
      false,
    ])
  }
})
