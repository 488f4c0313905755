/**
 * One instance of the kernels: what the module exports, its memory, and who wrote there last. The memory is reserved once
 * and never grows, so views of it stay good; a page of it costs nothing until it is touched. Instances are not shared:
 * every thread opens its own.
 */

/** Every address and length is a whole number of bytes or entries, as the module's sources say. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory
  readonly __heap_base: WebAssembly.Global
  multiply_block(
    a: number,
    b: number,
    c: number,
    pairs: number,
    rowPanels: number,
    columnPanels: number,
    stride: number,
    add: number,
  ): void
  pack_left(
    source: number,
    target: number,
    rows: number,
    depth: number,
    stride: number,
    unsigned: number,
  ): void
  pack_right_rows(source: number, target: number, pairs: number, panels: number): void
  pack_right_columns(source: number, target: number, pairs: number, panels: number): void
  widen_right(source: number, target: number, length: number): void
  centre(source: number, target: number, length: number, padded: number): void
  centre_four(source: number, target: number, length: number): void
  split(source: number, target: number, length: number, groups: number, stride: number): void
  split_pairs(source: number, target: number, length: number, pairs: number, stride: number): void
  bytes_right(
    matrix: number,
    rows: number,
    columns: number,
    digits: number,
    vectors: number,
    out: number,
    outStride: number,
    unsigned: number,
  ): void
  bytes_left(
    matrix: number,
    rows: number,
    columns: number,
    digits: number,
    vectors: number,
    sums: number,
    unsigned: number,
  ): void
  finish_bytes(sums: number, columns: number, vectors: number, out: number): void
  words_right(
    matrix: number,
    rows: number,
    columns: number,
    elements: number,
    padded: number,
    vectors: number,
    out: number,
    outStride: number,
    steps: number,
    min: number,
    max: number,
  ): number
  words_left(
    matrix: number,
    rows: number,
    columns: number,
    elements: number,
    room: number,
    vectors: number,
    sums: number,
    steps: number,
    min: number,
    max: number,
  ): number
  finish_words(sums: number, columns: number, vectors: number, out: number): void
  first_outside(matrix: number, length: number, min: number, max: number): number
  requantize_high(
    source: number,
    target: number,
    length: number,
    multipliers: number,
    biases: number,
    period: number,
    shift: number,
    zeroPoint: number,
    kind: number,
  ): void
  requantize_any(
    source: number,
    target: number,
    length: number,
    multipliers: number,
    biases: number,
    shifts: number,
    period: number,
    zeroPoint: number,
    kind: number,
  ): void
  look_up(bytes: number, length: number, table: number): void
  extend_range(source: number, length: number, range: number): void
  pack_bits(source: number, target: number, length: number, base: number, width: number): void
  unpack_bits(
    source: number,
    target: number,
    length: number,
    base: number,
    width: number,
    range: number,
  ): void
}

export interface Instance {
  readonly run: KernelExports
  readonly bytes: Uint8Array
  readonly words: Int32Array
  /** Where the caller's part of the memory begins; a multiple of 64. */
  readonly base: number
  /** Says that `owner` is about to write from `base` on; true when nobody else has done so since it last did. */
  claim(owner: object): boolean
}

export type KernelErrorKind = 'length' | 'element' | 'parameter'

/** A caller's mistake, found before any kernel runs. What a stranger sent is refused by value instead. */
export class KernelError extends Error {
  override readonly name = 'KernelError'
  readonly kind: KernelErrorKind

  constructor(kind: KernelErrorKind, message: string) {
    super(message)
    this.kind = kind
  }
}

/** Vectors are read and written whole, so every region of the memory ends in this many bytes to spare. */
export const slackBytes = 64

export function createInstance(exports: KernelExports): Instance {
  const { memory } = exports
  let last: object | undefined
  return {
    run: exports,
    bytes: new Uint8Array(memory.buffer),
    words: new Int32Array(memory.buffer),
    base: alignUp(Number(exports.__heap_base.value)),
    claim(owner) {
      const held = last === owner
      last = owner
      return held
    },
  }
}

export function alignUp(address: number): number {
  return Math.ceil(address / 64) * 64
}

/** Consecutive regions of the given sizes, each aligned and followed by its slack; throws where the memory ends. */
export function layOut<Name extends string>(
  instance: Instance,
  sizes: Readonly<Record<Name, number>>,
): Readonly<Record<Name, number>> {
  let address = instance.base
  const regions: Partial<Record<Name, number>> = {}
  for (const name of Object.keys(sizes) as Name[]) {
    regions[name] = address
    address = alignUp(address + sizes[name] + slackBytes)
  }
  if (address > instance.bytes.length) throw new RangeError(`${address} bytes do not fit the kernels' memory`)
  return regions as Record<Name, number>
}

/** The bytes behind any view, at whatever alignment. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

export function requireWhole(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new KernelError('parameter', `${name} is ${value}, allowed is ${min} to ${max}`)
  }
}

export function requireLength(name: string, actual: number, expected: number): void {
  if (actual !== expected)
    throw new KernelError('length', `${name} has length ${actual}, expected ${expected}`)
}
