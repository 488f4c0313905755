/**
 * One instance of crates/field and the layout of its memory: small regions for ids and elements, a stage that longer bytes pass
 * through, and room for Poseidon's parameters. The memory never grows, so views of it stay good.
 */
import { bigEndian, fieldBytes } from '@shardy/protocol'

/** Addresses and lengths are bytes, as the module's sources say. */
export interface FieldExports {
  readonly memory: WebAssembly.Memory
  readonly __heap_base: WebAssembly.Global
  fold_state_bytes(): number
  fold_begin(state: number): void
  fold_update(state: number, from: number, length: number): void
  fold_finish(state: number, digest: number, out: number): void
  fold_digest(digest: number, high: number, low: number, out: number): void
  reduce_wide(wide: number, out: number): void
  parameters_bytes(): number
  scratch_bytes(): number
  prepare(parameters: number, scratch: number): void
  poseidon(parameters: number, inputs: number, out: number): void
  commit(
    parameters: number,
    entries: number,
    length: number,
    width: number,
    wordBytes: number,
    tag: number,
    out: number,
  ): void
}

export interface Instance {
  readonly run: FieldExports
  readonly bytes: Uint8Array
  readonly at: {
    readonly state: number
    readonly digest: number
    readonly out: number
    readonly stage: number
    readonly parameters: number
  }
  /** Reads the element at `out`. */
  element(): bigint
}

/** Longer than anything but an output, and than what `prepare` computes in. */
export const stageBytes = 128 * 1024

export function createInstance(run: FieldExports): Instance {
  const bytes = new Uint8Array(run.memory.buffer)
  const state = Math.ceil(Number(run.__heap_base.value) / 64) * 64
  const digest = state + Math.ceil(run.fold_state_bytes() / 64) * 64
  const out = digest + 64
  const stage = out + 64
  const parameters = stage + stageBytes
  if (run.scratch_bytes() > stageBytes || parameters + run.parameters_bytes() > bytes.length)
    throw new RangeError('the field does not fit its memory')
  return {
    run,
    bytes,
    at: { state, digest, out, stage, parameters },
    element: () => bigEndian(bytes.subarray(out, out + fieldBytes)),
  }
}
