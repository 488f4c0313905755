export {
  type BlockPlace,
  type OperandBlocks,
  operandBlocks,
  sumsAround,
  type TilePlace,
  tileOf,
  tilePartialSums,
} from './block.ts'
export {
  type MatrixView,
  type Provable,
  type ProvableProduct,
  provableLengthMax,
  provableProduct,
  tilesOf,
} from './product.ts'
