/**
 * What the tests of products share: a device with everything the adapter offers, operands with scattered entries, a
 * product run from host bytes to host bytes, and the reference that it must equal. Part of the tests, not of the exports.
 */
import { findGpu } from '../../dawn.ts'
import type { Epilogue, OutputKind } from './epilogue.ts'
import { createGemm, type Gemm } from './gemm.ts'
import type { Product, ProductSpec } from './product.ts'
import { gemmRequirements } from './requirements.ts'
import type { Choice } from './tuner.ts'

export interface Subject {
  readonly device: GPUDevice
  readonly gemm: Gemm
  /** Validation errors that no scope caught. */
  readonly errors: string[]
}

/** The subject, or why there is none. */
export async function openSubject(): Promise<Subject | string> {
  const gpu = await findGpu({ allowSoftware: true })
  if ('refusal' in gpu) return gpu.refusal.message
  const adapter = await gpu.requestAdapter()
  if (adapter === null) return 'the adapter has gone'
  const { requiredFeatures, requiredLimits } = gemmRequirements(adapter)
  const device = await adapter.requestDevice({ requiredFeatures: [...requiredFeatures], requiredLimits })
  const errors: string[] = []
  device.addEventListener('uncapturederror', ({ error }) => errors.push(error.message))
  const { wgslLanguageFeatures: languageFeatures } = gpu
  const facts = {
    adapter: 'test',
    languageFeatures,
    info: adapter.info,
    isSoftware: adapter.info.isFallbackAdapter,
  }
  return { device, gemm: createGemm(device, facts), errors }
}

/** Bytes over the whole range, the same in every run. */
export function scatteredBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let state = 0x9e3779b9 ^ seed
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    bytes[index] = state >>> 24
  }
  return bytes
}

export interface Operands {
  readonly a: Uint8Array
  readonly b: Uint8Array
  readonly bias?: Int32Array
  readonly multipliers?: Int32Array
  readonly shifts?: Uint8Array
  readonly table?: Uint8Array | Int32Array
}

const usage = 0x80 | 0x8 | 0x4 // STORAGE, COPY_DST, COPY_SRC

export function upload(device: GPUDevice, data: ArrayBufferView, room = data.byteLength): GPUBuffer {
  const size = 16 * Math.ceil(room / 16)
  const buffer = device.createBuffer({ size, usage })
  const bytes = new Uint8Array(4 * Math.ceil(data.byteLength / 4))
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  device.queue.writeBuffer(buffer, 0, bytes)
  return buffer
}

export async function download(device: GPUDevice, source: GPUBuffer, size: number): Promise<Uint8Array> {
  const staging = device.createBuffer({ size, usage: 0x1 | 0x8 })
  const encoder = device.createCommandEncoder()
  encoder.copyBufferToBuffer(source, 0, staging, 0, size)
  device.queue.submit([encoder.finish()])
  await staging.mapAsync(0x1)
  const bytes = new Uint8Array(staging.getMappedRange().slice(0))
  staging.destroy()
  return bytes
}

/** The output's bytes, with every byte of its buffer poisoned before. */
export async function runProduct(
  { device, gemm }: Subject,
  spec: ProductSpec,
  operands: Operands,
  { choice, multiplyAddsMax }: { readonly choice?: Choice; readonly multiplyAddsMax?: number } = {},
): Promise<{ readonly output: Uint8Array; readonly product: Product }> {
  const product = await gemm.prepare(spec, choice)
  const { packedBytes, outputBytes } = product
  const { a, b, ...others } = operands
  const sources = { a: upload(device, a), b: upload(device, b) }
  const blank = (bytes: number) => upload(device, new Uint8Array(bytes).fill(0xa5))
  const packed = {
    a: packedBytes.a > 0 ? blank(packedBytes.a) : sources.a,
    b: packedBytes.b > 0 ? blank(packedBytes.b) : sources.b,
  }
  const out = blank(outputBytes)
  const named = Object.fromEntries(Object.entries(others).map(([name, data]) => [name, upload(device, data)]))
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  if (packed.a !== sources.a) product.packA(pass, sources.a, packed.a)
  if (packed.b !== sources.b) product.packB(pass, sources.b, packed.b)
  for (const range of product.ranges(multiplyAddsMax))
    product.encode(pass, { ...packed, out, ...named }, range)
  pass.end()
  device.queue.submit([encoder.finish()])
  const output = await download(device, out, outputBytes)
  for (const buffer of [sources.a, sources.b, packed.a, packed.b, out, ...Object.values(named)])
    buffer.destroy()
  product.close()
  return { output, product }
}

/** Sums of the definition, in doubles, which hold them exactly. */
function referenceSums(spec: ProductSpec, { a, b }: Operands): Int32Array {
  const { batch, m, k, n, left, sharedB, transposeB } = spec
  const leftEntries = left === 'u8' ? a : new Int8Array(a.buffer)
  const rightEntries = new Int8Array(b.buffer)
  const sums = new Int32Array(batch * m * n)
  for (let matrix = 0; matrix < batch; matrix++) {
    const b0 = sharedB ? 0 : matrix * k * n
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        let sum = 0
        for (let inner = 0; inner < k; inner++) {
          const at = b0 + (transposeB ? column * k + inner : inner * n + column)
          sum += (leftEntries[(matrix * m + row) * k + inner] ?? 0) * (rightEntries[at] ?? 0)
        }
        sums[(matrix * m + row) * n + column] = sum
      }
    }
  }
  return sums
}

const bounds: Record<OutputKind, readonly [bigint, bigint]> = {
  i8: [-128n, 127n],
  u8: [0n, 255n],
  i32: [-(2n ** 31n), 2n ** 31n - 1n],
}

function saturate(value: bigint, kind: OutputKind): bigint {
  const [low, high] = bounds[kind]
  return value < low ? low : value > high ? high : value
}

/** The epilogue as the tensor spec has it, on bigints. */
function referenceEntry(sum: number, column: number, epilogue: Epilogue, operands: Operands): number {
  const { requantize, lookup } = epilogue
  let value = BigInt(sum) + BigInt(epilogue.bias ? (operands.bias?.[column] ?? 0) : 0)
  if (requantize !== undefined) {
    const perTensor = requantize.per === 'tensor' ? requantize : undefined
    const multiplier = BigInt(perTensor?.multiplier ?? operands.multipliers?.[column] ?? 0)
    const shift = BigInt(perTensor?.shift ?? operands.shifts?.[column] ?? 0)
    const product = value * multiplier
    const shifted = shift === 0n ? product : (product + (1n << (shift - 1n))) >> shift
    value = saturate(BigInt(requantize.zeroPoint) + shifted, requantize.to)
  }
  if (lookup === undefined) return Number(value)
  const index = Number(value) + (requantize?.to === 'i8' ? 128 : 0)
  const { table } = operands
  if (table instanceof Int32Array) return table[index] ?? 0
  const byte = table?.[index] ?? 0
  return lookup.to === 'i8' ? (byte << 24) >> 24 : byte
}

export function referenceOutput(spec: ProductSpec, operands: Operands, kind: OutputKind): Uint8Array {
  const entries = Array.from(referenceSums(spec, operands), (sum, index) =>
    referenceEntry(sum, index % spec.n, spec.epilogue ?? {}, operands),
  )
  const bytes = kind === 'i32' ? new Uint8Array(Int32Array.from(entries).buffer) : Uint8Array.from(entries)
  const whole = new Uint8Array(4 * Math.ceil(bytes.length / 4))
  whole.set(bytes)
  return whole
}
