/**
 * The part of snarkjs and ffjavascript that is used here: neither brings types, and `circuits/` declares another part. Files
 * are bytes in memory: given paths, snarkjs leaves files open, which Bun takes for an error.
 */

/** To be written: its `data` is there once the call has ended. */
export interface MemoryFile {
  type: 'mem'
  data?: Uint8Array
}

export interface Logger {
  debug(text: string): void
  info(text: string): void
  warn(text: string): void
  error(text: string): void
}

type Bytes = Uint8Array
type Contribute = (
  from: Bytes,
  to: MemoryFile,
  name: string,
  entropy: string,
  logger?: Logger,
) => Promise<Bytes>

interface Universal {
  setup(r1cs: Bytes, ptau: Bytes, to: MemoryFile, logger?: Logger): Promise<unknown>
  prove(
    key: Bytes,
    witness: Bytes,
    logger?: Logger,
  ): Promise<{ readonly proof: unknown; readonly publicSignals: readonly string[] }>
  /** It calls its logger unasked when something is wrong, so one must be given. */
  verify(key: unknown, signals: readonly string[], proof: unknown, logger: Logger): Promise<boolean>
}

export interface SnarkjsModule {
  readonly plonk: Universal
  readonly fflonk: Universal
  readonly wtns: {
    calculate(inputs: Readonly<Record<string, unknown>>, wasm: Bytes, to: MemoryFile): Promise<void>
  }
  readonly powersOfTau: {
    newAccumulator(curve: Curve, power: number, to: MemoryFile, logger?: Logger): Promise<Bytes>
    readonly contribute: Contribute
    preparePhase2(from: Bytes, to: MemoryFile, logger?: Logger): Promise<void>
    verify(from: Bytes, logger?: Logger): Promise<boolean>
  }
  readonly zKey: {
    /** -1 when it cannot be made; the logger was told why. */
    newZKey(r1cs: Bytes, ptau: Bytes, to: MemoryFile, logger?: Logger): Promise<Bytes | -1>
    readonly contribute: Contribute
    beacon(
      from: Bytes,
      to: MemoryFile,
      name: string,
      beaconHex: string,
      iterationsExponent: number,
      logger?: Logger,
    ): Promise<Bytes | false>
    verifyFromInit(first: Bytes, ptau: Bytes, key: Bytes, logger?: Logger): Promise<boolean>
    exportVerificationKey(key: Bytes, logger?: Logger): Promise<Readonly<Record<string, unknown>>>
  }
}

export interface FfjavascriptModule {
  readonly ChaCha: new (seed: readonly number[]) => RandomStream
  buildBn128(singleThread: boolean): Promise<Curve>
}

/** Bytes that follow from a seed. */
export type RandomStream = object

/** A point is affine or Jacobian coordinates, little-endian, in Montgomery form. */
export type Point = Uint8Array

interface Field {
  readonly n8: number
  fromRng(random: RandomStream): Uint8Array
}

export interface Group {
  readonly g: Point
  readonly F: Field
  isZero(point: Point): boolean
  isValid(point: Point): boolean
  eq(left: Point, right: Point): boolean
  neg(point: Point): Point
  toAffine(point: Point): Point
  timesFr(point: Point, scalar: Uint8Array): Point
  timesScalar(point: Point, scalar: bigint): Point
  fromRng(random: RandomStream): Point
  fromObject(coordinates: readonly unknown[]): Point
  toRprUncompressed(to: Uint8Array, offset: number, point: Point): void
}

export interface Curve {
  readonly q: bigint
  readonly r: bigint
  readonly Fr: Field
  readonly G1: Group
  readonly G2: Group
  readonly tm: {
    /** Into how many pieces long work is cut. */
    concurrency: number
    queueAction(action: unknown, transfers?: unknown): Promise<unknown>
  }
  /** Whether the product of the pairings of these pairs is one. */
  pairingEq(...points: readonly Point[]): Promise<boolean>
}
