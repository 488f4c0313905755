/**
 * An executor that looks at its own answers on the CPU before anyone signs them (docs/spec/checks.md, C17): some sums of a
 * few products, drawn anew for each execution. A driver's bug or a flipped bit becomes a second try; if that is wrong too, the
 * device is not to be trusted and counts as lost. It protects the worker; it proves nothing to anybody else.
 */
import {
  type Blobs,
  byteLengthOf,
  inferProgram,
  noBlobs,
  operandsOf,
  type Program,
  readConstants,
  readInputs,
  type Tensor,
  tensorFromBytes,
  type Value,
} from '@shardy/tensor'
import { type CheckTools, describeFault, type Probe, planSpotCheck, runSpotCheck } from '@shardy/tensor/check'
import { ComputeError, type ExecuteOptions, type Execution, type Executor } from './executor.ts'

export interface SelfCheckAdapters {
  readonly tools: CheckTools
  /** So many random bytes. They need not be secret: faults do not choose their place. */
  readonly random: (length: number) => Uint8Array
}

/** What is computed again on the CPU, in steps: some milliseconds of it. */
const stepsMax = 2 ** 20
const sumsPerProduct = 64
/** Each probe reads a node and its operands back, so only a few are made, of nodes drawn at random. */
const probesMax = 2
/** And no more bytes than this. */
const readBackBytesMax = 32 * 2 ** 20

interface Look {
  readonly probes: readonly Probe[]
  /** Values that must be read back for it. */
  readonly keep: readonly number[]
}

function planLook(program: Program, seed: Uint8Array, { tools }: SelfCheckAdapters): Look {
  const { values } = inferProgram(program)
  const first = program.inputs.length + program.constants.length
  const { probes } = planSpotCheck(program, { steps: stepsMax, sumsPerProduct }, seed, tools.sha256)
  const chosen: Probe[] = []
  const keep = new Set<number>()
  let bytes = 0
  // The seed is spent on what is probed; where it begins among the probes follows from its first word.
  const start = new DataView(seed.buffer, seed.byteOffset).getUint32(0) % Math.max(1, probes.length)
  for (let turn = 0; turn < probes.length && chosen.length < probesMax; turn++) {
    const probe = probes[(start + turn) % probes.length]
    const node = probe && program.nodes[probe.node]
    if (probe === undefined || node === undefined) break
    const read = [...operandsOf(node), first + probe.node].filter(
      (value) => value >= first && !keep.has(value) && !program.outputs.includes(value),
    )
    const more = read.reduce((sum, value) => sum + byteLengthOf(values[value] as Value), 0)
    if (bytes + more > readBackBytesMax) continue
    bytes += more
    for (const value of read) keep.add(value)
    chosen.push(probe)
  }
  return { probes: chosen, keep: [...keep] }
}

/** Outputs are read from the very bytes that will be signed. */
function reader(program: Program, input: Uint8Array, blobs: Blobs, { output, kept }: Execution) {
  const { values } = inferProgram(program)
  const [inputs, constants] = [readInputs(program, input), readConstants(program, blobs)]
  const given: readonly Tensor[] = inputs.ok && constants.ok ? [...inputs.value, ...constants.value] : []
  const outputs = new Map<number, Uint8Array>()
  let offset = 0
  for (const index of program.outputs) {
    const end = offset + byteLengthOf(values[index] as Value)
    outputs.set(index, output.subarray(offset, end))
    offset = end
  }
  return (index: number): Tensor => {
    const tensor = given[index]
    const bytes = outputs.get(index) ?? kept.get(index)
    if (tensor !== undefined) return tensor
    if (bytes === undefined) throw new Error(`the value ${index} was not read back`)
    return tensorFromBytes(values[index] as Value, bytes)
  }
}

export function createSelfCheckingExecutor(executor: Executor, adapters: SelfCheckAdapters): Executor {
  /** One execution, and what is wrong with it, if the look at it found anything. */
  async function attempt(
    program: Program,
    input: Uint8Array,
    options: ExecuteOptions,
  ): Promise<{ readonly execution: Execution; readonly fault: string | undefined }> {
    const { keep = [], blobs = noBlobs } = options
    const seed = adapters.random(32)
    const look = planLook(program, seed, adapters)
    const wanted = [...new Set([...keep, ...look.keep])]
    const execution = await executor.execute(program, input, { ...options, keep: wanted })
    const read = reader(program, input, blobs, execution)
    const found = runSpotCheck(program, look, read, seed, adapters.tools)
    const { output, kept } = execution
    const asked = new Map(keep.map((index) => [index, kept.get(index) ?? new Uint8Array()]))
    return { execution: { output, kept: asked }, fault: found.ok ? undefined : describeFault(found) }
  }

  return {
    name: executor.name,
    adapter: executor.adapter,
    async execute(program, input, options = {}) {
      const first = await attempt(program, input, options)
      if (first.fault === undefined) return first.execution
      const second = await attempt(program, input, { ...options, onProgress: undefined })
      if (second.fault === undefined) return second.execution
      throw new ComputeError(
        'deviceLost',
        `${executor.adapter} computes wrongly: ${second.fault}, twice; it is not used again`,
      )
    },
    ...(executor.runShader && { runShader: executor.runShader }),
    ...(executor.tryMemory && { tryMemory: executor.tryMemory }),
    close: () => executor.close(),
  }
}
