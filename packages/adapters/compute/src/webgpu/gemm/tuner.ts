/**
 * Which kernel makes a product: a table of candidates, the best for large products first. Without timing the choice
 * follows from the device and the shape alone; a timing run (see gemm.ts) puts its winner into a cache by adapter and
 * class of shape, which a caller may keep from one process to the next. On one H200 through Dawn, exact, at 4096 and 8192
 * cubed: matrix units 640 and 667 TOP/s, dot4 97 and 101, plain 30.
 */
import { dot4Kernel } from './dot4.ts'
import { type EpilogueShape, outputKind } from './epilogue.ts'
import type { KernelText, Layouts } from './kernel.ts'
import { readsInPlace } from './layout.ts'
import { plainKernel } from './plain.ts'
import type { KernelName, ProductSpec } from './product.ts'
import type { RegisterTile } from './registers.ts'
import { type SubgroupTile, subgroupKernel } from './subgroup.ts'

export type Choice =
  | { readonly kernel: 'subgroup'; readonly tile: SubgroupTile }
  | { readonly kernel: 'dot4' | 'plain'; readonly tile: RegisterTile }

/** What the choice depends on. */
export interface DeviceFacts {
  readonly kernels: readonly KernelName[]
  readonly isSoftware: boolean
  readonly workgroupBytesMax: number
  readonly threadsMax: number
}

const squares = { down: 2, across: 2 } as const
const subgroupTiles: readonly SubgroupTile[] = [
  { ...squares, fragments: 4, stepBytes: 64, stages: 1 },
  { ...squares, fragments: 4, stepBytes: 32, stages: 2 },
  { ...squares, fragments: 2, stepBytes: 64, stages: 1 },
  { ...squares, fragments: 2, stepBytes: 32, stages: 2 },
]
const dot4Tiles: readonly RegisterTile[] = [
  { rows: 128, columns: 128, down: 2, across: 2, unrolled: true },
  { rows: 64, columns: 64, down: 2, across: 1, unrolled: true },
  { rows: 32, columns: 64, down: 1, across: 1, unrolled: true },
]
const plainTiles: readonly RegisterTile[] = [
  { rows: 64, columns: 64, down: 2, across: 1, unrolled: true },
  { rows: 32, columns: 32, down: 1, across: 1, unrolled: true },
]
/** Of short text, since compilers of software devices take seconds; they gain nothing from larger tiles. */
const smallTile: RegisterTile = { rows: 32, columns: 32, down: 1, across: 1, unrolled: false }

/** f32, of default limits. */
export function floatTile({ isSoftware }: Pick<DeviceFacts, 'isSoftware'>): RegisterTile {
  return isSoftware ? smallTile : { rows: 128, columns: 128, down: 2, across: 2, unrolled: true }
}

/** Workgroups below which a large device is not filled, so that smaller tiles win. */
const fullGroups = 128
/** From so many uses of each packed byte on, packing an operand that could be read in place pays for itself. */
const packedUses = 4096

function candidatesOf(kernel: KernelName, { isSoftware }: DeviceFacts): readonly Choice[] {
  if (kernel === 'subgroup') return subgroupTiles.map((tile) => ({ kernel, tile }))
  if (isSoftware) return [{ kernel, tile: smallTile }]
  return (kernel === 'dot4' ? dot4Tiles : plainTiles).map((tile) => ({ kernel, tile }))
}

/** How operands would best lie for this product; unsigned ones need the column sums that packing makes. */
export function layoutsFor(
  { m, k, n, left, transposeB, residentB }: ProductSpec,
  kernel: KernelName,
): Layouts {
  const inPlace = readsInPlace(k, 1)
  const pays = (uses: number) => kernel === 'subgroup' && uses >= packedUses
  return {
    left: inPlace && !pays(n) ? 'rows' : 'packed',
    right: inPlace && transposeB && left === 'i8' && !residentB && !pays(m) ? 'rows' : 'packed',
  }
}

export function kernelText({ kernel, tile }: Choice, layouts: Layouts, shape: EpilogueShape): KernelText {
  if (kernel === 'subgroup') return subgroupKernel(tile, layouts, shape)
  return kernel === 'dot4' ? dot4Kernel(tile, layouts, shape) : plainKernel(tile, layouts, shape)
}

export function epilogueShape({ left, n, epilogue = {} }: ProductSpec): EpilogueShape {
  return { unsignedLeft: left === 'u8', epilogue, wholeWords: n % 4 === 0 }
}

/** All that the device can run for this product, the one to take without timing first. */
export function choices(spec: ProductSpec, facts: DeviceFacts): readonly Choice[] {
  const shape = epilogueShape(spec)
  return facts.kernels.toReversed().flatMap((kernel) => {
    const layouts = layoutsFor(spec, kernel)
    const possible = candidatesOf(kernel, facts)
      .map((choice) => ({ choice, text: kernelText(choice, layouts, shape) }))
      .filter(({ text }) => fits(text, facts))
    const filling = possible.findIndex(({ text }) => groupsOf(spec, text) >= fullGroups)
    const first = filling === -1 ? Math.max(0, possible.length - 1) : filling
    return [...possible.slice(first), ...possible.slice(0, first)].map(({ choice }) => choice)
  })
}

function fits({ workgroupBytes, threads }: KernelText, facts: DeviceFacts): boolean {
  return workgroupBytes <= facts.workgroupBytesMax && threads <= facts.threadsMax
}

function groupsOf({ batch, m, n }: ProductSpec, { tileRows, tileColumns }: KernelText): number {
  return batch * Math.ceil(m / tileRows) * Math.ceil(n / tileColumns)
}

/** Products of one class run alike: sizes within a factor of two, the same kinds in and out. */
export function shapeClass({ batch, m, k, n, left, epilogue = {} }: ProductSpec): string {
  const sizes = [batch, m, k, n].map((size) => Math.ceil(Math.log2(size)))
  return [...sizes, left, outputKind(epilogue), readsInPlace(k, 1) ? 'whole' : 'ragged'].join(' ')
}
