/** Zeros over words, for outputs whose words are put together from bytes of different rows. */
export const clearEntryPoint = 'clear'
const threads = 256

export const clearText = `@group(0) @binding(0) var<storage, read_write> words: array<u32>;

@compute @workgroup_size(${threads})
fn ${clearEntryPoint}(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let pitch = groups.x * ${threads}u;
  for (var word = id.x; word < arrayLength(&words); word += pitch) { words[word] = 0u; }
}`

const groupsMax = 1024

export function encodeClear(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  pass: GPUComputePassEncoder,
  buffer: GPUBuffer,
  bytes: number,
): void {
  const most = device.limits.maxStorageBufferBindingSize
  const part = most - (most % 256)
  pass.setPipeline(pipeline)
  for (let offset = 0; offset < bytes; offset += part) {
    const size = Math.min(part, bytes - offset)
    const layout = pipeline.getBindGroupLayout(0)
    const entries = [{ binding: 0, resource: { buffer, offset, size } }]
    pass.setBindGroup(0, device.createBindGroup({ layout, entries }))
    pass.dispatchWorkgroups(Math.min(groupsMax, Math.ceil(size / 4 / threads)))
  }
}
