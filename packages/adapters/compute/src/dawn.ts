/**
 * WebGPU outside browsers: Dawn, from the npm package `webgpu`, under Bun. A real GPU first; where there is none and the
 * caller allows it, SwiftShader out of Chromium's package. Imported as `@shardy/compute/dawn`, never by a browser.
 */
import { chooseSwiftShader, hasDriver, loadVulkan } from './vulkan.ts'
import { type Opened, type OpenOptions, openWebGpu } from './webgpu/open.ts'

export { createWebGpuExecutor } from './webgpu/executor.ts'

/**
 * Dawn's instances must be referenced for the life of the process: collecting one ends the process with a segmentation
 * fault. A module's own variables are not enough under a test runner that drops modules, so the global holds them.
 */
function keep(instance: GPU): GPU {
  const key = Symbol.for('shardy.dawnInstances')
  const kept: unknown = Reflect.get(globalThis, key)
  Reflect.set(globalThis, key, [...(Array.isArray(kept) ? kept : []), instance])
  return instance
}

/** `allow_unsafe_apis` shows features that are experiments still; matrix units, which exact products run on, are one. */
const toggles = ['enable-dawn-features=allow_unsafe_apis']

let create: ((options: string[]) => GPU) | undefined

async function createInstance(): Promise<GPU> {
  if (create === undefined) {
    const dawn = await import('webgpu')
    Object.assign(globalThis, dawn.globals)
    create = dawn.create
  }
  return keep(create(toggles))
}

/** Found once per process: drivers do not come and go, and instances are kept for ever. */
let hardware: GPU | undefined
let software: GPU | undefined

/** A `GPU` object with an adapter to offer, or the reason why there is none. */
export async function findGpu({ allowSoftware }: OpenOptions): Promise<GPU | Extract<Opened, { ok: false }>> {
  const known = hardware ?? (allowSoftware ? software : undefined)
  if (known !== undefined) return known
  const refuse = (kind: 'noWebGpu' | 'noAdapter', message: string) =>
    ({ ok: false, refusal: { kind, message } }) as const
  if (!loadVulkan()) {
    return refuse(
      'noAdapter',
      'there is no Vulkan loader: install the GPU driver, or chromium for a software adapter',
    )
  }
  try {
    if (hasDriver()) {
      const gpu = await createInstance()
      if ((await gpu.requestAdapter()) !== null) {
        hardware = gpu
        return gpu
      }
    }
    if (!allowSoftware) return refuse('noAdapter', 'there is no GPU with a Vulkan driver on this machine')
    if (chooseSwiftShader() === undefined) {
      return refuse('noAdapter', 'there is no GPU, and no SwiftShader either: it comes with chromium')
    }
    software = await createInstance()
    return software
  } catch (thrown) {
    return refuse('noWebGpu', `Dawn does not start on this machine: ${thrown}`)
  }
}

export async function openDawn(options: OpenOptions): Promise<Opened> {
  const found = await findGpu(options)
  return 'refusal' in found ? found : await openWebGpu(found, options)
}
