/**
 * From a host's `GPU` object (a browser's `navigator.gpu`, or Dawn's) to an executor, or to a refusal that says why
 * there is none. Whether a software adapter will do is the caller's decision: it is exact, but slower than the CPU.
 */
import { ComputeError, type Executor } from '../executor.ts'
import { createWebGpuExecutor } from './executor.ts'
import { requiredFeatures, requiredLimits } from './limits.ts'

export type OpenRefusal =
  | { readonly kind: 'noWebGpu'; readonly message: string }
  | { readonly kind: 'noAdapter'; readonly message: string }
  | { readonly kind: 'softwareAdapter'; readonly adapter: string; readonly message: string }
  | { readonly kind: 'noDevice'; readonly adapter: string; readonly message: string }

export type Opened =
  | { readonly ok: true; readonly executor: Executor }
  | { readonly ok: false; readonly refusal: OpenRefusal }

export interface OpenOptions {
  readonly allowSoftware: boolean
}

export function describeAdapter({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  const words = [vendor, architecture, description === '' ? device : description].filter(
    (word) => word !== '',
  )
  // One line of printable ASCII, since the description goes over the wire.
  const line = words.join(' ').replace(/[^\x20-\x7e]+/g, '?')
  return line === '' ? 'an adapter without a name' : line.slice(0, 120)
}

/** Not every implementation sets the flag, so the well-known software adapters are known by name as well. */
export function isSoftware(info: GPUAdapterInfo): boolean {
  return info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(describeAdapter(info))
}

export async function openWebGpu(gpu: GPU | undefined, { allowSoftware }: OpenOptions): Promise<Opened> {
  if (gpu === undefined) {
    const message = 'this host has no WebGPU; a browser needs a secure page and a recent version'
    return { ok: false, refusal: { kind: 'noWebGpu', message } }
  }
  const found = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (found === null) {
    return { ok: false, refusal: { kind: 'noAdapter', message: 'WebGPU is here, but it offers no adapter' } }
  }
  const adapter = describeAdapter(found.info)
  if (isSoftware(found.info) && !allowSoftware) {
    const message = `the only adapter is software (${adapter}), which is slower than the CPU executor`
    return { ok: false, refusal: { kind: 'softwareAdapter', adapter, message } }
  }
  let device: GPUDevice | undefined
  try {
    device = await found.requestDevice({
      label: 'shardy',
      requiredLimits: requiredLimits(found.limits),
      requiredFeatures: requiredFeatures(found.features),
    })
    const executor = await createWebGpuExecutor(device, adapter, {
      languageFeatures: gpu.wgslLanguageFeatures,
      info: found.info,
      isSoftware: isSoftware(found.info),
    })
    return { ok: true, executor }
  } catch (thrown) {
    device?.destroy()
    const message = thrown instanceof ComputeError ? thrown.message : `${adapter} gives no device: ${thrown}`
    return { ok: false, refusal: { kind: 'noDevice', adapter, message } }
  }
}
