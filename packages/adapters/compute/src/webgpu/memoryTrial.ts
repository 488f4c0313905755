/**
 * One trial of a device's memory: so many bytes held at once, every word written by the device with a number of its own, and
 * read again once all are written. Drivers that hand out memory which they do not have are found by this, and not by allocating.
 */
import { ComputeError, throwIfAborted } from '../executor.ts'
import type { Guard } from './guard.ts'

/** Small enough for any device to take at once, and large enough for a trial of gigabytes to be a few calls. */
const blockBytesMax = 256 * 2 ** 20
const groupsMax = 65_535
const groupSize = 64

const code = `
override isWriting: bool;
@group(0) @binding(0) var<storage, read_write> words: array<u32>;
@group(0) @binding(1) var<storage, read_write> wrong: atomic<u32>;
@group(0) @binding(2) var<uniform> block: vec4u;

fn expected(index: u32) -> u32 {
  let mixed = (index ^ (block.x * 0x9e3779b9u)) * 0x85ebca6bu;
  return mixed ^ (mixed >> 13u);
}

@compute @workgroup_size(${groupSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var index = id.x; index < arrayLength(&words); index += groups.x * ${groupSize}u) {
    if (isWriting) { words[index] = expected(index); }
    else if (words[index] != expected(index)) { atomicAdd(&wrong, 1u); }
  }
}`

export interface MemoryTrialOptions {
  readonly guard: Guard
  readonly signal?: AbortSignal | undefined
}

/** Rejects with `outOfMemory` at the first block that is not given, or with what else became of the device. */
export async function tryDeviceMemory(
  device: GPUDevice,
  bytes: number,
  { guard, signal }: MemoryTrialOptions,
): Promise<void> {
  const buffers: GPUBuffer[] = []
  const hold = (size: number, usage: number) => {
    const buffer = device.createBuffer({ label: 'memory trial', size, usage })
    buffers.push(buffer)
    return buffer
  }
  const attempt = <T>(work: () => Promise<T>) => guard.run(`trying ${bytes} bytes of memory`, work)
  try {
    const { layout, writing, reading } = await attempt(() => openKernels(device, guard))
    const wrong = await attempt(async () => hold(4, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC))
    const touch = async (pipeline: GPUComputePipeline, words: GPUBuffer, block: GPUBuffer) => {
      const entries = [words, wrong, block].map((buffer, binding) => ({ binding, resource: { buffer } }))
      const encoder = device.createCommandEncoder()
      const pass = encoder.beginComputePass()
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, device.createBindGroup({ layout, entries }))
      pass.dispatchWorkgroups(Math.min(groupsMax, Math.ceil(words.size / 4 / groupSize)))
      pass.end()
      device.queue.submit([encoder.finish()])
      await guard.wait(device.queue.onSubmittedWorkDone())
    }

    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits
    const blockBytes = wholeWords(Math.min(blockBytesMax, maxBufferSize, maxStorageBufferBindingSize))
    const blocks: (readonly [words: GPUBuffer, block: GPUBuffer])[] = []
    for (let left = wholeWords(bytes); left > 0; left -= blockBytes) {
      throwIfAborted(signal)
      await attempt(async () => {
        const words = hold(Math.min(left, blockBytes), GPUBufferUsage.STORAGE)
        const block = hold(16, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST)
        blocks.push([words, block])
        device.queue.writeBuffer(block, 0, Uint32Array.of(blocks.length, 0, 0, 0))
        await touch(writing, words, block)
      })
    }
    const count = await attempt(async () => {
      for (const [words, block] of blocks) {
        throwIfAborted(signal)
        await touch(reading, words, block)
      }
      const staging = hold(4, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST)
      const encoder = device.createCommandEncoder()
      encoder.copyBufferToBuffer(wrong, 0, staging, 0, 4)
      device.queue.submit([encoder.finish()])
      await guard.wait(staging.mapAsync(GPUMapMode.READ))
      return new Uint32Array(staging.getMappedRange())[0] ?? 0
    })
    if (count === 0) return
    throw new ComputeError('outOfMemory', `${count} of ${bytes / 4} words did not keep what was written`)
  } finally {
    for (const buffer of buffers) buffer.destroy()
  }
}

async function openKernels(device: GPUDevice, guard: Guard) {
  const module = device.createShaderModule({ label: 'memory trial', code })
  const layout = device.createBindGroupLayout({
    entries: (['storage', 'storage', 'uniform'] as const).map((type, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type },
    })),
  })
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] })
  const open = (isWriting: 0 | 1) =>
    guard.wait(
      device.createComputePipelineAsync({
        layout: pipelineLayout,
        compute: { module, constants: { isWriting } },
      }),
    )
  return { layout, writing: await open(1), reading: await open(0) }
}

function wholeWords(bytes: number): number {
  return bytes - (bytes % 4)
}
