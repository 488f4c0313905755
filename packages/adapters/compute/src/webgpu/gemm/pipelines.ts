/** Compute pipelines by their text: what was compiled once is not compiled again, and a failure is not remembered. */
import { ComputeError } from '../../executor.ts'

export interface Pipelines {
  get(code: string, entryPoint: string): Promise<GPUComputePipeline>
}

export function createPipelines(device: GPUDevice): Pipelines {
  const known = new Map<string, Promise<GPUComputePipeline>>()

  async function compile(code: string, entryPoint: string): Promise<GPUComputePipeline> {
    const module = device.createShaderModule({ code })
    try {
      return await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint } })
    } catch (cause) {
      const { messages } = await module.getCompilationInfo()
      const first = messages.find(({ type }) => type === 'error')
      const why = first === undefined ? cause : `line ${first.lineNum}: ${first.message}`
      throw new ComputeError('validation', `compiling ${entryPoint}: ${why}`, { cause })
    }
  }

  return {
    get(code, entryPoint) {
      const found = known.get(code)
      if (found !== undefined) return found
      const compiling = compile(code, entryPoint)
      known.set(code, compiling)
      compiling.catch(() => known.delete(code))
      return compiling
    },
  }
}
