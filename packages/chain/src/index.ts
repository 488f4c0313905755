export { beginChain, type Chain, type ChainCommitment } from './commitment.ts'
export {
  type Cell,
  type CellReader,
  cellAt,
  cellIndex,
  createCellReader,
  decodeOpening,
  drawCells,
  encodeOpening,
  type OpenedRow,
  type Opening,
  type ReadCell,
} from './opening.ts'
export {
  type Benchmark,
  type ChainKind,
  type ChainSize,
  chainKinds,
  checkpointEveryMin,
  checkpointsMax,
  decodeBenchmark,
  drawBenchmark,
  encodeBenchmark,
  operationsOf,
  rowsMax,
  segmentsOf,
  startOf,
  stepsMax,
  widths,
} from './parameters.ts'
export { nextSize, type SizePolicy, sizePolicies } from './size.ts'
export { matrixOf } from './state.ts'
