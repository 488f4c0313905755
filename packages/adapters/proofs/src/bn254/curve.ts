/**
 * The module of `crates/curve`: BN254 and the verification of Groth16 in WebAssembly, without imports. It is compiled once; each opener has
 * an instance with a memory of its own, which goes when nobody holds it any more.
 */
import { curveBase64 } from './curve.wasm.ts'

/** Every argument is a number or an address in the instance's memory; addresses are not checked. */
export interface CurveExports {
  readonly memory: WebAssembly.Memory
  readonly __heap_base: WebAssembly.Global
  workspace_size(signals: number): number
  open(workspace: number, signals: number, key: number): number
  place(workspace: number, item: number, proof: number, signals: number, count: number): number
  hold_one(workspace: number, item: number): number
  is_in_subgroup(workspace: number, item: number): number
  weigh(workspace: number, count: number, random: number): void
  hold(workspace: number, first: number, end: number): number
  domain_size(log: number): number
  open_domain(domain: number, log: number): void
  load_coefficients(target: number, source: number, count: number, log: number): void
  load_g1(target: number, source: number, count: number): void
  load_g2(target: number, source: number, count: number): void
  quotient(
    domain: number,
    coefficients: number,
    count: number,
    witness: number,
    wires: number,
    values: number,
    target: number,
  ): void
  sum_room(count: number): number
  sum_g1(target: number, points: number, scalars: number, count: number, room: number): void
  sum_g2(target: number, points: number, scalars: number, count: number, room: number): void
  linear_size(): number
  open_linear(linear: number, singles: number, a: number, signals: number, c: number): void
  prove_linear(target: number, linear: number, scalars: number, count: number, r: number, s: number): void
  assemble(target: number, singles: number, sums: number, r: number, s: number): void
}

export interface Curve {
  readonly exports: CurveExports
  /** Memory that is kept, zero at first and aligned to 16 bytes; the views of before are void. */
  reserve(length: number): number
  bytes(): Uint8Array
}

const pageLength = 65_536
let compiling: Promise<WebAssembly.Module> | undefined

export async function openCurve(): Promise<Curve> {
  compiling ??= WebAssembly.compile(Uint8Array.from(atob(curveBase64), (letter) => letter.charCodeAt(0)))
  const instance = await WebAssembly.instantiate(await compiling)
  const exports = instance.exports as unknown as CurveExports
  const { memory } = exports
  let top = exports.__heap_base.value as number
  let view = new Uint8Array(memory.buffer)
  return {
    exports,
    reserve(length) {
      const address = (top + 15) & ~15
      top = address + length
      if (top > memory.buffer.byteLength)
        memory.grow(Math.ceil((top - memory.buffer.byteLength) / pageLength))
      return address
    },
    bytes() {
      if (view.length === 0) view = new Uint8Array(memory.buffer)
      return view
    },
  }
}
