/**
 * What the arithmetic of a device can do at most: the same instructions as in the kernels, on registers alone. A kernel's
 * rate is to be read against these, not against a data sheet.
 */
import { type DeviceUnderTest, median } from './gemmDevice.ts'

const subgroupWidth = 32
const threads = 128
const groups = 2048
const rounds = 1024
const repeats = 7

interface Ceiling {
  readonly code: string
  readonly operationsPerRound: number
}

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n')

/** Sixteen sums of 16 × 16 in each subgroup, as in the kernel. */
const matrixUnits: Ceiling = {
  operationsPerRound: (threads / subgroupWidth) * 16 * 2 * 16 * 16 * 32,
  code: `enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
@group(0) @binding(0) var<storage, read_write> words: array<i32>;
@compute @workgroup_size(${threads})
fn measure(@builtin(workgroup_id) group: vec3u) {
  ${lines(4, (index) => `let left${index} = subgroupMatrixLoad<subgroup_matrix_left<i8, 32, 16>, row_major>(&words, ${128 * index}u, 8u);`)}
  ${lines(4, (index) => `let right${index} = subgroupMatrixLoad<subgroup_matrix_right<i8, 16, 32>, col_major>(&words, ${1024 + 128 * index}u, 8u);`)}
  ${lines(16, (index) => `var sum${index}: subgroup_matrix_result<i32, 16, 16>;`)}
  for (var round = 0u; round < ${rounds}u; round++) {
    ${lines(16, (index) => `sum${index} = subgroupMatrixMultiplyAccumulate(left${index >> 2}, right${index % 4}, sum${index});`)}
  }
  ${lines(16, (index) => `subgroupMatrixStore<row_major>(&words, 4096u + 256u * group.x, sum${index}, 16u);`)}
}`,
}

/** A block of eight by eight in each invocation, as in the kernel; the left side changes, so that nothing is hoisted. */
const dot4: Ceiling = {
  operationsPerRound: threads * 64 * 8,
  code: `@group(0) @binding(0) var<storage, read_write> words: array<i32>;
@compute @workgroup_size(${threads})
fn measure(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  ${lines(8, (index) => `var left${index} = bitcast<u32>(words[${threads * index}u + thread]);`)}
  ${lines(8, (index) => `let right${index} = bitcast<u32>(words[${threads * (8 + index)}u + thread]);`)}
  ${lines(64, (index) => `var sum${index} = 0;`)}
  for (var round = 0u; round < ${rounds}u; round++) {
    ${lines(64, (index) => `sum${index} += dot4I8Packed(left${index >> 3}, right${index % 8});`)}
    ${lines(8, (index) => `left${index} += right${index};`)}
  }
  words[4096u + group.x * ${threads}u + thread] = ${Array.from({ length: 64 }, (_, index) => `sum${index}`).join(' + ')};
}`,
}

/** Teraoperations per second. */
async function measure(device: GPUDevice, { code, operationsPerRound }: Ceiling): Promise<number> {
  const compute = { module: device.createShaderModule({ code }), entryPoint: 'measure' }
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute })
  const words = device.createBuffer({ size: 4 * (4096 + 256 * groups), usage: 0x80 | 0x8 })
  const scattered = Uint32Array.from({ length: 4096 }, (_, index) => Math.imul(index + 1, 0x9e3779b1))
  device.queue.writeBuffer(words, 0, scattered)
  const layout = pipeline.getBindGroupLayout(0)
  const bindGroup = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: words } }] })
  const dispatches = 8
  const takeMs = async (): Promise<number> => {
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, bindGroup)
    for (let count = 0; count < dispatches; count++) pass.dispatchWorkgroups(groups)
    pass.end()
    const beganMs = performance.now()
    device.queue.submit([encoder.finish()])
    await device.queue.onSubmittedWorkDone()
    return (performance.now() - beganMs) / dispatches
  }
  const taken: number[] = []
  for (let count = 0; count < 2 * repeats; count++) taken.push(await takeMs())
  words.destroy()
  // The first half brings the clocks up.
  return (operationsPerRound * rounds * groups) / median(taken.slice(repeats)) / 1e9
}

export async function measureCeilings({ device, gemm }: DeviceUnderTest): Promise<Record<string, number>> {
  return {
    ...(gemm.kernels.includes('subgroup')
      ? { int8SubgroupCeilingTops: await measure(device, matrixUnits) }
      : {}),
    ...(gemm.kernels.includes('dot4') ? { int8Dot4CeilingTops: await measure(device, dot4) } : {}),
  }
}
