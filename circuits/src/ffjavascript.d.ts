// What we use of ffjavascript, which has no types of its own: the curve and the memory its arithmetic works in.
declare module 'ffjavascript' {
  export interface Field {
    readonly n8: number
    readonly w: readonly Uint8Array[]
    e(value: bigint | number): Uint8Array
    toObject(element: Uint8Array): bigint
  }
  export interface Group {
    readonly g: Uint8Array
    isZero(point: Uint8Array): boolean
    readonly F: Field
    add(left: Uint8Array, right: Uint8Array): Uint8Array
    neg(point: Uint8Array): Uint8Array
    eq(left: Uint8Array, right: Uint8Array): boolean
    timesScalar(point: Uint8Array, scalar: bigint): Uint8Array
    timesFr(point: Uint8Array, scalar: Uint8Array): Uint8Array
    toAffine(point: Uint8Array): Uint8Array
    toJacobian(point: Uint8Array): Uint8Array
    toObject(point: Uint8Array): readonly unknown[]
    fromObject(point: readonly unknown[]): Uint8Array
    isValid(point: Uint8Array): boolean
    multiExpAffine(points: Uint8Array, scalars: Uint8Array): Promise<Uint8Array>
    fromRprCompressed(bytes: Uint8Array, offset: number): Uint8Array
    toRprUncompressed(bytes: Uint8Array, offset: number, point: Uint8Array): void
  }
  export interface Curve {
    readonly r: bigint
    readonly q: bigint
    readonly Fr: Field
    readonly G1: Group
    readonly G2: Group
    readonly tm: {
      readonly instance: { readonly exports: Readonly<Record<string, (...pointers: number[]) => void>> }
      readonly memory: WebAssembly.Memory
      u8: Uint8Array
      u32: Uint32Array
    }
    pairingEq(...pointsAndTarget: Uint8Array[]): Promise<boolean>
    terminate(): Promise<void>
  }
  export function buildBn128(singleThread: boolean): Promise<Curve>
}
