/**
 * What runs programs, on any device: one interface, one set of errors, and the admission that every executor does
 * first. Executors give the bytes that `@shardy/tensor` defines, or an error; never other bytes.
 */
import { describeRefusal } from '@shardy/protocol'
import { describeTaskRefusal, parseShaderTask, refusePayload, type ShaderTask } from '@shardy/shader'
import {
  type Blobs,
  noBlobs,
  type Program,
  readConstants,
  readInputs,
  type Tensor,
  tensorBytes,
  tryInferProgram,
} from '@shardy/tensor'

export interface ExecuteOptions {
  /** The constants that the program names by digest. The caller has compared bytes and digests. */
  readonly blobs?: Blobs | undefined
  /** Values wanted beside the output, by their index in the program: what a check asks for. */
  readonly keep?: readonly number[] | undefined
  /** Rejects with `aborted` soon after the signal; work already given to a device may still finish unseen. */
  readonly signal?: AbortSignal | undefined
  /** Called now and then with the part that is done, 0 to 1000, never falling. */
  readonly onProgress?: ((permille: number) => void) | undefined
}

export type ShaderOptions = Pick<ExecuteOptions, 'signal' | 'onProgress'>

export interface Execution {
  /** The program's outputs, one after the other. */
  readonly output: Uint8Array
  /** The bytes of the values that were to be kept. */
  readonly kept: ReadonlyMap<number, Uint8Array>
}

export interface Executor {
  /** Which implementation this is: `reference`, `cpu` or `webgpu`. */
  readonly name: string
  /** The device behind it, in one line for a person. */
  readonly adapter: string
  /** May be called again before it answers; the executor takes calls in turn or side by side, as suits its device. */
  execute(program: Program, input: Uint8Array, options?: ExecuteOptions): Promise<Execution>
  /**
   * Runs a program that takes a moment only, at once and on the caller's thread: where there are thousands of them, promises and
   * turns would cost more than the work. Undefined where the program is not that small, or the executor cannot yet. Throws
   * what `execute` rejects with. Absent where calls leave the thread anyway.
   */
  executeSmall?(program: Program, input: Uint8Array): Uint8Array | undefined
  /**
   * Runs a user's shader from its task's bytes and gives its output, floats in their one form. Absent where the executor has
   * no way to run any.
   */
  runShader?(task: Uint8Array, payload: Uint8Array, options?: ShaderOptions): Promise<Uint8Array>
  /**
   * Holds so many bytes of the device's memory at once, writes and reads all of them, and lets them go. Rejects when they do
   * not hold. Absent where the executor has no memory of its own to try.
   */
  tryMemory?(bytes: number, options?: Pick<ExecuteOptions, 'signal'>): Promise<void>
  /** Frees the device. Calls that are still open, and later ones, reject with `closed`. */
  close(): Promise<void>
}

export type ComputeErrorKind =
  | 'programRefused'
  | 'inputRefused'
  | 'beyondLimits'
  | 'aborted'
  | 'closed'
  | 'deviceLost'
  | 'outOfMemory'
  | 'outOfFuel'
  | 'validation'
  | 'internal'

export class ComputeError extends Error {
  override readonly name = 'ComputeError'
  readonly kind: ComputeErrorKind

  constructor(kind: ComputeErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

export function closedError(name: string): ComputeError {
  return new ComputeError('closed', `the ${name} executor is closed; open another`)
}

/**
 * The tensors that a program begins with, inputs then constants. Throws when program, input or blobs are outside the
 * rules, so that kernels need not look again.
 */
export function admit(
  program: Program,
  input: Uint8Array,
  { blobs = noBlobs, keep = [] }: ExecuteOptions = {},
): readonly Tensor[] {
  const inference = tryInferProgram(program)
  if (!inference.ok) throw new ComputeError('programRefused', describeRefusal(inference.refusal))
  const inputs = readInputs(program, input)
  if (!inputs.ok) throw new ComputeError('inputRefused', describeRefusal(inputs.refusal))
  const constants = readConstants(program, blobs)
  if (!constants.ok) throw new ComputeError('inputRefused', describeRefusal(constants.refusal))
  for (const index of keep) {
    if (inference.values[index] !== undefined) continue
    throw new ComputeError(
      'programRefused',
      `the value ${index} is to be kept, the program has no such value`,
    )
  }
  return [...inputs.value, ...constants.value]
}

/** The shader task that these bytes are, with a payload that fits it. */
export function admitShader(task: Uint8Array, payload: Uint8Array): ShaderTask {
  const parsed = parseShaderTask(task)
  if (!parsed.ok) throw new ComputeError('programRefused', describeTaskRefusal(parsed.refusal))
  const refusal = refusePayload(parsed.value, payload)
  if (refusal !== undefined) throw new ComputeError('inputRefused', describeRefusal(refusal))
  return parsed.value
}

export function outOfFuel(): ComputeError {
  return new ComputeError('outOfFuel', 'an invocation of the shader spent its fuel; there is no output')
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ComputeError('aborted', 'the caller aborted', { cause: signal.reason })
}

/** Copies, so that what is handed out shares no memory with an executor or with the caller's input. */
export function keepValues(
  keep: readonly number[],
  tensors: readonly (Tensor | undefined)[],
): ReadonlyMap<number, Uint8Array> {
  return new Map(
    keep.map((index) => {
      const tensor = tensors[index]
      if (tensor === undefined) throw new Error(`the value ${index} was not kept`)
      return [index, tensorBytes(tensor).slice()]
    }),
  )
}
