/** What a shader task needs of a device, and which limit refuses it. */
import type { ShaderTask } from '@shardy/shader'
import { ComputeError } from '../../executor.ts'

export type ShaderLimits = Pick<
  GPUSupportedLimits,
  | 'maxBufferSize'
  | 'maxStorageBufferBindingSize'
  | 'maxUniformBufferBindingSize'
  | 'maxStorageBuffersPerShaderStage'
  | 'maxUniformBuffersPerShaderStage'
  | 'maxComputeInvocationsPerWorkgroup'
  | 'maxComputeWorkgroupSizeX'
  | 'maxComputeWorkgroupSizeY'
  | 'maxComputeWorkgroupSizeZ'
  | 'maxComputeWorkgroupsPerDimension'
>

export function refuseBeyondLimits(task: ShaderTask, limits: ShaderLimits): void {
  const { shader, dispatch, bindings } = task
  const need = (what: string, needed: number, limit: keyof ShaderLimits): void => {
    if (needed <= limits[limit]) return
    const message = `the shader needs ${what} of ${needed}, the device's ${limit} is ${limits[limit]}`
    throw new ComputeError('beyondLimits', message)
  }
  const uniforms = bindings.filter(({ buffer }) => buffer.access === 'uniform')
  // One more of each is the host's: the status and the fuel.
  need(
    'a number of storage buffers',
    bindings.length - uniforms.length + 1,
    'maxStorageBuffersPerShaderStage',
  )
  need('a number of uniform buffers', uniforms.length + 1, 'maxUniformBuffersPerShaderStage')
  for (const { buffer, bufferBytes } of bindings) {
    const isUniform = buffer.access === 'uniform'
    need('a buffer', bufferBytes, 'maxBufferSize')
    need('a binding', bufferBytes, isUniform ? 'maxUniformBufferBindingSize' : 'maxStorageBufferBindingSize')
  }
  need('an output', task.outputBytes, 'maxBufferSize')
  const [x, y, z] = shader.workgroupSize
  need('a workgroup', x * y * z, 'maxComputeInvocationsPerWorkgroup')
  need('a workgroup width', x, 'maxComputeWorkgroupSizeX')
  need('a workgroup height', y, 'maxComputeWorkgroupSizeY')
  need('a workgroup depth', z, 'maxComputeWorkgroupSizeZ')
  need('a dispatch', Math.max(...dispatch), 'maxComputeWorkgroupsPerDimension')
}
