/**
 * Exact int8 and inexact f32 products: in Dawn by each kernel, in Chromium by the one that the page would get, on one
 * core by WASM, and by PyTorch where it is. Dawn runs as the executor does, with the one toggle `allow_unsafe_apis`, which
 * shows matrix units; no check is switched off. Operands are packed beforehand, as resident weights are. What a machine
 * cannot measure is left out and named.
 */
import { findGpu } from '@shardy/compute/dawn'
import type { Choice, KernelName, ProductSpec } from '@shardy/compute/gemm'
import { measureBrowser } from './gemmBrowser.ts'
import { measureCeiling } from './gemmCeiling.ts'
import { measureCpu } from './gemmCpu.ts'
import { cube, type DeviceUnderTest, openDevice, teraOperations, timeExact, timeFloat } from './gemmDevice.ts'
import { measureTorch } from './gemmTorch.ts'
import type { Figures, Goals, Measured, Progress } from './run.ts'

export const goals: Goals = {
  int8SubgroupTops4096: { atLeast: 550 },
  int8SubgroupTops8192: { atLeast: 550 },
  int8Dot4Tops4096: { atLeast: 95 },
  f32Tflops4096: { atLeast: 40 },
  epiloguePercent4096: { atMost: 5 },
  wasmInt8GopsPerCore512: { atLeast: 65 },
  wasmInt8GopsPerCore4096: { atLeast: 65 },
}

const sizes = [512, 1024, 2048, 4096, 8192] as const
const softwareSize = 512

const squares = { down: 2, across: 2 } as const
/** For each kernel a tile for sizes that do not fill a large GPU, and one for those that do. */
const contenders: Record<KernelName, readonly [Choice, Choice]> = {
  subgroup: [
    { kernel: 'subgroup', tile: { ...squares, fragments: 2, stepBytes: 64, stages: 1 } },
    { kernel: 'subgroup', tile: { ...squares, fragments: 4, stepBytes: 64, stages: 1 } },
  ],
  dot4: [
    { kernel: 'dot4', tile: { rows: 32, columns: 64, down: 1, across: 1, unrolled: true } },
    { kernel: 'dot4', tile: { rows: 64, columns: 64, down: 2, across: 1, unrolled: true } },
  ],
  plain: [
    { kernel: 'plain', tile: { rows: 32, columns: 32, down: 1, across: 1, unrolled: true } },
    { kernel: 'plain', tile: { rows: 64, columns: 64, down: 2, across: 1, unrolled: true } },
  ],
}
const largeFrom = 2048

const requantize = { per: 'tensor', multiplier: 1_518_500_250, shift: 44, zeroPoint: 3, to: 'i8' } as const
const epilogues: Readonly<Record<string, NonNullable<ProductSpec['epilogue']>>> = {
  epiloguePercent: { bias: true, requantize },
  epilogueLookupPercent: { bias: true, requantize, lookup: { to: 'i8' } },
}

export async function run({ progress }: { readonly progress: Progress }): Promise<Measured> {
  const figures = {
    ...(await measureCpu(progress)),
    ...(await measureDawn(progress)),
    ...(await measureBrowser(progress)),
  }
  return { figures, peers: await measureTorch(progress) }
}

async function measureDawn(progress: Progress): Promise<Figures> {
  const gpu = await findGpu({ allowSoftware: true })
  if ('refusal' in gpu) {
    progress(`no Dawn figures: ${gpu.refusal.message}`)
    return {}
  }
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null) throw new Error('the adapter has gone')
  const under = await openDevice(adapter, gpu.wgslLanguageFeatures)
  try {
    progress(`Dawn on ${adapter.info.description}: ${under.gemm.kernels.join(', ')}`)
    return under.isSoftware ? await measureSoftware(under, progress) : await measureHardware(under, progress)
  } finally {
    under.device.destroy()
  }
}

async function measureSoftware(under: DeviceUnderTest, progress: Progress): Promise<Figures> {
  progress('no figures of a GPU: the only adapter is software')
  const ms = await timeExact(under, cube(softwareSize))
  return { [`dawnSoftwareInt8Gops${softwareSize}`]: 1_000 * teraOperations(softwareSize, ms) }
}

async function measureHardware(under: DeviceUnderTest, progress: Progress): Promise<Figures> {
  const figures: Record<string, number> = {}
  for (const kernel of under.gemm.kernels) {
    const name = `int8${kernel[0]?.toUpperCase()}${kernel.slice(1)}Tops`
    for (const size of sizes) {
      if (kernel === 'plain' && size > largeFrom) continue
      progress(`Dawn, ${kernel}, ${size} cubed`)
      const choice = contenders[kernel][size < largeFrom ? 0 : 1]
      figures[`${name}${size}`] = teraOperations(size, await timeExact(under, cube(size), choice))
    }
  }
  const fastest = under.gemm.kernels.at(-1) ?? 'plain'
  const choice = contenders[fastest][1]
  for (const size of [4096, 8192]) {
    const bareMs = await timeExact(under, cube(size), choice)
    for (const [name, epilogue] of Object.entries(epilogues)) {
      progress(`Dawn, ${fastest}, ${size} cubed with an epilogue`)
      const ms = await timeExact(under, cube(size, { epilogue }), choice)
      figures[`${name}${size}`] = 100 * (ms / bareMs - 1)
    }
  }
  for (const size of sizes) {
    progress(`Dawn, f32, ${size} cubed`)
    figures[`f32Tflops${size}`] = teraOperations(size, await timeFloat(under, size))
  }
  progress('the ceiling of matrix units')
  return { ...figures, ...(await measureCeiling(under)) }
}
