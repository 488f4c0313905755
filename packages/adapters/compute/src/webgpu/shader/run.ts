/**
 * Runs one shader task on a device (spec H16, H31): buffers from the payload, one dispatch of the instrumented source, the
 * status flag, and the outputs. Spent fuel is told apart: there is no output then.
 */
import { describeRefusal } from '@shardy/protocol'
import {
  bufferContents,
  entryPointName,
  hostGroup,
  limitBinding,
  refusePayload,
  type ShaderTask,
  statusBinding,
} from '@shardy/shader'
import { ComputeError, throwIfAborted } from '../../executor.ts'
import { type Guard, guardDevice } from '../guard.ts'
import { refuseBeyondLimits } from './limits.ts'

export type ShaderOutcome =
  | { readonly kind: 'output'; readonly bytes: Uint8Array }
  | { readonly kind: 'outOfFuel' }

export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  /** The device's, where its owner has one already. */
  readonly guard?: Guard | undefined
}

const bufferTypes = { read: 'read-only-storage', readWrite: 'storage', uniform: 'uniform' } as const
const statusBytes = 4

/** The device stays the caller's. One call at a time on a device: its error scopes are a stack. */
export async function runShader(
  device: GPUDevice,
  task: ShaderTask,
  payload: Uint8Array,
  { signal, guard = guardDevice(device) }: RunOptions = {},
): Promise<ShaderOutcome> {
  throwIfAborted(signal)
  const refusal = refusePayload(task, payload)
  if (refusal !== undefined) throw new ComputeError('inputRefused', describeRefusal(refusal))
  refuseBeyondLimits(task, device.limits)
  const layouts = createLayouts(device, task)
  const pipeline = await guard.run('compiling the shader', () => compile(device, guard, task, layouts))
  throwIfAborted(signal)
  const held: GPUBuffer[] = []
  try {
    return await guard.run('running the shader', async () => {
      const buffer = (size: number, usage: number): GPUBuffer => {
        const made = device.createBuffer({ size, usage })
        held.push(made)
        return made
      }
      return await dispatch(device, guard, task, payload, layouts, pipeline, buffer)
    })
  } finally {
    for (const one of held) one.destroy()
  }
}

/** Named by hand: a layout taken from the source would leave out what the source does not use. */
function createLayouts(device: GPUDevice, { bindings }: ShaderTask): readonly GPUBindGroupLayout[] {
  const layout = (entries: readonly (readonly [number, GPUBufferBindingType])[]): GPUBindGroupLayout =>
    device.createBindGroupLayout({
      entries: entries.map(([binding, type]) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type },
      })),
    })
  return [
    layout(bindings.map(({ buffer }) => [buffer.binding, bufferTypes[buffer.access]] as const)),
    layout([
      [statusBinding, 'storage'],
      [limitBinding, 'uniform'],
    ]),
  ]
}

async function compile(
  device: GPUDevice,
  guard: Guard,
  task: ShaderTask,
  bindGroupLayouts: readonly GPUBindGroupLayout[],
): Promise<GPUComputePipeline> {
  const module = device.createShaderModule({ code: task.instrumented })
  const layout = device.createPipelineLayout({ bindGroupLayouts: [...bindGroupLayouts] })
  return await guard.wait(
    device.createComputePipelineAsync({ layout, compute: { module, entryPoint: entryPointName } }),
  )
}

async function dispatch(
  device: GPUDevice,
  guard: Guard,
  task: ShaderTask,
  payload: Uint8Array,
  layouts: readonly GPUBindGroupLayout[],
  pipeline: GPUComputePipeline,
  createBuffer: (size: number, usage: number) => GPUBuffer,
): Promise<ShaderOutcome> {
  const { STORAGE, UNIFORM, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage
  const contents = bufferContents(task, payload)
  const buffers = task.bindings.map(({ buffer, bufferBytes }, index) => {
    const usage = buffer.access === 'uniform' ? UNIFORM : STORAGE
    const made = createBuffer(bufferBytes, usage | COPY_DST | COPY_SRC)
    const bytes = contents[index]
    // Outputs begin as zeros, which new buffers are.
    if (bytes !== undefined && buffer.access !== 'readWrite') {
      device.queue.writeBuffer(made, 0, bytes, 0, bytes.length)
    }
    return made
  })
  const status = createBuffer(statusBytes, STORAGE | COPY_SRC)
  const limit = createBuffer(16, UNIFORM | COPY_DST)
  device.queue.writeBuffer(limit, 0, Uint32Array.of(task.fuel, 0, 0, 0))
  const staging = createBuffer(statusBytes + task.outputBytes, MAP_READ | COPY_DST)

  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  const bind = (group: number, entries: readonly (readonly [number, GPUBuffer])[]): void => {
    const layout = layouts[group]
    if (layout === undefined) throw new Error('there are two groups')
    const bindings = entries.map(([binding, buffer]) => ({ binding, resource: { buffer } }))
    pass.setBindGroup(group, device.createBindGroup({ layout, entries: bindings }))
  }
  bind(
    0,
    task.bindings.flatMap(({ buffer }, index) => {
      const made = buffers[index]
      return made === undefined ? [] : [[buffer.binding, made] as const]
    }),
  )
  bind(hostGroup, [
    [statusBinding, status],
    [limitBinding, limit],
  ])
  pass.dispatchWorkgroups(...task.dispatch)
  pass.end()
  encoder.copyBufferToBuffer(status, 0, staging, 0, statusBytes)
  for (const [index, { buffer, offset, byteLength }] of task.bindings.entries()) {
    const made = buffers[index]
    if (buffer.access !== 'readWrite' || made === undefined) continue
    encoder.copyBufferToBuffer(made, 0, staging, statusBytes + offset, byteLength)
  }
  device.queue.submit([encoder.finish()])
  await guard.wait(staging.mapAsync(GPUMapMode.READ))
  const read = new Uint8Array(staging.getMappedRange().slice(0))
  staging.unmap()
  const isSpent = read.subarray(0, statusBytes).some((byte) => byte !== 0)
  return isSpent ? { kind: 'outOfFuel' } : { kind: 'output', bytes: read.slice(statusBytes) }
}
