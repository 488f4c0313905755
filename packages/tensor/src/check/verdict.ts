/** What a check decides (spec C12): that the claim is right, or which node is wrong and what showed it. */
export type Mechanism = 'length' | 'digest' | 'encoding' | 'range' | 'projection' | 'recompute' | 'replay'

/** What the check cost, in figures that do not depend on the machine. */
export interface CheckCost {
  readonly projected: number
  readonly recomputed: number
  readonly replayed: number
  /** Multiply-adds that the projections stood in for. */
  readonly sparedWork: number
  /** Multiply-adds and steps that were done again. */
  readonly repeatedWork: number
  /** Bytes of output and transcript that were read and hashed. */
  readonly claimBytes: number
}

export interface Fault {
  readonly mechanism: Mechanism
  /** The node's index; absent where the claim as a whole is at fault. */
  readonly node?: number | undefined
  /** The entry of the node's result, in row-major order, where one can be named. */
  readonly entry?: number | undefined
  /** A row or column whose product is wrong: one of its entries is. */
  readonly line?: Line | undefined
}

export interface Line {
  readonly axis: 'row' | 'column'
  readonly index: number
}

export type CheckVerdict = { readonly ok: true; readonly cost: CheckCost } | ({ readonly ok: false } & Fault)

const why: Readonly<Record<Mechanism, string>> = {
  length: 'has another length than the program gives it',
  digest: 'does not hash to what the worker had bound itself to',
  encoding: 'is packed in another form than the one that is accepted',
  range: 'has an entry that no input could give',
  projection: 'is not the product of its operands',
  recompute: 'differs from what it gives when computed again',
  replay: 'differs from what it gives when replayed',
}

export function describeFault({ mechanism, node, entry, line }: Fault): string {
  const place = [
    node === undefined ? 'the claim' : `node ${node}`,
    ...(entry === undefined ? [] : [`entry ${entry}`]),
    ...(line === undefined ? [] : [`${line.axis} ${line.index}`]),
  ]
  return `${place.join(', ')} ${why[mechanism]}`
}
