/** Slices on their way to the device: dispatches with their parameters and bindings, one submission for each slice. */
import type { Product } from '../gemm/index.ts'
import { bindingAlignment, type KernelStep, type ProductRegions, type ProductStep } from '../plan/step.ts'
import type { Pipelines } from './pipelines.ts'
import { type Dispatch, dispatchesMax } from './slices.ts'

/** Where a run finds what its steps name. */
export interface Bindings {
  bufferOf(region: number): GPUBuffer
  productOf(step: Pick<ProductStep, 'spec'>): Product
}

export interface Encoder {
  /** Submits the dispatches of one slice. */
  submit(dispatches: readonly Dispatch[], bindings: Bindings): void
  /** Forgets the bindings of a run, whose buffers may go. */
  forget(): void
  close(): void
}

/** Every device lets a dimension be this long. */
const groupsMax = 65_535

/** Workgroups in lines of about equal length; what a line has too many, the kernel leaves out by its own range. */
export function gridOf(count: number): readonly [number, number] {
  const lines = Math.ceil(count / groupsMax)
  return [Math.ceil(count / lines), lines]
}

export function createEncoder(device: GPUDevice, pipelines: Pipelines): Encoder {
  const paramsBuffer = device.createBuffer({
    label: 'params',
    size: dispatchesMax * bindingAlignment,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  })
  let bindGroups = new WeakMap<KernelStep, GPUBindGroup>()

  function bindGroupOf(step: KernelStep, { bufferOf }: Bindings): GPUBindGroup {
    const found = bindGroups.get(step)
    if (found !== undefined) return found
    const spans = [...step.reads, ...step.writes]
    const group = device.createBindGroup({
      layout: pipelines.get(step.kernel).getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: paramsBuffer, size: bindingAlignment } },
        ...spans.map(({ region, offset, bytes }, index) => ({
          binding: 1 + index,
          resource: { buffer: bufferOf(region), offset, size: bytes },
        })),
      ],
    })
    bindGroups.set(step, group)
    return group
  }

  function productBuffers({ a, b, out, ...others }: ProductRegions, { bufferOf }: Bindings) {
    const named = Object.entries(others).map(([name, region]) => [name, bufferOf(region)])
    return { a: bufferOf(a), b: bufferOf(b), out: bufferOf(out), ...Object.fromEntries(named) }
  }

  return {
    submit(dispatches, bindings) {
      const params = new Uint32Array((dispatches.length * bindingAlignment) / 4)
      for (const [index, dispatch] of dispatches.entries()) {
        if (dispatch.kind !== 'kernel') continue
        const { from, to, step } = dispatch
        params.set([from, to, ...step.params], (index * bindingAlignment) / 4)
      }
      device.queue.writeBuffer(paramsBuffer, 0, params)
      const encoder = device.createCommandEncoder()
      const pass = encoder.beginComputePass()
      for (const [index, dispatch] of dispatches.entries()) {
        const { step } = dispatch
        if (dispatch.kind === 'kernel') {
          const { groups } = dispatch.step
          const units = dispatch.to - dispatch.from
          const count = 'count' in groups ? groups.count : Math.ceil(units / groups.unitsEach)
          pass.setPipeline(pipelines.get(dispatch.step.kernel))
          pass.setBindGroup(0, bindGroupOf(dispatch.step, bindings), [index * bindingAlignment])
          pass.dispatchWorkgroups(...gridOf(count))
        } else if (dispatch.kind === 'pack') {
          const { operand, source, packed } = dispatch.step
          const product = bindings.productOf(step as ProductStep)
          const [from, to] = [bindings.bufferOf(source), bindings.bufferOf(packed)]
          if (operand === 'a') product.packA(pass, from, to)
          else product.packB(pass, from, to)
        } else {
          const buffers = productBuffers(dispatch.step.regions, bindings)
          bindings.productOf(dispatch.step).encode(pass, buffers, dispatch.range)
        }
      }
      pass.end()
      device.queue.submit([encoder.finish()])
    },
    forget() {
      bindGroups = new WeakMap()
    },
    close() {
      paramsBuffer.destroy()
    },
  }
}
