/**
 * Products of matrices for one device: kernels chosen, compiled and encoded. Nothing is read back; the caller owns the
 * buffers and the passes. Exact products are the same bits on every kernel.
 */
import { ComputeError } from '../../executor.ts'
import { clearEntryPoint, clearText, encodeClear } from './clear.ts'
import { bindings, bindingsOf, type EpilogueShape } from './epilogue.ts'
import { floatKernel } from './float.ts'
import { type EpilogueConstants, type Geometry, parametersOf, rangesOf, spansOf } from './geometry.ts'
import { gridOf } from './grid.ts'
import { entryPoint, type KernelText, type Layouts } from './kernel.ts'
import { readsInPlace } from './layout.ts'
import { createPacker, type PackSpec } from './packer.ts'
import { parametersBytes, writeParameters } from './parameters.ts'
import { createPipelines } from './pipelines.ts'
import {
  type Buffers,
  type FloatSpec,
  type KernelName,
  outputEntryBytes,
  type Product,
  type ProductSpec,
  type Range,
  refuseProduct,
  type Shape,
} from './product.ts'
import { kernelsOf } from './requirements.ts'
import { timeProduct } from './timing.ts'
import {
  type Choice,
  choices,
  type DeviceFacts,
  epilogueShape,
  floatTile,
  kernelText,
  layoutsFor,
  shapeClass,
} from './tuner.ts'

export interface GemmFacts {
  /** Names the device in the cache of choices. */
  readonly adapter: string
  readonly languageFeatures: ReadonlySet<string>
  /** Where the device does not say itself what its subgroups are. */
  readonly info?: GPUAdapterInfo
  readonly isSoftware?: boolean
  /** Choices of earlier timing runs by adapter and class of shape, kept by the caller; new ones are added. */
  readonly choices?: Map<string, Choice>
}

export interface Gemm {
  /** What this device runs, the fastest last. */
  readonly kernels: readonly KernelName[]
  /** Compiles the product. A kernel that the device refuses to compile is passed over for the next one. */
  prepare(spec: ProductSpec, choice?: Choice): Promise<Product>
  /** Times the candidates on made-up operands, once for a class of shapes; what is prepared later follows the winner. */
  tune(spec: ProductSpec): Promise<Choice>
  /** INEXACT. */
  prepareFloat(spec: FloatSpec): Promise<Product>
}

/** A compiled kernel with what it needs to be encoded. */
interface Compiled {
  readonly name: Product['kernel']
  readonly text: KernelText
  readonly pipeline: GPUComputePipeline
  readonly geometry: Geometry
  readonly shape: EpilogueShape
  readonly constants: EpilogueConstants
  readonly unsigned: boolean
}

const noConstants: EpilogueConstants = { multiplier: 0, shift: 0, zeroPoint: 0 }
/** Timing runs need not be larger than this to tell candidates apart. */
const tunedSizeMax = 4096
/** Parameter buffers that a product keeps; callers cut ranges anew as they learn how long work takes. */
const parametersMax = 1024

export function createGemm(device: GPUDevice, facts: GemmFacts): Gemm {
  const { adapter, languageFeatures, isSoftware = false, choices: known = new Map() } = facts
  const info = facts.info ?? device.adapterInfo ?? {}
  const kernels = kernelsOf(device, info, languageFeatures)
  const pipelines = createPipelines(device)
  const deviceFacts: DeviceFacts = {
    kernels,
    isSoftware,
    workgroupBytesMax: device.limits.maxComputeWorkgroupStorageSize,
    threadsMax: device.limits.maxComputeInvocationsPerWorkgroup,
  }
  const keyOf = (spec: ProductSpec) => `${adapter} | ${shapeClass(spec)}`

  async function finishProduct(compiled: Compiled): Promise<Product> {
    const { name, text, pipeline, geometry, shape, constants, unsigned } = compiled
    const { batch, m, k, n, sharedB, transposeB } = geometry.shape
    const { layouts, operandEntryBytes: entryBytes } = geometry
    const aligned = (length: number) => (length * entryBytes) % 4 === 0
    const common = { k, entryBytes }
    const left: PackSpec = {
      ...common,
      source: 'rows',
      aligned: aligned(k),
      unsigned,
      batch,
      rows: m,
      withSums: false,
    }
    const right: PackSpec = {
      ...common,
      source: transposeB ? 'rows' : 'columns',
      aligned: aligned(transposeB ? k : n),
      unsigned: false,
      batch: sharedB ? 1 : batch,
      rows: n,
      withSums: unsigned,
    }
    const packers = {
      a: layouts.left === 'packed' ? await createPacker(device, pipelines, left) : undefined,
      b: layouts.right === 'packed' ? await createPacker(device, pipelines, right) : undefined,
    }
    const joinsWords = geometry.outputEntryBytes === 1 && !shape.wholeWords
    const clear = joinsWords ? await pipelines.get(clearText, clearEntryPoint) : undefined
    const outputBytes = 4 * Math.ceil((batch * m * n * geometry.outputEntryBytes) / 4)
    const parameters = new Map<string, GPUBuffer>()

    function parametersFor(range: Range): GPUBuffer {
      const key = Object.values(range).join(' ')
      const found = parameters.get(key)
      if (found !== undefined) return found
      // Those dropped may be in passes that were not submitted yet: they are left to the collector.
      if (parameters.size >= parametersMax) parameters.clear()
      const buffer = device.createBuffer({
        label: 'product',
        size: parametersBytes,
        usage: GPUBufferUsage.UNIFORM,
        mappedAtCreation: true,
      })
      const values = writeParameters(parametersOf(geometry, text, range, constants))
      new Uint32Array(buffer.getMappedRange()).set(values)
      buffer.unmap()
      parameters.set(key, buffer)
      return buffer
    }

    function encodeRange(pass: GPUComputePassEncoder, buffers: Buffers, range: Range): void {
      const isFirst = range.firstBatch === 0 && range.firstRow === 0 && range.firstColumn === 0
      if (clear !== undefined && isFirst) encodeClear(device, clear, pass, buffers.out, outputBytes)
      const spans = spansOf(geometry, range)
      const { a, b, out, ...others } = buffers
      const named = { left: a, right: b, output: out, sums: b, ...others, parameters: parametersFor(range) }
      const entries = bindingsOf(shape).map((binding) => {
        const buffer = named[binding]
        if (buffer === undefined)
          throw new ComputeError('internal', `the product needs a buffer of ${binding}`)
        return { binding: bindings[binding], resource: { buffer, ...spans[binding] } }
      })
      const { width, height } = gridOf(
        Math.ceil(range.rows / text.tileRows),
        Math.ceil(range.columns / text.tileColumns),
      )
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
      pass.dispatchWorkgroups(width, height, range.batches)
    }

    const packWith =
      (packer: (typeof packers)['a'], operand: string): Product['packA'] =>
      (pass, source, packed) => {
        if (packer === undefined)
          throw new ComputeError('internal', `${operand} is read in place, not packed`)
        packer.encode(pass, source, packed)
      }
    const ranges = (multiplyAddsMax?: number) => rangesOf(geometry, device.limits, multiplyAddsMax)
    return {
      kernel: name,
      packedBytes: { a: packers.a?.packedBytes ?? 0, b: packers.b?.packedBytes ?? 0 },
      outputBytes,
      bLayout: layouts.right === 'packed' && unsigned ? 'packed with sums' : layouts.right,
      packA: packWith(packers.a, 'A'),
      packB: packWith(packers.b, 'B'),
      ranges,
      encode(pass, buffers, range) {
        for (const each of range === undefined ? ranges() : [range]) encodeRange(pass, buffers, each)
      },
      close() {
        packers.a?.close()
        packers.b?.close()
        for (const buffer of parameters.values()) buffer.destroy()
        parameters.clear()
      },
    }
  }

  function geometryOf(spec: Shape, layouts: Layouts, entryBytes: 1 | 4, outputBytes: 1 | 4): Geometry {
    const { batch, m, k, n, sharedB, transposeB } = spec
    const shape = { batch, m, k, n, sharedB, transposeB }
    return { shape, layouts, operandEntryBytes: entryBytes, outputEntryBytes: outputBytes }
  }

  async function prepareWith(spec: ProductSpec, choice: Choice): Promise<Product> {
    const shape = epilogueShape(spec)
    const { requantize } = shape.epilogue
    const layouts = layoutsFor(spec, choice.kernel)
    const text = kernelText(choice, layouts, shape)
    const geometry = geometryOf(spec, layouts, 1, outputEntryBytes(shape.epilogue))
    rangesOf(geometry, device.limits)
    return await finishProduct({
      name: choice.kernel,
      text,
      pipeline: await pipelines.get(text.code, entryPoint),
      geometry,
      shape,
      constants: { ...noConstants, ...pickConstants(requantize) },
      unsigned: spec.left === 'u8',
    })
  }

  async function prepareFirst(spec: ProductSpec, [first, ...rest]: readonly Choice[]): Promise<Product> {
    if (first === undefined) throw new ComputeError('internal', 'no kernel runs on this device')
    try {
      return await prepareWith(spec, first)
    } catch (thrown) {
      const isRefused = thrown instanceof ComputeError && thrown.kind === 'validation'
      if (!isRefused || rest.length === 0) throw thrown
      return await prepareFirst(spec, rest)
    }
  }

  async function tune(spec: ProductSpec): Promise<Choice> {
    refuseProduct(spec)
    const found = known.get(keyOf(spec))
    if (found !== undefined) return found
    const bounded = (size: number) => Math.min(size, tunedSizeMax)
    const sample = { ...spec, m: bounded(spec.m), n: bounded(spec.n) }
    let best: { readonly choice: Choice; readonly ms: number } | undefined
    for (const choice of choices(spec, deviceFacts)) {
      const product = await prepareWith(sample, choice).catch(() => undefined)
      if (product === undefined) continue
      const ms = await timeProduct(device, sample, product)
      product.close()
      if (best === undefined || ms < best.ms) best = { choice, ms }
    }
    if (best === undefined) throw new ComputeError('internal', 'no kernel runs on this device')
    known.set(keyOf(spec), best.choice)
    return best.choice
  }

  return {
    kernels,
    tune,
    async prepare(spec, choice) {
      refuseProduct(spec)
      const chosen = choice ?? known.get(keyOf(spec))
      if (chosen !== undefined) return await prepareWith(spec, chosen)
      return await prepareFirst(spec, choices(spec, deviceFacts))
    },
    async prepareFloat(spec) {
      refuseProduct({ ...spec, left: 'i8' })
      const inPlace = readsInPlace(spec.k, 4)
      const layouts: Layouts = {
        left: inPlace ? 'rows' : 'packed',
        right: inPlace && spec.transposeB ? 'rows' : 'packed',
      }
      const wholeWords = spec.n % 4 === 0
      const text = floatKernel(floatTile(deviceFacts), layouts, wholeWords)
      return await finishProduct({
        name: 'float',
        text,
        pipeline: await pipelines.get(text.code, entryPoint),
        geometry: geometryOf(spec, layouts, 4, 4),
        shape: { unsignedLeft: false, epilogue: {}, wholeWords },
        constants: noConstants,
        unsigned: false,
      })
    },
  }
}

function pickConstants(
  requantize: NonNullable<ProductSpec['epilogue']>['requantize'],
): Partial<EpilogueConstants> {
  if (requantize === undefined) return {}
  const { zeroPoint } = requantize
  if (requantize.per === 'channel') return { zeroPoint }
  return { multiplier: requantize.multiplier, shift: requantize.shift, zeroPoint }
}
