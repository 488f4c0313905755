/**
 * INEXACT. A few operations on f32 for those who want speed and no proof: devices may reorder sums, fuse multiply-adds and
 * flush small numbers, so the bits differ from one to the next. Nothing here takes part in programs, and no answer made
 * with it can be checked or agreed on.
 */
import tgpu, { d } from 'typegpu'

const invocations = 64
/** Every device lets a dimension be this long. */
const groupsMax = 65_535

const InexactParams = d.struct({ size: d.u32, columns: d.u32 })
const floats = (length: number) => d.arrayOf(d.f32, length)

const layout = tgpu.bindGroupLayout({
  params: { uniform: InexactParams },
  x: { storage: floats, access: 'readonly' },
  y: { storage: floats, access: 'readonly' },
  result: { storage: floats, access: 'mutable' },
})

const builtins = {
  group: d.builtin.workgroupId,
  groups: d.builtin.numWorkgroups,
  lane: d.builtin.localInvocationIndex,
}

/** `value` is WGSL for the result of entry `i`. */
function entryByEntry(value: string) {
  return tgpu.computeFn({ in: builtins, workgroupSize: [invocations] })`{
  let i = ${String(invocations)}u * (in.group.y * in.groups.x + in.group.x) + in.lane;
  if (i >= layout.$.params.size) { return; }
  let x = layout.$.x[i];
  let y = layout.$.y[i];
  layout.$.result[i] = ${value};
}`.$uses({ layout })
}

/** A row by one invocation: the largest entry, the sum of the exponentials, the shares. */
const softmaxKernel = tgpu.computeFn({ in: builtins, workgroupSize: [invocations] })`{
  let row = ${String(invocations)}u * (in.group.y * in.groups.x + in.group.x) + in.lane;
  let columns = layout.$.params.columns;
  if (row >= layout.$.params.size / columns) { return; }
  let first = row * columns;
  var largest = layout.$.x[first];
  for (var column = 1u; column < columns; column++) { largest = max(largest, layout.$.x[first + column]); }
  var sum = 0.0;
  for (var column = 0u; column < columns; column++) { sum += exp(layout.$.x[first + column] - largest); }
  for (var column = 0u; column < columns; column++) {
    layout.$.result[first + column] = exp(layout.$.x[first + column] - largest) / sum;
  }
}`.$uses({ layout })

const kernels = {
  add: entryByEntry('x + y'),
  multiply: entryByEntry('x * y'),
  relu: entryByEntry('max(x, 0.0)'),
  // By tanh, whose argument is kept where drivers do not overflow.
  gelu: entryByEntry('0.5 * x * (1.0 + tanh(clamp(0.7978845608 * (x + 0.044715 * x * x * x), -10.0, 10.0)))'),
  softmax: softmaxKernel,
} as const

/** Buffers of f32, each with at least `size` entries and with usage STORAGE; `result` is none of the others. */
export interface InexactUnary {
  readonly size: number
  readonly x: GPUBuffer
  readonly result: GPUBuffer
}

export interface InexactBinary extends InexactUnary {
  readonly y: GPUBuffer
}

/** INEXACT operations on one device. Each call submits its work and returns at once; the queue keeps the order. */
export interface Inexact {
  inexactAdd(buffers: InexactBinary): void
  inexactMultiply(buffers: InexactBinary): void
  inexactRelu(buffers: InexactUnary): void
  inexactGelu(buffers: InexactUnary): void
  /** Along rows of `columns` entries, which divides `size`. */
  inexactSoftmax(buffers: InexactUnary & { readonly columns: number }): void
}

export async function createInexact(device: GPUDevice): Promise<Inexact> {
  const root = tgpu.initFromDevice({ device })
  const compile = async (compute: (typeof kernels)[keyof typeof kernels]) => {
    const pipeline = root.createComputePipeline({ compute })
    await pipeline.initAsync()
    return pipeline
  }
  const [add, multiply, relu, gelu, softmax] = await Promise.all([
    compile(kernels.add),
    compile(kernels.multiply),
    compile(kernels.relu),
    compile(kernels.gelu),
    compile(kernels.softmax),
  ])

  function run(
    pipeline: typeof add,
    { size, x, y = x, result }: InexactUnary & { y?: GPUBuffer },
    columns = 1,
  ) {
    if (!Number.isInteger(size / columns))
      throw new RangeError(`rows of ${columns} do not make ${size} entries`)
    const params = root.createBuffer(InexactParams, { size, columns }).$usage('uniform')
    const typed = (buffer: GPUBuffer) => root.createBuffer(floats(size), buffer).$usage('storage')
    const group = root.createBindGroup(layout, { params, x: typed(x), y: typed(y), result: typed(result) })
    const count = Math.ceil(size / columns / invocations)
    const lines = Math.ceil(count / groupsMax)
    pipeline.with(group).dispatchWorkgroups(Math.ceil(count / lines), lines)
    params.destroy()
  }

  return {
    inexactAdd: (buffers) => run(add, buffers),
    inexactMultiply: (buffers) => run(multiply, buffers),
    inexactRelu: (buffers) => run(relu, buffers),
    inexactGelu: (buffers) => run(gelu, buffers),
    inexactSoftmax: (buffers) => run(softmax, buffers, buffers.columns),
  }
}
