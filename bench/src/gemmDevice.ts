/**
 * Products of matrices timed on one WebGPU device, in Dawn and in a page alike: bursts of some milliseconds, by the
 * device's own timestamps where it has them, on entries without a pattern. Every exact output is checked as a whole by a
 * random projection modulo 2^32. Nothing here is of one host: a page imports it as it is.
 */
import {
  type Buffers,
  type Choice,
  createGemm,
  type Gemm,
  gemmRequirements,
  type Product,
  type ProductSpec,
} from '@shardy/compute/gemm'

export interface DeviceUnderTest {
  readonly device: GPUDevice
  readonly gemm: Gemm
  readonly isSoftware: boolean
}

/** In milliseconds: long enough for the clocks of an idle GPU to rise, and for a burst to drown the timer's grain. */
const warmMs = 300
const burstMs = 20
const bursts = 15
const repeatsMax = 256

const [mapRead, copySource, copyTarget, storage, queryResolve] = [0x1, 0x4, 0x8, 0x80, 0x200]

export async function openDevice(
  adapter: GPUAdapter,
  languageFeatures: ReadonlySet<string>,
): Promise<DeviceUnderTest> {
  const { requiredFeatures, requiredLimits } = gemmRequirements(adapter)
  const timed = adapter.features.has('timestamp-query') ? (['timestamp-query'] as const) : []
  const device = await adapter.requestDevice({
    requiredFeatures: [...requiredFeatures, ...timed],
    requiredLimits,
  })
  const { info } = adapter
  const isSoftware = info.isFallbackAdapter || /swiftshader|llvmpipe/i.test(info.architecture)
  return {
    device,
    gemm: createGemm(device, { adapter: info.description, languageFeatures, info, isSoftware }),
    isSoftware,
  }
}

export function cube(size: number, rest: Partial<ProductSpec> = {}): ProductSpec {
  return { batch: 1, m: size, k: size, n: size, left: 'i8', sharedB: true, transposeB: true, ...rest }
}

/** Teraoperations per second, a multiply-add counting as two. */
export function teraOperations(size: number, ms: number): number {
  return (2 * size ** 3) / ms / 1e9
}

/** Milliseconds of one product of this size by the chosen kernel, its operands packed beforehand. */
export async function timeExact(under: DeviceUnderTest, spec: ProductSpec, choice?: Choice): Promise<number> {
  const product = await under.gemm.prepare(spec, choice)
  const { m, k, n } = spec
  const [a, b] = [noise(m * k, 1), noise(k * n, 2)]
  const memory = openMemory(under.device)
  try {
    const buffers = { ...memory.operands(product, a, b), ...memory.constants(n) }
    const ms = await timeEncoding(under.device, (pass) => product.encode(pass, buffers))
    if (spec.epilogue === undefined) await refuseWrong(under.device, spec, { a, b, out: buffers.out })
    return ms
  } finally {
    memory.close()
    product.close()
  }
}

export async function timeFloat(under: DeviceUnderTest, size: number): Promise<number> {
  const product = await under.gemm.prepareFloat(cube(size))
  const memory = openMemory(under.device)
  const entries = () =>
    new Uint8Array(Float32Array.from({ length: size * size }, () => Math.random() - 0.5).buffer)
  try {
    const buffers = memory.operands(product, entries(), entries())
    return await timeEncoding(under.device, (pass) => product.encode(pass, buffers))
  } finally {
    memory.close()
    product.close()
  }
}

/** The median of many bursts, each of so many encodings that the clock's grain does not show. */
async function timeEncoding(
  device: GPUDevice,
  encode: (pass: GPUComputePassEncoder) => void,
): Promise<number> {
  const burst = async (repeats: number): Promise<number> => {
    const encoder = device.createCommandEncoder()
    const stamps = openStamps(device)
    const pass = encoder.beginComputePass(stamps.pass)
    for (let repeat = 0; repeat < repeats; repeat++) encode(pass)
    pass.end()
    stamps.resolve(encoder)
    const beganMs = performance.now()
    device.queue.submit([encoder.finish()])
    await device.queue.onSubmittedWorkDone()
    const wallMs = performance.now() - beganMs
    return ((await stamps.readMs()) ?? wallMs) / repeats
  }
  const firstMs = await burst(1)
  let onceMs = firstMs
  for (let spentMs = firstMs; spentMs < warmMs; ) {
    const repeats = Math.min(repeatsMax, Math.ceil(burstMs / Math.max(onceMs, 1e-3)))
    onceMs = await burst(repeats)
    spentMs += Math.max(1, onceMs * repeats)
  }
  const repeats = Math.min(repeatsMax, Math.ceil(burstMs / Math.max(onceMs, 1e-3)))
  // A product that takes a second is timed a few times only.
  const count = Math.min(bursts, Math.max(2, Math.ceil(1_000 / (onceMs * repeats))))
  const taken: number[] = []
  for (let index = 0; index < count; index++) taken.push(await burst(repeats))
  return median(taken)
}

export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN
}

interface Stamps {
  readonly pass: GPUComputePassDescriptor
  resolve(encoder: GPUCommandEncoder): void
  readMs(): Promise<number | undefined>
}

function openStamps(device: GPUDevice): Stamps {
  if (!device.features.has('timestamp-query'))
    return { pass: {}, resolve() {}, readMs: async () => undefined }
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 })
  const resolved = device.createBuffer({ size: 16, usage: queryResolve | copySource })
  const staging = device.createBuffer({ size: 16, usage: mapRead | copyTarget })
  return {
    pass: { timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } },
    resolve(encoder) {
      encoder.resolveQuerySet(querySet, 0, 2, resolved, 0)
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16)
    },
    async readMs() {
      await staging.mapAsync(mapRead)
      const [began = 0n, ended = 0n] = new BigUint64Array(staging.getMappedRange().slice(0))
      for (const buffer of [resolved, staging]) buffer.destroy()
      querySet.destroy()
      return ended > began ? Number(ended - began) / 1e6 : undefined
    },
  }
}

function openMemory(device: GPUDevice) {
  const made: GPUBuffer[] = []
  const allocate = (bytes: number): GPUBuffer => {
    const size = 16 * Math.ceil(bytes / 16)
    const buffer = device.createBuffer({ size, usage: storage | copySource | copyTarget })
    made.push(buffer)
    return buffer
  }
  const fill = (bytes: Uint8Array<ArrayBuffer>): GPUBuffer => {
    const buffer = allocate(bytes.length)
    device.queue.writeBuffer(buffer, 0, bytes)
    return buffer
  }
  return {
    /** Both operands as the product wants them, and room for its output. */
    operands(product: Product, a: Uint8Array<ArrayBuffer>, b: Uint8Array<ArrayBuffer>): Buffers {
      const sources = { a: fill(a), b: fill(b) }
      const { packedBytes } = product
      const encoder = device.createCommandEncoder()
      const pass = encoder.beginComputePass()
      const packed = {
        a: packedBytes.a > 0 ? allocate(packedBytes.a) : sources.a,
        b: packedBytes.b > 0 ? allocate(packedBytes.b) : sources.b,
      }
      if (packedBytes.a > 0) product.packA(pass, sources.a, packed.a)
      if (packedBytes.b > 0) product.packB(pass, sources.b, packed.b)
      pass.end()
      device.queue.submit([encoder.finish()])
      return { ...packed, out: allocate(product.outputBytes) }
    },
    constants(n: number): Pick<Buffers, 'bias' | 'table'> {
      return { bias: fill(noise(4 * n, 3)), table: fill(noise(256, 4)) }
    },
    close() {
      for (const buffer of made) buffer.destroy()
    },
  }
}

/** Bytes over the whole range, the same in every run. */
function noise(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = 0x9e3779b9 ^ seed
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state
  }
  return new Uint8Array(words.buffer, 0, length)
}

/** C · r = A · (B · r) modulo 2^32, over all of C: a wrong entry goes unseen once in four thousand million. */
async function refuseWrong(
  device: GPUDevice,
  { m, k, n }: ProductSpec,
  { a, b, out }: { readonly a: Uint8Array; readonly b: Uint8Array; readonly out: GPUBuffer },
): Promise<void> {
  const left = new Int8Array(a.buffer)
  const right = new Int8Array(b.buffer) // n × k
  const random = new Int32Array(noise(4 * n, 9).buffer).map((word) => word | 1)
  const projected = new Int32Array(k)
  for (let column = 0; column < n; column++) {
    const factor = random[column] ?? 0
    for (let inner = 0; inner < k; inner++)
      projected[inner] = ((projected[inner] ?? 0) + Math.imul(right[column * k + inner] ?? 0, factor)) | 0
  }
  const staging = device.createBuffer({ size: 4 * m * n, usage: mapRead | copyTarget })
  const encoder = device.createCommandEncoder()
  encoder.copyBufferToBuffer(out, 0, staging, 0, 4 * m * n)
  device.queue.submit([encoder.finish()])
  await staging.mapAsync(mapRead)
  const sums = new Int32Array(staging.getMappedRange())
  for (let row = 0; row < m; row++) {
    let expected = 0
    for (let inner = 0; inner < k; inner++)
      expected = (expected + Math.imul(left[row * k + inner] ?? 0, projected[inner] ?? 0)) | 0
    let actual = 0
    for (let column = 0; column < n; column++)
      actual = (actual + Math.imul(sums[row * n + column] ?? 0, random[column] ?? 0)) | 0
    if (actual !== expected) throw new Error(`row ${row} of a product of ${m} × ${k} × ${n} is wrong`)
  }
  staging.destroy()
}
