/** Compiled kernels of one device by their text, the most recently used ones. */
import type { Kernel } from '../plan/step.ts'

/** Of hostile programs there is no end of different chains. */
const pipelinesMax = 512

export interface Pipelines {
  /** Compiles what is not at hand, side by side. */
  compile(kernels: Iterable<Kernel>): Promise<void>
  get(kernel: Kernel): GPUComputePipeline
}

export function createPipelines(device: GPUDevice): Pipelines {
  const known = new Map<string, GPUComputePipeline>()
  const layouts = new Map<string, GPUPipelineLayout>()

  /** By hand, since a layout that a device derives leaves out what a kernel does not use. */
  function layoutOf({ reads, writes }: Kernel): GPUPipelineLayout {
    const key = `${reads} ${writes}`
    const found = layouts.get(key)
    if (found !== undefined) return found
    const storage = Array.from(
      { length: reads + writes },
      (_, index): GPUBindGroupLayoutEntry => ({
        binding: 1 + index,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: index < reads ? 'read-only-storage' : 'storage' },
      }),
    )
    const params: GPUBindGroupLayoutEntry = {
      binding: 0,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: 'uniform', hasDynamicOffset: true },
    }
    const group = device.createBindGroupLayout({ entries: [params, ...storage] })
    const layout = device.createPipelineLayout({ bindGroupLayouts: [group] })
    layouts.set(key, layout)
    return layout
  }

  async function compileOne(kernel: Kernel): Promise<void> {
    const module = device.createShaderModule({ code: kernel.code })
    const pipeline = await device.createComputePipelineAsync({
      layout: layoutOf(kernel),
      compute: { module, entryPoint: 'main' },
    })
    known.set(kernel.code, pipeline)
  }

  return {
    async compile(kernels) {
      const missing = new Map<string, Kernel>()
      for (const kernel of kernels) {
        const pipeline = known.get(kernel.code)
        if (pipeline === undefined) {
          missing.set(kernel.code, kernel)
          continue
        }
        known.delete(kernel.code)
        known.set(kernel.code, pipeline)
      }
      const needed = new Set([...kernels].map(({ code }) => code))
      for (const code of known.keys()) {
        if (known.size + missing.size <= pipelinesMax) break
        if (!needed.has(code)) known.delete(code)
      }
      await Promise.all(Array.from(missing.values(), compileOne))
    },
    get({ code }) {
      const pipeline = known.get(code)
      if (pipeline === undefined) throw new Error('the kernel was not compiled')
      return pipeline
    },
  }
}
