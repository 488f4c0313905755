/**
 * What the matrix units of a device can do at most: the kernel's own instruction on registers alone. The kernel's rate is
 * to be read against this, not against a data sheet, whose figure other instructions reach.
 */
import { type DeviceUnderTest, median } from './gemmDevice.ts'

const threads = 128
const subgroups = threads / 32
const groups = 2048
const rounds = 1024
const dispatches = 8
const repeats = 7

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n')

const load = (side: 'left' | 'right', index: number): string =>
  side === 'left'
    ? `let left${index} = subgroupMatrixLoad<subgroup_matrix_left<i8, 32, 16>, row_major>(&words, ${128 * index}u, 8u);`
    : `let right${index} = subgroupMatrixLoad<subgroup_matrix_right<i8, 16, 32>, col_major>(&words, ${1024 + 128 * index}u, 8u);`

/** Sixteen sums of 16 × 16 in each subgroup, as in the kernel. */
const code = `enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
@group(0) @binding(0) var<storage, read_write> words: array<i32>;
@compute @workgroup_size(${threads})
fn measure(@builtin(workgroup_id) group: vec3u) {
  ${lines(4, (index) => load('left', index))}
  ${lines(4, (index) => load('right', index))}
  ${lines(16, (index) => `var sum${index}: subgroup_matrix_result<i32, 16, 16>;`)}
  for (var round = 0u; round < ${rounds}u; round++) {
    ${lines(16, (index) => `sum${index} = subgroupMatrixMultiplyAccumulate(left${index >> 2}, right${index % 4}, sum${index});`)}
  }
  ${lines(16, (index) => `subgroupMatrixStore<row_major>(&words, 4096u + 256u * group.x, sum${index}, 16u);`)}
}`
const operationsPerRound = subgroups * 16 * 2 * 16 * 16 * 32

export async function measureCeiling({ device, gemm }: DeviceUnderTest): Promise<Record<string, number>> {
  if (!gemm.kernels.includes('subgroup')) return {}
  const compute = { module: device.createShaderModule({ code }), entryPoint: 'measure' }
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute })
  const words = device.createBuffer({ size: 4 * (4096 + 256 * groups), usage: 0x80 | 0x8 })
  const scattered = Uint32Array.from({ length: 4096 }, (_, index) => Math.imul(index + 1, 0x9e3779b1))
  device.queue.writeBuffer(words, 0, scattered)
  const layout = pipeline.getBindGroupLayout(0)
  const bindGroup = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: words } }] })
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
  const ms = median(taken.slice(repeats))
  return { int8SubgroupCeilingTops: (operationsPerRound * rounds * groups) / ms / 1e9 }
}
