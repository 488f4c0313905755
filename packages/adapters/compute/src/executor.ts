/**
 * What runs programs, on any device: one interface, one set of errors, and the admission that every executor does
 * first. Executors give the bytes that `@shardy/tensor` defines, or an error; never other bytes.
 */
import { describeRefusal } from '@shardy/protocol'
import { type Program, parseProgram, refuseInput } from '@shardy/tensor'

export interface ExecuteOptions {
  /** Rejects with `aborted` soon after the signal; work already given to a device may still finish unseen. */
  readonly signal?: AbortSignal | undefined
  /** Called now and then with the part that is done, 0 to 1000, never falling. */
  readonly onProgress?: ((permille: number) => void) | undefined
}

export interface Executor {
  /** Which implementation this is: `reference`, `cpu` or `webgpu`. */
  readonly name: string
  /** The device behind it, in one line for a person. */
  readonly adapter: string
  /** May be called again before it answers; the executor takes calls in turn or side by side, as suits its device. */
  execute(program: Program, input: Uint8Array, options?: ExecuteOptions): Promise<Uint8Array>
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

/** Throws when the program or the input is outside the rules, so that kernels need not look again. */
export function admit(program: Program, input: Uint8Array): void {
  const parsed = parseProgram(program)
  if (!parsed.ok) throw new ComputeError('programRefused', describeRefusal(parsed.refusal))
  const refusal = refuseInput(program, input)
  if (refusal !== undefined) throw new ComputeError('inputRefused', describeRefusal(refusal))
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ComputeError('aborted', 'the caller aborted', { cause: signal.reason })
}
