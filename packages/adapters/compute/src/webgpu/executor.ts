/**
 * The WebGPU executor: one program at a time on one device that it owns. A program is planned, its kernels are compiled,
 * its inputs go up, its steps run in slices of some tens of milliseconds, and only what was asked for comes back. Slices
 * keep drivers' watchdogs quiet and screens alive, and let an abort or a lost device be seen soon.
 */
import { canonicalOutput, type ShaderTask } from '@shardy/shader'
import { byteLengthOf, inferProgram, type Program, type Tensor, tensorBytes } from '@shardy/tensor'
import {
  admit,
  admitShader,
  ComputeError,
  closedError,
  type ExecuteOptions,
  type Execution,
  type Executor,
  outOfFuel,
  throwIfAborted,
} from '../executor.ts'
import { createGemm } from './gemm/index.ts'
import { guardDevice } from './guard.ts'
import type { PlanLimits } from './limits.ts'
import { tryDeviceMemory } from './memoryTrial.ts'
import { packOperands, withoutPrepared } from './plan/packings.ts'
import { type Plan, planProgram } from './plan/plan.ts'
import { assignSlots } from './plan/slots.ts'
import { type ProductStep, readsOf, type Source, type Step, writesOf } from './plan/step.ts'
import { createEncoder } from './run/encode.ts'
import { createMemory } from './run/memory.ts'
import { createPaces } from './run/pace.ts'
import { createPipelines } from './run/pipelines.ts'
import { createProducts } from './run/products.ts'
import { readRegions } from './run/readback.ts'
import { cutSlices, workOfStep } from './run/slices.ts'
import { runShader } from './shader/run.ts'

export interface WebGpuOptions {
  /** What the host's WGSL can beyond the first version, and what the adapter says of itself: kernels are chosen by it. */
  readonly languageFeatures?: ReadonlySet<string>
  readonly info?: GPUAdapterInfo
  readonly isSoftware?: boolean
  /** Bytes of weights that stay on the device from one program to the next. */
  readonly keptBytesMax?: number
  /** What plans may use of the device; all that it has, if left out. */
  readonly limits?: PlanLimits
}

const keptBytesDefault = 2 ** 30

/** What a run of one plan holds on the device. */
interface Holding {
  readonly plan: Plan
  readonly slots: readonly GPUBuffer[]
  /** Under which keys regions of the plan are kept. */
  readonly keys: ReadonlySet<string>
  /** Regions that are to be filled before the first step. */
  readonly uploads: ReadonlyMap<number, Source>
  bufferOf(region: number): GPUBuffer
}

function isProduct(step: Step): step is ProductStep {
  return step.kind === 'product'
}

/** Takes the device over: closing the executor destroys it. */
export async function createWebGpuExecutor(
  device: GPUDevice,
  adapter: string,
  {
    keptBytesMax = keptBytesDefault,
    limits = device.limits,
    languageFeatures = new Set(),
    isSoftware = false,
    ...facts
  }: WebGpuOptions = {},
): Promise<Executor> {
  const name = 'webgpu'
  const guard = guardDevice(device)
  const pipelines = createPipelines(device)
  const products = createProducts(createGemm(device, { adapter, languageFeatures, isSoftware, ...facts }), {
    tunes: !isSoftware,
  })
  const memory = createMemory(device, keptBytesMax)
  const encoder = createEncoder(device, pipelines)
  const paces = createPaces()
  let turn: Promise<unknown> = Promise.resolve()

  async function compile(draft: Plan): Promise<Plan> {
    return await guard.run('compiling kernels', async () => {
      await guard.wait(products.prepare(draft.steps.filter(isProduct).map(({ spec }) => spec)))
      const kernels = draft.steps.flatMap((step) => (step.kind === 'kernel' ? [step.kernel] : []))
      await guard.wait(pipelines.compile(kernels))
      return packOperands(draft, (spec) => products.get(spec))
    })
  }

  function hold(whole: Plan): Holding {
    const plan = withoutPrepared(whole, memory.isAtHand)
    const used = new Set(plan.steps.flatMap((step) => [...readsOf(step), ...writesOf(step)]))
    const sources = Array.from(used, (region) => [region, sourceOf(plan, region)] as const)
    const keys = new Set(sources.flatMap(([, source]) => ('key' in source ? [source.key] : [])))
    const kept = new Map<number, GPUBuffer>()
    const uploads = new Map<number, Source>()
    for (const [region, source] of sources) {
      if ('key' in source) kept.set(region, memory.keep(source.key, bytesOf(plan, region), keys))
      const isThere = 'key' in source && memory.isAtHand(source.key)
      if (!isThere && source.kind !== 'steps' && source.kind !== 'prepared') uploads.set(region, source)
    }
    const { bytes, slotOf } = assignSlots(plan, limits.maxBufferSize)
    const slots = memory.takeSlots(bytes)
    const bufferOf = (region: number): GPUBuffer => {
      const buffer = kept.get(region) ?? slots[slotOf.get(region) ?? -1]
      if (buffer === undefined) throw new Error(`the region ${region} has no buffer`)
      return buffer
    }
    return { plan, slots, keys, uploads, bufferOf }
  }

  /** Holds what the plan needs, if need be after everything that earlier programs left is gone. */
  async function allocate(plan: Plan): Promise<Holding> {
    const attempt = () => guard.run('allocating buffers', async () => hold(plan))
    try {
      return await attempt()
    } catch (thrown) {
      if (!(thrown instanceof ComputeError) || thrown.kind !== 'outOfMemory' || !memory.release())
        throw thrown
      return await attempt()
    }
  }

  function upload({ uploads, bufferOf }: Holding, given: readonly Tensor[]): void {
    for (const [region, source] of uploads) {
      if (source.kind === 'steps' || source.kind === 'prepared') continue
      const bytes = source.kind === 'made' ? source.bytes : givenBytes(given, source.value)
      const buffer = bufferOf(region)
      const whole = bytes.length - (bytes.length % 4)
      if (whole > 0) device.queue.writeBuffer(buffer, 0, bytes, 0, whole)
      if (whole === bytes.length) continue
      // The last entries, then zeros over what an earlier region may have left there.
      const rest = new Uint8Array(4)
      rest.set(bytes.subarray(whole))
      device.queue.writeBuffer(buffer, whole, rest)
    }
  }

  async function runSteps(
    { plan, bufferOf }: Holding,
    { signal, onProgress }: ExecuteOptions,
  ): Promise<void> {
    const bindings = { bufferOf, productOf: ({ spec }: Pick<ProductStep, 'spec'>) => products.get(spec) }
    const rangesOf = (step: ProductStep, multiplyAddsMax: number) =>
      products.get(step.spec).ranges(multiplyAddsMax)
    const total = plan.steps.reduce((sum, step) => sum + workOfStep(step), 0)
    let done = 0
    for (const slice of cutSlices(plan.steps, paces, rangesOf)) {
      throwIfAborted(signal)
      const beganMs = performance.now()
      encoder.submit(slice.dispatches, bindings)
      await guard.wait(device.queue.onSubmittedWorkDone())
      paces.learn(performance.now() - beganMs, slice.shares)
      done += slice.work
      onProgress?.(Math.floor((1000 * Math.min(done, total)) / total))
    }
  }

  async function answer(
    program: Program,
    { plan, bufferOf }: Holding,
    given: readonly Tensor[],
    keep: readonly number[],
  ): Promise<Execution> {
    const { values } = inferProgram(program)
    const regions = new Map<number, number>()
    for (const place of plan.answers.values()) {
      if ('region' in place) regions.set(place.region, bytesOf(plan, place.region))
    }
    const read = await readRegions(device, regions, bufferOf, guard.wait)
    const bytesOfValue = (value: number): Uint8Array => {
      const place = plan.answers.get(value)
      const type = values[value]
      if (place === undefined || type === undefined) throw new Error(`the value ${value} is no answer`)
      const bytes = 'given' in place ? givenBytes(given, place.given) : read.get(place.region)
      if (bytes === undefined) throw new Error(`the value ${value} was not read`)
      return bytes.slice(0, byteLengthOf(type))
    }
    return {
      output: concatenated(program.outputs.map(bytesOfValue)),
      kept: new Map(keep.map((value) => [value, bytesOfValue(value)])),
    }
  }

  async function run(
    program: Program,
    draft: Plan,
    given: readonly Tensor[],
    options: ExecuteOptions,
  ): Promise<Execution> {
    const { signal, onProgress, keep = [] } = options
    const plan = await compile(draft)
    throwIfAborted(signal)
    const holding = await allocate(plan)
    try {
      const execution = await guard.run('running the program', async () => {
        upload(holding, given)
        await runSteps(holding, options)
        return await answer(program, holding, given, keep)
      })
      throwIfAborted(signal)
      memory.ready(holding.keys)
      onProgress?.(1000)
      return execution
    } finally {
      encoder.forget()
      memory.giveBack(holding.slots)
    }
  }

  return {
    name,
    adapter,
    async execute(program, input, options = {}) {
      if (guard.ended !== undefined) throw guard.ended
      const given = admit(program, input, options)
      throwIfAborted(options.signal)
      const draft = planProgram(program, limits, options.keep)
      const execution = turn.then(() => {
        throwIfAborted(options.signal)
        return run(program, draft, given, options)
      })
      // Buffers of a call that failed may be invalid; those of an aborted one are not.
      turn = execution.catch((thrown) => {
        if (!(thrown instanceof ComputeError) || thrown.kind !== 'aborted') memory.release()
      })
      return await execution
    },
    async runShader(task, payload, { signal, onProgress } = {}) {
      if (guard.ended !== undefined) throw guard.ended
      const shader = admitShader(task, payload)
      refuseLongShader(shader, isSoftware)
      const outcome = turn.then(() => runShader(device, shader, payload, { signal, guard }))
      turn = outcome.catch(() => {})
      const ended = await outcome
      if (ended.kind === 'outOfFuel') throw outOfFuel()
      onProgress?.(1000)
      return canonicalOutput(shader, ended.bytes)
    },
    async tryMemory(bytes, { signal } = {}) {
      if (guard.ended !== undefined) throw guard.ended
      const trial = turn.then(async () => {
        throwIfAborted(signal)
        memory.release()
        await tryDeviceMemory(device, bytes, { guard, signal })
      })
      turn = trial.catch(() => {})
      await trial
    },
    async close() {
      guard.end(closedError(name))
      products.close()
      encoder.close()
      memory.release()
      device.destroy()
    },
  }
}

/**
 * Nodes that one shader task may execute at most. It is one dispatch, which nothing can stop: at these figures a slow device
 * is busy for some seconds, and its screen with it, and no longer.
 */
const shaderWorkMax = 2 ** 34
const softwareWorkMax = 2 ** 28

function refuseLongShader({ work }: ShaderTask, isSoftware: boolean): void {
  const max = isSoftware ? softwareWorkMax : shaderWorkMax
  if (work <= max) return
  throw new ComputeError(
    'beyondLimits',
    `the shader may execute ${work} nodes, this device takes ${max} at a time: give it less fuel, or split the task`,
  )
}

function sourceOf({ regions }: Plan, index: number): Source {
  const region = regions[index]
  if (region === undefined) throw new Error(`the plan has no region ${index}`)
  return region.source
}

function bytesOf({ regions }: Plan, index: number): number {
  return regions[index]?.bytes ?? 0
}

function givenBytes(given: readonly Tensor[], value: number): Uint8Array {
  const tensor = given[value]
  if (tensor === undefined) throw new Error(`the value ${value} was not given`)
  return tensorBytes(tensor)
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    all.set(part, offset)
    offset += part.length
  }
  return all
}
